import { StorageError } from '../../errors';
import { toStorageError } from '../write-failure';
import type { Table } from './rows';

/** One row of a batch; `value` undefined removes the key. */
export interface Write {
  value: unknown;
  table: Table<unknown>;
}

/** Where batches go to and where committed rows come from. */
export interface CommitTarget {
  find<V>(table: Table<V>, key: string): V | undefined;
  /** Resolves when the rows are visible and, with `sync`, durable. */
  write(rows: ReadonlyMap<string, Write>, options: { sync: boolean }): Promise<void>;
  /** After a failed write: makes `find` and `write` work again, on what is really stored. */
  recover(): Promise<void>;
}

interface Waiter {
  settle(): void;
  fail(error: Error): void;
}

class Batch {
  readonly rows = new Map<string, Write>();
  readonly waiters: Waiter[] = [];
  readonly hooks: (() => void)[] = [];
  readonly durableHooks: (() => void)[] = [];
  /** Something in it must be durable before it is acknowledged. */
  mustSync = false;
}

/** What a transaction function sees: the newest state, its own writes first. */
export class Transaction {
  readonly #read: <V>(table: Table<V>, key: string) => V | undefined;
  readonly rows = new Map<string, Write>();
  readonly hooks: (() => void)[] = [];
  readonly durableHooks: (() => void)[] = [];
  /** True if it need not be durable when it is acknowledged: all it changes is of the policy `relaxed`. */
  isRelaxed = false;

  constructor(read: <V>(table: Table<V>, key: string) => V | undefined) {
    this.#read = read;
  }

  /** Bound, so that it can be passed on. */
  readonly find = <V>(table: Table<V>, key: string): V | undefined => {
    const own = this.rows.get(key);
    return own === undefined ? this.#read(table, key) : (own.value as V | undefined);
  };

  put<V>(table: Table<V>, key: string, value: V): void {
    this.rows.set(key, { value, table });
  }

  remove<V>(table: Table<V>, key: string): void {
    this.rows.set(key, { value: undefined, table });
  }

  /** Runs once the transaction is visible; not at all if it fails. */
  afterCommit(hook: () => void): void {
    this.hooks.push(hook);
  }

  /** Runs once the transaction is durable, which for a relaxed one is later: for what no crash may find done before. */
  afterSync(hook: () => void): void {
    this.durableHooks.push(hook);
  }
}

/**
 * Serialisable transactions that share their syncs. A transaction is a synchronous function; it runs at once, on
 * the rows waiting to be written over those being written over those stored, so transactions follow one another in
 * the order of `commit` and a hot counter is encoded once a batch. While one batch is being synced the next one
 * collects. A promise resolves when its batch is durable; a refusal, too, is answered only when what it was based
 * on is. A batch of relaxed transactions only is not synced. If a batch fails, so do the transactions that saw its rows, and the next ones start from what is stored.
 */
export class GroupCommit {
  readonly #target: CommitTarget;
  readonly #onRelaxedBatch: () => void;
  #pending = new Batch();
  #inFlight: Batch | undefined;
  /** What waits for the next sync, of batches that were not synced. */
  #durableHooks: (() => void)[] = [];
  #running: Promise<void> | undefined;
  #recovering: Promise<void> | undefined;
  #needsRecovery = false;
  #closed = false;

  constructor(target: CommitTarget, onRelaxedBatch: () => void = () => {}) {
    this.#target = target;
    this.#onRelaxedBatch = onRelaxedBatch;
  }

  /** The newest state, not yet durable perhaps: good for refusing early, never for answering. */
  readonly peek = <V>(table: Table<V>, key: string): V | undefined => {
    const write = this.#pending.rows.get(key) ?? this.#inFlight?.rows.get(key);
    if (write !== undefined) return write.value as V | undefined;
    return this.#target.find(table, key);
  };

  async commit<T>(run: (tx: Transaction) => T): Promise<T> {
    while (this.#needsRecovery && !this.#closed) await this.#recover();
    if (this.#closed) throw new StorageError('unavailable', 'The store is closed.');
    const tx = new Transaction(this.peek);
    let result: T;
    try {
      result = run(tx);
    } catch (refusal) {
      await this.#joinBatch();
      throw refusal;
    }
    for (const [key, write] of tx.rows) this.#pending.rows.set(key, write);
    for (const hook of tx.hooks) this.#pending.hooks.push(hook);
    for (const hook of tx.durableHooks) this.#pending.durableHooks.push(hook);
    if (!tx.isRelaxed) this.#pending.mustSync = true;
    await this.#joinBatch();
    return result;
  }

  /** Resolves with everything committed so far settled; later commits are refused. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
    await this.#recovering?.catch(() => {});
  }

  /** Waits for all that this transaction may have seen or written; at once, if everything is stored already. */
  #joinBatch(): Promise<void> | undefined {
    const batch = this.#pending.rows.size > 0 ? this.#pending : (this.#inFlight ?? this.#pending);
    if (batch.rows.size === 0) return undefined;
    const durable = new Promise<void>((settle, fail) => batch.waiters.push({ settle, fail }));
    this.#running ??= this.#run();
    return durable;
  }

  async #run(): Promise<void> {
    // Everything that arrives in this turn of the event loop shares the first sync.
    await new Promise(setImmediate);
    while (this.#pending.rows.size > 0) {
      const batch = this.#pending;
      this.#inFlight = batch;
      this.#pending = new Batch();
      try {
        await this.#target.write(batch.rows, { sync: batch.mustSync });
      } catch (error) {
        this.#fail(batch, error);
        break;
      }
      this.#inFlight = undefined;
      if (!batch.mustSync) this.#onRelaxedBatch();
      for (const hook of batch.hooks) hook();
      this.#runDurableHooks(batch);
      for (const waiter of batch.waiters) waiter.settle();
    }
    this.#running = undefined;
  }

  /** A sync takes along what was written before it. */
  #runDurableHooks({ mustSync, durableHooks }: Batch): void {
    for (const hook of durableHooks) this.#durableHooks.push(hook);
    if (!mustSync || this.#durableHooks.length === 0) return;
    const hooks = this.#durableHooks;
    this.#durableHooks = [];
    for (const hook of hooks) hook();
  }

  #fail(batch: Batch, error: unknown): void {
    const dependants = this.#pending;
    this.#inFlight = undefined;
    this.#pending = new Batch();
    this.#needsRecovery = true;
    const failure = toStorageError(error);
    for (const waiter of [...batch.waiters, ...dependants.waiters]) waiter.fail(failure);
    // The next commit tries again if this fails, and answers why.
    this.#recover().catch(() => {});
  }

  #recover(): Promise<void> {
    this.#recovering ??= this.#target
      .recover()
      .then(() => {
        this.#needsRecovery = false;
      })
      .catch((error) => {
        throw toStorageError(error);
      })
      .finally(() => {
        this.#recovering = undefined;
      });
    return this.#recovering;
  }
}
