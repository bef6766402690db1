import { SandboxError } from '../errors';

export const blockBytes = 512;

/** One header block, fields as they stand. */
export interface TarHeader {
  name: string;
  mode: number;
  sizeBytes: number;
  /** Seconds since the epoch. */
  modifiedS: number;
  /** Type flag as a character; the old NUL is `0`. */
  type: string;
  linkName: string;
}

const utf8 = new TextDecoder();

export function badImage(message: string): SandboxError {
  return new SandboxError('bad-image', message);
}

/** Parses a header block (v7, ustar or GNU); undefined for the zero block that ends an archive. Throws `bad-image`. */
export function parseTarHeader(block: Uint8Array): TarHeader | undefined {
  if (block[0] === 0 && block.every((byte) => byte === 0)) return undefined;
  checkSum(block);
  const magic = text(block, 257, 6);
  const prefix = magic === 'ustar' ? text(block, 345, 155) : '';
  const name = text(block, 0, 100);
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    mode: number(block, 100, 8) & 0o7777,
    sizeBytes: number(block, 124, 12),
    modifiedS: number(block, 136, 12),
    type: block[156] === 0 ? '0' : String.fromCharCode(block[156]!),
    linkName: text(block, 157, 100),
  };
}

/** Text up to the first NUL. */
export function text(block: Uint8Array, offset: number, length: number): string {
  const field = block.subarray(offset, offset + length);
  const end = field.indexOf(0);
  return utf8.decode(end < 0 ? field : field.subarray(0, end));
}

/** The sum of all bytes with the sum's own field as blanks; some old writers added signed bytes. */
function checkSum(block: Uint8Array): void {
  let unsigned = 0;
  let signed = 0;
  for (let i = 0; i < blockBytes; i++) {
    const byte = i >= 148 && i < 156 ? 32 : block[i]!;
    unsigned += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  const expected = number(block, 148, 8);
  if (expected !== unsigned && expected !== signed) throw badImage('not a tar archive, or a damaged one');
}

/** Octal digits, or GNU's base-256 with the high bit set. */
function number(block: Uint8Array, offset: number, length: number): number {
  const first = block[offset]!;
  if (first === 0x80 || first === 0xff) {
    let value = first === 0xff ? -1 : 0;
    for (let i = 1; i < length; i++) value = value * 256 + block[offset + i]!;
    if (!Number.isSafeInteger(value)) throw badImage('a number in the tar archive is too large');
    return value;
  }
  const digits = text(block, offset, length).trim();
  if (digits === '') return 0;
  if (!/^[0-7]+$/.test(digits)) throw badImage('not a tar archive, or a damaged one');
  return Number.parseInt(digits, 8);
}

/** Records of a pax extended header: `<length> <key>=<value>\n`, lengths in bytes. Throws `bad-image`. */
export function parsePaxRecords(data: Uint8Array): Map<string, string> {
  const records = new Map<string, string>();
  let at = 0;
  while (at < data.length && data[at] !== 0) {
    const blank = data.indexOf(32, at);
    const digits = blank < 0 ? '' : utf8.decode(data.subarray(at, Math.min(blank, at + 10)));
    const length = /^[1-9][0-9]*$/.test(digits) ? Number(digits) : 0;
    const end = at + length;
    const equals = data.indexOf(61, blank);
    if (end > data.length || equals < 0 || equals >= end || data[end - 1] !== 10) {
      throw badImage('malformed pax header in the tar archive');
    }
    records.set(utf8.decode(data.subarray(blank + 1, equals)), utf8.decode(data.subarray(equals + 1, end - 1)));
    at = end;
  }
  return records;
}
