import {
  encodeRecord,
  firstPage,
  localBytesOf,
  overflowBytes,
  pageBytes,
  type SqliteValue,
  TreePage,
  varint,
} from './sqlite-pages';

/** Where the bytes of the database go. */
export interface PageSink {
  /** Pages that follow one another. */
  append(pages: Buffer): void | Promise<void>;
  /** The first pages, which are known last. */
  writeStart(pages: Buffer): Promise<void>;
}

/** The root of the table; its number is written on page 1, and no other page moves there. */
const rootPage = 2;

/** A level of inner pages, from the bottom up. `last` is held back: it may become the right-most child. */
interface Level {
  page: TreePage;
  last?: { child: number; key: number };
}

/**
 * Writes a SQLite database with one table, row by row in ascending rowid. Pages are final when they are written, so what
 * is held is one page for each level of the tree, however many rows there are.
 */
export class SqliteTable {
  readonly #sink: PageSink;
  readonly #table: { name: string; sql: string };
  #leaf = new TreePage(true);
  readonly #levels: Level[] = [];
  #pageCount = rootPage;
  #rowid = 0;

  constructor(sink: PageSink, table: { name: string; sql: string }) {
    this.#sink = sink;
    this.#table = table;
  }

  /** Values by column. What it returns is back-pressure. */
  add(values: readonly SqliteValue[]): void | Promise<void> {
    const pages: Buffer[] = [];
    const payload = encodeRecord(values);
    const localBytes = localBytesOf(payload.length);
    const rowid = this.#rowid + 1;
    const head = [varint(payload.length), varint(rowid), payload.subarray(0, localBytes)];
    if (localBytes < payload.length) {
      const number = Buffer.alloc(4);
      number.writeUInt32BE(this.#pageCount + 1);
      head.push(number);
      this.#appendOverflow(payload.subarray(localBytes), pages);
    }
    const cell = Buffer.concat(head);
    if (!this.#leaf.fits(cell)) {
      this.#addChild(0, this.#append(this.#leaf.encode(), pages), this.#rowid, pages);
      this.#leaf = new TreePage(true);
    }
    this.#leaf.add(cell);
    this.#rowid = rowid;
    return pages.length > 0 ? this.#sink.append(Buffer.concat(pages)) : undefined;
  }

  /** Writes what is left, the first pages last. Resolves with the size of the database. */
  async finish(): Promise<number> {
    const pages: Buffer[] = [];
    let top = this.#leaf.encode();
    for (let level = 0; level < this.#levels.length; level++) {
      this.#addChild(level, this.#append(top, pages), this.#rowid, pages);
      const { page, last } = this.#levels[level]!;
      top = page.encode(last!.child);
    }
    await this.#sink.append(Buffer.concat(pages));
    const first = firstPage({ ...this.#table, rootPage }, this.#pageCount);
    await this.#sink.writeStart(Buffer.concat([first, top]));
    return this.#pageCount * pageBytes;
  }

  #append(page: Buffer, pages: Buffer[]): number {
    pages.push(page);
    return ++this.#pageCount;
  }

  #appendOverflow(rest: Buffer, pages: Buffer[]): void {
    for (let at = 0; at < rest.length; at += overflowBytes) {
      const page = Buffer.alloc(pageBytes);
      const isLast = at + overflowBytes >= rest.length;
      page.writeUInt32BE(isLast ? 0 : this.#pageCount + 2);
      rest.copy(page, 4, at, at + overflowBytes);
      this.#append(page, pages);
    }
  }

  /** Adds a finished page to the level above it; `key` is its last rowid. */
  #addChild(index: number, child: number, key: number, pages: Buffer[]): void {
    const level = this.#levels[index] ?? { page: new TreePage(false) };
    this.#levels[index] = level;
    const { last } = level;
    level.last = { child, key };
    if (!last) return;
    const number = Buffer.alloc(4);
    number.writeUInt32BE(last.child);
    const cell = Buffer.concat([number, varint(last.key)]);
    if (level.page.fits(cell)) {
      level.page.add(cell);
      return;
    }
    // The page ends with the child that was held back; the new one begins another page.
    const page = this.#append(level.page.encode(last.child), pages);
    level.page = new TreePage(false);
    this.#addChild(index + 1, page, last.key, pages);
  }
}
