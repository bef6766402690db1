/**
 * Pieces of SQLite's file format (https://www.sqlite.org/fileformat2.html): as much of it as a database needs that is
 * written once, front to back, with a single table whose rowids ascend.
 */

export const pageBytes = 4096;

/** Payload that fits into a leaf cell without overflow pages, and the least that stays there with them. */
const maxLocalBytes = pageBytes - 35;
const minLocalBytes = Math.floor(((pageBytes - 12) * 32) / 255) - 23;

/** Bytes of content in an overflow page; before them stands the number of the next one. */
export const overflowBytes = pageBytes - 4;

/** How much of a payload stays in its leaf. */
export function localBytesOf(payloadBytes: number): number {
  if (payloadBytes <= maxLocalBytes) return payloadBytes;
  const wanted = minLocalBytes + ((payloadBytes - minLocalBytes) % overflowBytes);
  return wanted <= maxLocalBytes ? wanted : minLocalBytes;
}

export type SqliteValue = string | number | null;

/** Big-endian groups of seven bits. Up to 2^53, which is eight groups. */
export function varint(value: number): Buffer {
  const bytes: number[] = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) bytes.unshift((rest % 128) + 128);
  return Buffer.from(bytes);
}

/** A row as a record: a header of types, then the values. */
export function encodeRecord(values: readonly SqliteValue[]): Buffer {
  const types: Buffer[] = [];
  const bodies: Buffer[] = [];
  for (const value of values) {
    if (value === null) {
      types.push(varint(0));
    } else if (typeof value === 'string') {
      const text = Buffer.from(value);
      types.push(varint(13 + 2 * text.length));
      bodies.push(text);
    } else if (value === 0 || value === 1) {
      types.push(varint(8 + value));
    } else {
      const integer = Buffer.alloc(8);
      integer.writeBigInt64BE(BigInt(value));
      types.push(varint(6));
      bodies.push(integer);
    }
  }
  const typeBytes = types.reduce((sum, { length }) => sum + length, 0);
  // The header's length counts itself.
  const headerBytes = typeBytes + 1 < 128 ? typeBytes + 1 : typeBytes + 2;
  return Buffer.concat([varint(headerBytes), ...types, ...bodies]);
}

const leafType = 0x0d;
const interiorType = 0x05;

/** A page of a table's b-tree being filled. `headOffset`: where its header is, behind the file's header on page 1. */
export class TreePage {
  readonly #cells: Buffer[] = [];
  #usedBytes: number;

  constructor(
    readonly isLeaf: boolean,
    readonly headOffset = 0,
  ) {
    this.#usedBytes = headOffset + (isLeaf ? 8 : 12);
  }

  fits(cell: Buffer): boolean {
    return this.#usedBytes + cell.length + 2 <= pageBytes;
  }

  add(cell: Buffer): void {
    this.#cells.push(cell);
    this.#usedBytes += cell.length + 2;
  }

  /** `rightMost`: the child behind the last cell, of an interior page. */
  encode(rightMost = 0): Buffer {
    const page = Buffer.alloc(pageBytes);
    const headBytes = this.isLeaf ? 8 : 12;
    let end = pageBytes;
    this.#cells.forEach((cell, index) => {
      end -= cell.length;
      cell.copy(page, end);
      page.writeUInt16BE(end, this.headOffset + headBytes + 2 * index);
    });
    page[this.headOffset] = this.isLeaf ? leafType : interiorType;
    page.writeUInt16BE(this.#cells.length, this.headOffset + 3);
    page.writeUInt16BE(end, this.headOffset + 5);
    if (!this.isLeaf) page.writeUInt32BE(rightMost, this.headOffset + 8);
    return page;
  }
}

/** Page 1: the file's header, and the one row of the schema. */
export function firstPage(table: { name: string; rootPage: number; sql: string }, pageCount: number): Buffer {
  const schema = new TreePage(true, 100);
  const record = encodeRecord(['table', table.name, table.name, table.rootPage, table.sql]);
  schema.add(Buffer.concat([varint(record.length), varint(1), record]));
  const page = schema.encode();
  page.write('SQLite format 3\0', 0, 'latin1');
  page.writeUInt16BE(pageBytes, 16);
  page.set([1, 1, 0, 64, 32, 32], 18);
  page.writeUInt32BE(1, 24);
  page.writeUInt32BE(pageCount, 28);
  page.writeUInt32BE(1, 40);
  page.writeUInt32BE(4, 44);
  page.writeUInt32BE(1, 56);
  page.writeUInt32BE(1, 92);
  page.writeUInt32BE(3_040_000, 96);
  return page;
}
