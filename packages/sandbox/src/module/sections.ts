import { encodeU32, ModuleReader, ModuleRefusal } from './reader';

/** Section ids of the wasm binary format. */
export const sectionId = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
  tag: 13,
} as const;

/** The order in which a module lists its sections; custom ones may stand anywhere. */
const order = [1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11];

const header = Uint8Array.from([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);

export interface Section {
  id: number;
  /** The section's content, a view of the module unless it was edited. */
  body: Uint8Array;
}

/** Takes a module apart; throws `ModuleRefusal` if it is not a core module with known, unique sections. */
export function readSections(module: Uint8Array): Section[] {
  if (module.length < 8) throw new ModuleRefusal('not a WebAssembly module');
  for (let i = 0; i < 4; i++) if (module[i] !== header[i]) throw new ModuleRefusal('not a WebAssembly module');
  for (let i = 4; i < 8; i++) {
    if (module[i] !== header[i]) throw new ModuleRefusal('not a core module of version 1');
  }
  const sections: Section[] = [];
  const seen = new Set<number>();
  const reader = new ModuleReader(module, 8);
  while (!reader.atEnd) {
    const id = reader.byte();
    const length = reader.u32();
    const start = reader.skip(length);
    if (id !== sectionId.custom) {
      if (!order.includes(id)) throw new ModuleRefusal(`unknown section ${id}`);
      if (seen.has(id)) throw new ModuleRefusal(`section ${id} appears twice`);
      seen.add(id);
    }
    sections.push({ id, body: module.subarray(start, start + length) });
  }
  return sections;
}

/** Puts sections together again. Inverse of `readSections`. */
export function writeModule(sections: readonly Section[]): Uint8Array {
  const parts: Uint8Array[] = [header];
  for (const { id, body } of sections) parts.push(Uint8Array.of(id), encodeU32(body.length), body);
  return Buffer.concat(parts);
}

export function findSection(sections: readonly Section[], id: number): Section | undefined {
  return sections.find((section) => section.id === id);
}

/** The sections without those of one kind: names and debug information (custom), or data when memory is restored. */
export function withoutSections(sections: readonly Section[], ...ids: number[]): Section[] {
  return sections.filter((section) => !ids.includes(section.id));
}

/** The sections with one added or exchanged, at its place in the prescribed order. */
export function withSection(sections: readonly Section[], section: Section): Section[] {
  const result = withoutSections(sections, section.id);
  const rank = order.indexOf(section.id);
  const next = result.findIndex(({ id }) => id !== sectionId.custom && order.indexOf(id) > rank);
  result.splice(next === -1 ? result.length : next, 0, section);
  return result;
}

/** Adds entries to a section that is one vector (imports, exports …), in front of or behind the present ones. */
export function withEntries(
  sections: readonly Section[],
  id: number,
  entries: readonly Uint8Array[],
  where: 'first' | 'last' = 'last',
): Section[] {
  const present = findSection(sections, id)?.body ?? encodeU32(0);
  const reader = new ModuleReader(present);
  const total = encodeU32(reader.u32() + entries.length);
  const rest = present.subarray(reader.position);
  const body = where === 'first' ? [total, ...entries, rest] : [total, rest, ...entries];
  return withSection(sections, { id, body: Buffer.concat(body) });
}
