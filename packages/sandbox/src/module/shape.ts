import type { ModuleLimits } from '../limits';
import { ModuleReader, ModuleRefusal } from './reader';
import { findSection, type Section, sectionId } from './sections';

/** Limits of a memory (pages) or table (entries). */
export interface Bounds {
  min: number;
  max?: number;
}

export interface ImportedFunction {
  module: string;
  name: string;
  typeIndex: number;
}

export interface Export {
  name: string;
  /** 0 function, 1 table, 2 memory, 3 global, 4 tag. */
  kind: number;
  index: number;
}

/** What admission and rewriting must know of a module. Function bodies are left to the engine's validator. */
export interface ModuleShape {
  /** Function types as text: `(i32,i32)->i32`. */
  types: string[];
  imports: ImportedFunction[];
  /** Type index of every function the module defines. */
  functions: number[];
  memory?: Bounds;
  table?: Bounds & { elementType: number };
  exports: Export[];
}

const valueTypes = new Map([
  [0x7f, 'i32'],
  [0x7e, 'i64'],
  [0x7d, 'f32'],
  [0x7c, 'f64'],
  [0x7b, 'v128'],
  [0x70, 'funcref'],
  [0x6f, 'externref'],
]);

const exportKinds = 4;

/** Reads the shape; throws `ModuleRefusal` for what lies outside the format, the accepted proposals, or the limits. */
export function readShape(sections: readonly Section[], limits: ModuleLimits): ModuleShape {
  const read = <T>(id: number, what: string, parse: (reader: ModuleReader) => T): T | undefined => {
    const section = findSection(sections, id);
    if (!section) return undefined;
    const reader = new ModuleReader(section.body);
    const result = parse(reader);
    reader.finish(what);
    return result;
  };
  const shape: ModuleShape = {
    types: read(sectionId.type, 'type', (reader) => readTypes(reader, limits)) ?? [],
    imports: read(sectionId.import, 'import', (reader) => readImports(reader, limits)) ?? [],
    functions: read(sectionId.function, 'function', (reader) => readFunctions(reader, limits)) ?? [],
    table: read(sectionId.table, 'table', readTable),
    memory: read(sectionId.memory, 'memory', readMemory),
    exports: read(sectionId.export, 'export', (reader) => readExports(reader, limits)) ?? [],
  };
  read(sectionId.code, 'code', (reader) => checkBodies(reader, limits));
  checkCount(sections, sectionId.global, limits.globalCount, 'globals');
  checkCount(sections, sectionId.data, limits.dataSegmentCount, 'data segments');
  const elementBytes = findSection(sections, sectionId.element)?.body.length ?? 0;
  if (elementBytes > limits.elementBytes) throw new ModuleRefusal(`element section of ${elementBytes} bytes`);
  return shape;
}

function readTypes(reader: ModuleReader, limits: ModuleLimits): string[] {
  const count = reader.count(limits.typeCount, 'types');
  const types: string[] = [];
  for (let i = 0; i < count; i++) {
    if (reader.byte() !== 0x60) throw new ModuleRefusal('only function types are accepted');
    types.push(`(${readValueTypes(reader)})->${readValueTypes(reader)}`);
  }
  return types;
}

function readValueTypes(reader: ModuleReader): string {
  const count = reader.count(1000, 'parameters');
  const names: string[] = [];
  for (let i = 0; i < count; i++) names.push(valueType(reader.byte()));
  return names.join(',');
}

function valueType(code: number): string {
  const name = valueTypes.get(code);
  if (!name) throw new ModuleRefusal(`value type 0x${code.toString(16)} is not accepted`);
  return name;
}

function readImports(reader: ModuleReader, limits: ModuleLimits): ImportedFunction[] {
  const count = reader.count(limits.importCount, 'imports');
  const imports: ImportedFunction[] = [];
  for (let i = 0; i < count; i++) {
    const module = reader.name();
    const name = reader.name();
    if (reader.byte() !== 0) throw new ModuleRefusal(`import ${module}.${name} is not a function`);
    imports.push({ module, name, typeIndex: reader.u32() });
  }
  return imports;
}

function readFunctions(reader: ModuleReader, limits: ModuleLimits): number[] {
  const count = reader.count(limits.functionCount, 'functions');
  const functions: number[] = [];
  for (let i = 0; i < count; i++) functions.push(reader.u32());
  return functions;
}

function readTable(reader: ModuleReader): ModuleShape['table'] {
  const count = reader.count(1, 'tables');
  if (count === 0) return undefined;
  const elementType = reader.byte();
  if (elementType !== 0x70 && elementType !== 0x6f) throw new ModuleRefusal('table of an unknown kind');
  return { elementType, ...readBounds(reader, 'table') };
}

function readMemory(reader: ModuleReader): Bounds | undefined {
  return reader.count(1, 'memories') === 0 ? undefined : readBounds(reader, 'memory');
}

function readBounds(reader: ModuleReader, what: string): Bounds {
  const flags = reader.byte();
  // Further flag bits mean shared or 64-bit.
  if (flags > 1) throw new ModuleRefusal(`shared or 64-bit ${what}`);
  const min = reader.u32();
  const max = flags === 1 ? reader.u32() : undefined;
  if (max !== undefined && max < min) throw new ModuleRefusal(`${what} with a maximum below its minimum`);
  return max === undefined ? { min } : { min, max };
}

function readExports(reader: ModuleReader, limits: ModuleLimits): Export[] {
  const count = reader.count(limits.exportCount, 'exports');
  const exports: Export[] = [];
  for (let i = 0; i < count; i++) {
    const name = reader.name();
    const kind = reader.byte();
    if (kind > exportKinds) throw new ModuleRefusal(`export ${name} of an unknown kind`);
    exports.push({ name, kind, index: reader.u32() });
  }
  return exports;
}

function checkBodies(reader: ModuleReader, limits: ModuleLimits): void {
  const count = reader.count(limits.functionCount, 'function bodies');
  for (let i = 0; i < count; i++) {
    const size = reader.u32();
    if (size > limits.bodyBytes) throw new ModuleRefusal(`function of ${size} bytes, at most ${limits.bodyBytes}`);
    reader.skip(size);
  }
}

function checkCount(sections: readonly Section[], id: number, limit: number, what: string): void {
  const section = findSection(sections, id);
  if (section) new ModuleReader(section.body).count(limit, what);
}
