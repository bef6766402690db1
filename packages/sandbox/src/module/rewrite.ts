import { moduleLimits } from '../limits';
import type { AdmittedModule } from './admission';
import { encodeName, encodeU32 } from './reader';
import { sectionId, withEntries, withoutSections, withSection, writeModule } from './sections';

/** The import under which a rewritten module receives its memory. */
export const memoryImport = { module: 'zerocloud', name: 'memory' } as const;

/**
 * Makes the module take its memory from the host instead of defining it, so that one compiled module serves sessions of
 * every memory limit: the limit is the maximum of the `WebAssembly.Memory` that is passed in. The memory keeps index 0, so
 * no other index changes. The table gets a maximum, and custom sections (names, debug information) are dropped.
 */
export function rewriteModule({ sections, shape }: AdmittedModule): Uint8Array {
  const memory = shape.memory!;
  const kindMemory = Uint8Array.of(2);
  let edited = withoutSections(sections, sectionId.custom, sectionId.memory);
  edited = withEntries(
    edited,
    sectionId.import,
    [
      Buffer.concat([
        encodeName(memoryImport.module),
        encodeName(memoryImport.name),
        kindMemory,
        encodeBounds(memory.min, memory.max),
      ]),
    ],
    'first',
  );
  if (shape.table) {
    const { elementType, min, max } = shape.table;
    const bounds = encodeBounds(min, Math.min(max ?? moduleLimits.tableEntries, moduleLimits.tableEntries));
    const body = Buffer.concat([encodeU32(1), Uint8Array.of(elementType), bounds]);
    edited = withSection(edited, { id: sectionId.table, body });
  }
  return writeModule(edited);
}

function encodeBounds(min: number, max: number | undefined): Uint8Array {
  if (max === undefined) return Buffer.concat([Uint8Array.of(0), encodeU32(min)]);
  return Buffer.concat([Uint8Array.of(1), encodeU32(min), encodeU32(max)]);
}
