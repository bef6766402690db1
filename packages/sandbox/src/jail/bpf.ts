/**
 * Classic BPF, as far as a seccomp filter needs it: loads from `struct seccomp_data`, comparisons with a constant, and
 * verdicts. Instructions are eight bytes (`struct sock_filter`), in the byte order of the machine, which is little-endian
 * on every architecture there is a filter for.
 */

/** Offsets in `struct seccomp_data`; arguments are 64 bits, of which the low half comes first. */
export const seccompData = { number: 0, architecture: 4, argument: (index: number) => 16 + 8 * index } as const;

export const verdict = {
  allow: 0x7fff_0000,
  killProcess: 0x8000_0000,
  /** The call fails with this error number and does nothing. */
  error: (errorNumber: number) => 0x0005_0000 | errorNumber,
} as const;

const opcode = { load: 0x20, jumpIfEqual: 0x15, jumpIfAtLeast: 0x35, and: 0x54, return: 0x06 } as const;

function instruction(code: number, ifTrue: number, ifFalse: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16LE(code, 0);
  bytes.writeUInt8(ifTrue, 2);
  bytes.writeUInt8(ifFalse, 3);
  bytes.writeUInt32LE(value >>> 0, 4);
  return bytes;
}

/** The accumulator becomes the 32-bit word at an offset of the data. */
export const load = (offset: number) => instruction(opcode.load, 0, 0, offset);

/** The accumulator keeps the bits of a mask. */
export const mask = (bits: number) => instruction(opcode.and, 0, 0, bits);

/** Skips instructions depending on the accumulator. */
export const ifEqual = (value: number, skipIfTrue: number, skipIfFalse: number) =>
  instruction(opcode.jumpIfEqual, skipIfTrue, skipIfFalse, value);

export const ifAtLeast = (value: number, skipIfTrue: number, skipIfFalse: number) =>
  instruction(opcode.jumpIfAtLeast, skipIfTrue, skipIfFalse, value);

/** Ends the filter. */
export const conclude = (result: number) => instruction(opcode.return, 0, 0, result);
