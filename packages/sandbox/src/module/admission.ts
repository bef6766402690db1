import { type ModuleLimits, maxPages, moduleLimits } from '../limits';
import { type WasiSignature, wasiFunctions, wasiModuleName } from '../wasi/functions';
import { ModuleRefusal } from './reader';
import { readSections, type Section } from './sections';
import { type ModuleShape, readShape } from './shape';

/** Types of the host's functions, written as `readShape` writes the types of a module. */
const hostFunctions = new Map(
  Object.entries<WasiSignature>(wasiFunctions).map(([name, { params, results }]) => [name, `(${params})->${results}`]),
);

export interface AdmittedModule {
  sections: Section[];
  shape: ModuleShape;
  /** Pages the guest starts with. */
  minPages: number;
  /** Pages the module itself allows, at most. */
  maxPages: number;
}

export type Admission = { admitted: true; module: AdmittedModule } | { admitted: false; reason: string };

/**
 * Decides, before the engine compiles anything, whether bytes are a program we run: a core module with at most one memory
 * and one small table, which imports nothing but known host functions with their exact types and exports `_start` and
 * `memory`. Never throws, whatever the bytes.
 */
export function admitModule(bytes: Uint8Array, limits: ModuleLimits = moduleLimits): Admission {
  try {
    return { admitted: true, module: admit(bytes, limits) };
  } catch (error) {
    if (error instanceof ModuleRefusal) return { admitted: false, reason: error.message };
    throw error;
  }
}

function admit(bytes: Uint8Array, limits: ModuleLimits): AdmittedModule {
  if (bytes.length > limits.moduleBytes) {
    throw new ModuleRefusal(`module of ${bytes.length} bytes, at most ${limits.moduleBytes}`);
  }
  const sections = readSections(bytes);
  const shape = readShape(sections, limits);
  for (const { module, name, typeIndex } of shape.imports) {
    const wanted = module === wasiModuleName ? hostFunctions.get(name) : undefined;
    if (wanted === undefined) throw new ModuleRefusal(`import ${module}.${name} is not provided`);
    if (shape.types[typeIndex] !== wanted) throw new ModuleRefusal(`import ${name} has another type than ${wanted}`);
  }
  if (shape.table && shape.table.min > limits.tableEntries) {
    throw new ModuleRefusal(`table of ${shape.table.min} entries, at most ${limits.tableEntries}`);
  }
  const start = shape.exports.find(({ name }) => name === '_start');
  const startType = start?.kind === 0 ? shape.functions[start.index - shape.imports.length] : undefined;
  if (startType === undefined || shape.types[startType] !== '()->')
    throw new ModuleRefusal('no exported function _start without parameters');
  const memory = shape.exports.find(({ name }) => name === 'memory');
  if (memory?.kind !== 2 || memory.index !== 0 || !shape.memory) throw new ModuleRefusal('no exported memory');
  if (shape.memory.min > maxPages) throw new ModuleRefusal(`memory of ${shape.memory.min} pages`);
  return { sections, shape, minPages: shape.memory.min, maxPages: Math.min(shape.memory.max ?? maxPages, maxPages) };
}
