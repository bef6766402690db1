import { flushKey, unsyncedBlobKey, unsyncedBlobRange } from './keys';
import { marks } from './rows';
import type { StoreParts } from './store-parts';

/**
 * Makes durable, once a second, what was written to containers of the policy `relaxed`: first the blobs, then, with a row
 * that is written synced, everything in the log before it. Records may reach the disk before their blobs do (somebody else's
 * sync takes them along), so every such blob has a mark until it is synced, and `relaxed-recovery.ts` looks at those after a crash.
 */
export class RelaxedSync {
  readonly #parts: Omit<StoreParts, 'relaxed'>;
  readonly #intervalMs: number;
  #blobs = new Set<string>();
  /** Those that the flush under way is about. */
  #syncing: ReadonlySet<string> = new Set();
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> | undefined;
  #isDirty = false;
  #isClosed = false;

  constructor(parts: Omit<StoreParts, 'relaxed'>, intervalMs: number) {
    this.#parts = parts;
    this.#intervalMs = intervalMs;
  }

  /** A batch was written without being synced. */
  noteWrite(): void {
    this.#isDirty = true;
    this.#schedule();
  }

  /** A blob was stored without being synced; its mark is written. */
  addBlob(bodyId: string): void {
    this.#blobs.add(bodyId);
    this.noteWrite();
  }

  /** Adds the blobs that have marks. */
  async rememberBlobs(): Promise<void> {
    const keys = await this.#parts.database.level.keys(unsyncedBlobRange).all();
    for (const key of keys) this.addBlob(key.slice(unsyncedBlobRange.gte.length));
  }

  isUnsynced(bodyId: string): boolean {
    return this.#blobs.has(bodyId) || this.#syncing.has(bodyId);
  }

  /** Resolves when all that was written before is durable. */
  async flush(): Promise<void> {
    // One that runs may have begun before the write that is meant.
    await this.#flushing?.catch(() => {});
    this.#flushing ??= this.#flush().finally(() => {
      this.#flushing = undefined;
    });
    await this.#flushing;
  }

  /** The last flush; nothing is relaxed after it. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#flushing?.catch(() => {});
    if (this.#isDirty)
      await this.flush().catch((err) => this.#parts.log({ err }, 'what is relaxed could not be synced'));
  }

  async #flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const bodyIds = this.#blobs;
    this.#blobs = new Set();
    this.#syncing = bodyIds;
    this.#isDirty = false;
    try {
      await this.#parts.files.sync(bodyIds);
      await this.#parts.commits.commit((tx) => {
        for (const bodyId of bodyIds) tx.remove(marks, unsyncedBlobKey(bodyId));
        tx.put(marks, flushKey, '');
      });
    } catch (error) {
      for (const bodyId of bodyIds) this.#blobs.add(bodyId);
      this.noteWrite();
      throw error;
    } finally {
      this.#syncing = new Set();
    }
  }

  #schedule(): void {
    if (this.#timer || this.#isClosed) return;
    this.#timer = setTimeout(() => {
      this.flush().catch((err) => this.#parts.log({ err }, 'what is relaxed could not be synced; it is tried again'));
    }, this.#intervalMs);
  }
}
