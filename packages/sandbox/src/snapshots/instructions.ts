import { type ModuleReader, ModuleRefusal } from '../module/reader';

/**
 * The length of every instruction of the wasm binary format (core, reference types, bulk memory, exceptions, SIMD), for
 * reading code without running it. Not a validator: that is the engine's part.
 */

/** Instructions behind a prefix byte have the number `prefix << 8 | number`. */
export const opcode = {
  end: 0x0b,
  tableSet: 0x26,
  memoryInit: 0xfc08,
  dataDrop: 0xfc09,
  tableInit: 0xfc0c,
  elemDrop: 0xfc0d,
  tableCopy: 0xfc0e,
  tableGrow: 0xfc0f,
  tableFill: 0xfc11,
} as const;

/** Immediates in order: `u` LEB128 number, `b` byte, `4`, `8` and `16` bytes as `f`, `d` and `q`, `t` branch table, `s` value types. */
const immediates: (string | undefined)[] = [];

function define(first: number, last: number, layout: string): void {
  for (let code = first; code <= last; code++) immediates[code] = layout;
}

define(0x00, 0x01, '');
define(0x02, 0x04, 'u');
define(0x05, 0x05, '');
define(0x06, 0x09, 'u');
define(0x0b, 0x0b, '');
define(0x0c, 0x0d, 'u');
define(0x0e, 0x0e, 't');
define(0x0f, 0x0f, '');
define(0x10, 0x10, 'u');
define(0x11, 0x11, 'uu');
define(0x12, 0x12, 'u');
define(0x13, 0x13, 'uu');
define(0x18, 0x18, 'u');
define(0x19, 0x1b, '');
define(0x1c, 0x1c, 's');
define(0x20, 0x26, 'u');
define(0x28, 0x3e, 'uu');
define(0x3f, 0x40, 'b');
define(0x41, 0x42, 'u');
define(0x43, 0x43, 'f');
define(0x44, 0x44, 'd');
define(0x45, 0xc4, '');
define(0xd0, 0xd0, 'u');
define(0xd1, 0xd1, '');
define(0xd2, 0xd2, 'u');

const bulk = ['', '', '', '', '', '', '', '', 'ub', 'u', 'bb', 'b', 'uu', 'u', 'uu', 'u', 'u', 'u'];

/** Steps over one instruction and returns its number. Throws `ModuleRefusal` for one that is not known. */
export function skipInstruction(reader: ModuleReader): number {
  const code = reader.byte();
  if (code === 0xfc || code === 0xfd) {
    const number = reader.u32();
    skipImmediates(reader, code === 0xfc ? bulk[number] : simdImmediates(number), code, number);
    return code * 256 + number;
  }
  skipImmediates(reader, immediates[code], code);
  return code;
}

function simdImmediates(number: number): string | undefined {
  if (number <= 11 || number === 92 || number === 93) return 'uu';
  if (number === 12 || number === 13) return 'q';
  if (number >= 21 && number <= 34) return 'b';
  if (number >= 84 && number <= 91) return 'uub';
  return number < 512 ? '' : undefined;
}

function skipImmediates(reader: ModuleReader, layout: string | undefined, code: number, number?: number): void {
  if (layout === undefined) {
    throw new ModuleRefusal(`unknown instruction 0x${code.toString(16)}${number === undefined ? '' : ` ${number}`}`);
  }
  for (let i = 0; i < layout.length; i++) skipImmediate(reader, layout.charCodeAt(i));
}

const layoutCodes = { u: 117, b: 98, f: 102, d: 100, q: 113, t: 116, s: 115 } as const;

function skipImmediate(reader: ModuleReader, kind: number): void {
  if (kind === layoutCodes.u) skipNumber(reader);
  else if (kind === layoutCodes.b) reader.skip(1);
  else if (kind === layoutCodes.f) reader.skip(4);
  else if (kind === layoutCodes.d) reader.skip(8);
  else if (kind === layoutCodes.q) reader.skip(16);
  else if (kind === layoutCodes.s) reader.skip(reader.u32());
  else for (let rest = reader.u32(); rest >= 0; rest--) skipNumber(reader);
}

/** LEB128 of any width and sign. */
function skipNumber(reader: ModuleReader): void {
  while (reader.byte() >= 0x80);
}
