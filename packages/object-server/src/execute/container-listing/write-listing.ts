import { type FileHandle, open, unlink } from 'node:fs/promises';
import type { StopSignal } from '@zerocloud/sandbox';
import { StorageError } from '../../errors';
import type { ContainerPath, ObjectEntry, ObjectStore } from '../../store/object-store';
import { pageBytes } from './sqlite-pages';
import { SqliteTable } from './sqlite-table';

/** A container's listing as files: a SQLite database, and the same as lines of JSON. */
export interface ListingFiles {
  sqlite: { path: string; sizeBytes: number };
  json: { path: string; sizeBytes: number };
  /** Removes the files. */
  remove(): void;
}

export interface ListingOptions {
  stagingPath(): string;
  /** `inputTooLarge` beyond this, for either file. */
  maxBytes: number;
  signal?: StopSignal;
}

/** Objects looked up at once, and bytes gathered for one write. */
const entriesPerPage = 1000;
const bytesPerWrite = 256 * 1024;

const table = {
  name: 'object',
  sql:
    'CREATE TABLE object (ROWID INTEGER PRIMARY KEY, name TEXT, created_at TEXT, size INTEGER, content_type TEXT, ' +
    'etag TEXT, deleted INTEGER DEFAULT 0)',
};

/**
 * Writes the listing of a container, page by page: memory does not depend on the number of objects. Objects that come or
 * go meanwhile may be in it or not. `containerNotFound`, `inputTooLarge`.
 */
export async function writeListing(
  store: Pick<ObjectStore, 'listObjects'>,
  container: ContainerPath,
  options: ListingOptions,
): Promise<ListingFiles> {
  const sqlite = new StagedWriter(options, 2 * pageBytes);
  const json = new StagedWriter(options, 0);
  const remove = () => {
    sqlite.remove();
    json.remove();
  };
  try {
    await Promise.all([sqlite.open(), json.open()]);
    const rows = new SqliteTable(sqlite, table);
    for await (const { name, timestamp, sizeBytes, contentType, etag } of entriesOf(store, container, options)) {
      const row = { name, created_at: timestamp, size: sizeBytes, content_type: contentType, etag, deleted: 0 };
      const rowsWritten = rows.add([null, name, timestamp, sizeBytes, contentType, etag, 0]);
      const lineWritten = json.append(Buffer.from(`${JSON.stringify(row)}\n`));
      if (rowsWritten !== undefined || lineWritten !== undefined) await Promise.all([rowsWritten, lineWritten]);
    }
    const sqliteBytes = await rows.finish();
    await Promise.all([sqlite.close(), json.close()]);
    return {
      sqlite: { path: sqlite.path, sizeBytes: sqliteBytes },
      json: { path: json.path, sizeBytes: json.sizeBytes },
      remove,
    };
  } catch (error) {
    await Promise.allSettled([sqlite.close(), json.close()]);
    remove();
    throw error;
  }
}

async function* entriesOf(
  store: Pick<ObjectStore, 'listObjects'>,
  container: ContainerPath,
  { signal }: ListingOptions,
): AsyncGenerator<ObjectEntry> {
  let marker: string | undefined;
  for (;;) {
    signal?.throwIfAborted();
    const page = (await store.listObjects(container, { limit: entriesPerPage, marker })) as ObjectEntry[];
    yield* page;
    if (page.length < entriesPerPage) return;
    marker = page.at(-1)!.name;
  }
}

/** A file in the staging area that is written front to back, but for its start. */
class StagedWriter {
  readonly path: string;
  sizeBytes: number;
  readonly #maxBytes: number;
  #handle?: FileHandle;
  #gathered: Buffer[] = [];
  #gatheredBytes = 0;

  constructor({ stagingPath, maxBytes }: ListingOptions, startBytes: number) {
    this.path = stagingPath();
    this.sizeBytes = startBytes;
    this.#maxBytes = maxBytes;
  }

  async open(): Promise<void> {
    this.#handle = await open(this.path, 'wx', 0o600);
  }

  append(bytes: Buffer): void | Promise<void> {
    this.#gathered.push(bytes);
    this.#gatheredBytes += bytes.length;
    if (this.sizeBytes + this.#gatheredBytes > this.#maxBytes) {
      throw new StorageError('inputTooLarge', 'Data object too large');
    }
    return this.#gatheredBytes < bytesPerWrite ? undefined : this.#flush();
  }

  async writeStart(bytes: Buffer): Promise<void> {
    await this.#handle!.write(bytes, 0, bytes.length, 0);
  }

  async close(): Promise<void> {
    try {
      await this.#flush();
    } finally {
      await this.#handle?.close();
      this.#handle = undefined;
    }
  }

  /** What cannot be removed now goes at the next start. */
  remove(): void {
    unlink(this.path).catch(() => {});
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.concat(this.#gathered);
    this.#gathered = [];
    this.#gatheredBytes = 0;
    for (let at = 0; at < bytes.length; ) {
      const { bytesWritten } = await this.#handle!.write(bytes, at, bytes.length - at, this.sizeBytes);
      at += bytesWritten;
      this.sizeBytes += bytesWritten;
    }
  }
}
