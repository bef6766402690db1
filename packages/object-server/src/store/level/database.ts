import path from 'node:path';
import { Level } from 'level';
import { FreeSpace } from './free-space';
import type { CommitTarget, Write } from './group-commit';
import { formatKey } from './keys';
import { syncLogs } from './log-sync';
import { RowCache } from './row-cache';
import type { Table } from './rows';

/** Written into every new store; a store of another version is not opened. */
const formatVersion = 1;

const writeBufferBytes = 16 * 1024 * 1024;
const rowCacheBytes = 16 * 1024 * 1024;

const asBytes = { valueEncoding: 'buffer' } as const;

/** LevelDB, opened only if what it holds is a store of this format; can be closed and opened again after an error. */
export class Database implements CommitTarget {
  readonly #directory: string;
  readonly #sync: boolean;
  readonly #recoverySpace: FreeSpace;
  readonly #cache = new RowCache(rowCacheBytes);
  #level: Level<string, string>;
  /** Something was written since the last synced write. */
  #hasUnsynced = false;

  private constructor(directory: string, sync: boolean) {
    this.#directory = directory;
    this.#sync = sync;
    // Recovery writes the log's rows to a table. On a disk too full for that the old instance still answers reads.
    this.#recoverySpace = new FreeSpace(directory, 2 * writeBufferBytes);
    this.#level = makeLevel(directory);
  }

  static async open(dataDir: string, options: { sync: boolean }): Promise<Database> {
    const database = new Database(path.join(dataDir, 'db'), options.sync);
    await database.#open(dataDir);
    try {
      await database.#checkFormat(dataDir);
    } catch (error) {
      await database.close();
      throw error;
    }
    return database;
  }

  /** False while it is being recovered, and after a recovery that failed. */
  get isOpen(): boolean {
    return this.#level.status === 'open';
  }

  /** For range scans. */
  get level(): Level<string, string> {
    return this.#level;
  }

  read(key: string, binary: boolean): string | Buffer | undefined {
    return binary ? this.#level.getSync<string, Buffer>(key, asBytes) : this.#level.getSync(key);
  }

  /** The committed value of a row. It is shared: nobody changes it in place. */
  find<V>(table: Table<V>, key: string): V | undefined {
    const cached = this.#cache.get(key);
    if (cached !== undefined) return cached as V;
    const stored = this.read(key, table.binary);
    if (stored === undefined) return undefined;
    const value = table.decode(stored as never);
    this.#cache.set(key, value, stored.length);
    return value;
  }

  /** The next `find` of this row sees what is stored by then, also if a batch is still to be reported as written. */
  forget(key: string): void {
    this.#cache.forget(key);
  }

  async write(rows: ReadonlyMap<string, Write>, { sync }: { sync: boolean }): Promise<void> {
    // This write may be the first of a new log, and must not become durable before what it was based on.
    if (sync && this.#sync && this.#hasUnsynced) await syncLogs(this.#directory);
    this.#hasUnsynced = !sync;
    // Half the cost of an array of operations, each of which would be copied on its way.
    const batch = this.#level.batch();
    for (const [key, { value, table }] of rows) {
      if (value === undefined) batch.del(key);
      else if (table.binary) batch.put<string, Buffer>(key, value as Buffer, asBytes);
      else batch.put(key, table.encode(value) as string);
    }
    await batch.write({ sync: sync && this.#sync });
    for (const key of rows.keys()) this.#cache.forget(key);
  }

  /**
   * LevelDB refuses all writes after a failed sync, and after a failed append its log may end in half a record that
   * would hide later ones from recovery. A fresh start recovers what is whole and begins a new log.
   */
  async recover(): Promise<void> {
    await this.#recoverySpace.check(0);
    await this.#level.close();
    this.#level = makeLevel(this.#directory);
    await this.#level.open();
    // Opening moved all there was in the logs to tables.
    this.#hasUnsynced = false;
    this.#cache.clear();
  }

  close(): Promise<void> {
    return this.#level.close();
  }

  async #open(dataDir: string): Promise<void> {
    try {
      await this.#level.open();
    } catch (error) {
      const cause = (error as Error).cause as { code?: string; message?: string } | undefined;
      if (cause?.code === 'LEVEL_LOCKED') {
        throw new Error(`The data directory ${dataDir} is in use by another process.`, { cause: error });
      }
      throw new Error(`The database in ${dataDir} cannot be opened: ${cause?.message ?? error}`, { cause: error });
    }
  }

  async #checkFormat(dataDir: string): Promise<void> {
    const found = this.read(formatKey, false);
    if (found === undefined) {
      const [first] = await this.#level.keys({ limit: 1 }).all();
      if (first !== undefined) throw new Error(`The database in ${dataDir} is not a Zerocloud store.`);
      await this.#level.put(formatKey, String(formatVersion), { sync: this.#sync });
    } else if (found !== String(formatVersion)) {
      throw new Error(
        `The store in ${dataDir} has format ${found}; this program reads format ${formatVersion}. Use the version that wrote it.`,
      );
    }
  }
}

function makeLevel(directory: string): Level<string, string> {
  return new Level(directory, { cacheSize: 32 * 1024 * 1024, writeBufferSize: writeBufferBytes });
}
