import type { AdmittedModule } from '../module/admission';
import { encodeName, encodeU32, ModuleReader, ModuleRefusal } from '../module/reader';
import { rewriteModule } from '../module/rewrite';
import { findSection, readSections, sectionId, withEntries, withoutSections, writeModule } from '../module/sections';
import { opcode, skipInstruction } from './instructions';

/**
 * A program whose whole state is its memory and a few numbers, so that putting those back makes it as it was. That holds
 * if its code cannot change the table or drop segments, and every mutable global is an i32 that can be set from outside.
 */
export interface RestorableModule {
  /** The program with its data, to be started once. */
  bootBytes: Uint8Array;
  /** The same without data and start, whose memory is filled from the copy. */
  sessionBytes: Uint8Array;
  /** Exported names of the mutable globals. */
  globals: string[];
}

/** Export of the function table. */
export const tableExport = 'zerocloud:table';

const kindTable = 1;
const kindGlobal = 3;
const typeI32 = 0x7f;

/** Instructions that change what a copy of the memory does not hold. */
const lasting = new Map<number, string>([
  [opcode.tableSet, 'table.set'],
  [opcode.tableInit, 'table.init'],
  [opcode.tableCopy, 'table.copy'],
  [opcode.tableGrow, 'table.grow'],
  [opcode.tableFill, 'table.fill'],
  [opcode.elemDrop, 'elem.drop'],
  [opcode.memoryInit, 'memory.init'],
  [opcode.dataDrop, 'data.drop'],
]);

/** Makes both forms of a program. Throws `ModuleRefusal` with the reason if a copy would not be the whole state. */
export function makeRestorable(module: AdmittedModule): RestorableModule {
  const { sections, shape } = module;
  if (findSection(sections, sectionId.start)) throw new ModuleRefusal('the module has a start function');
  if (!shape.table) throw new ModuleRefusal('the module has no table');
  checkCode(findSection(sections, sectionId.code)?.body);
  const mutable = mutableGlobals(findSection(sections, sectionId.global)?.body);
  const globals = mutable.map((index) => `zerocloud:global:${index}`);
  const entries = [
    exportEntry(tableExport, kindTable, 0),
    ...mutable.map((index, i) => exportEntry(globals[i]!, kindGlobal, index)),
  ];
  const exported = readSections(
    rewriteModule({ ...module, sections: withEntries(sections, sectionId.export, entries) }),
  );
  return {
    bootBytes: writeModule(exported),
    sessionBytes: writeModule(withoutSections(exported, sectionId.data, sectionId.dataCount)),
    globals,
  };
}

function exportEntry(name: string, kind: number, index: number): Uint8Array {
  return Buffer.concat([encodeName(name), Uint8Array.of(kind), encodeU32(index)]);
}

function checkCode(body: Uint8Array | undefined): void {
  if (!body) return;
  const reader = new ModuleReader(body);
  for (let count = reader.u32(); count > 0; count--) {
    const end = reader.u32() + reader.position;
    for (let groups = reader.u32(); groups > 0; groups--) {
      reader.u32();
      reader.skip(1);
    }
    while (reader.position < end) {
      const change = lasting.get(skipInstruction(reader));
      if (change !== undefined) throw new ModuleRefusal(`the module's code contains ${change}`);
    }
  }
}

/** Indexes of the mutable globals. The host gives no global to a module, so all are its own. */
function mutableGlobals(body: Uint8Array | undefined): number[] {
  if (!body) return [];
  const found: number[] = [];
  const reader = new ModuleReader(body);
  const count = reader.u32();
  for (let index = 0; index < count; index++) {
    const type = reader.byte();
    const mutable = reader.byte() === 1;
    while (skipInstruction(reader) !== opcode.end);
    if (!mutable) continue;
    if (type !== typeI32) throw new ModuleRefusal('the module has a mutable global that is no i32');
    found.push(index);
  }
  return found;
}
