import { pause } from './background';
import { blobKey, blobRange } from './keys';
import { blobs } from './rows';
import type { StoreParts } from './store-parts';
import { findDamage } from './verify-blob';

/**
 * Re-reads blobs one after another, at a bounded rate, and compares them with what was stored. A damaged one is moved
 * to `quarantine/` for the operator to look at, and its objects answer with an error instead of wrong bytes.
 */
export class Auditor {
  readonly #deps: StoreParts;
  readonly #bytesPerSecond: number;
  #lastKey: string = blobRange.gte;

  constructor(deps: StoreParts, bytesPerSecond: number) {
    this.#deps = deps;
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** Checks the next blob; false when it was the last one, then the next step begins from the front. */
  async step(signal: AbortSignal): Promise<boolean> {
    const { database, files } = this.#deps;
    const [next] = await database.level.iterator({ gt: this.#lastKey, lt: blobRange.lt, limit: 1 }).all();
    if (next === undefined) {
      this.#lastKey = blobRange.gte;
      return false;
    }
    const [key, stored] = next;
    const bodyId = key.slice(blobRange.gte.length);
    const row = blobs.decode(stored as never);
    if (!row.quarantined) {
      const unpin = files.pin(bodyId);
      try {
        const damage = await findDamage(files.pathOf(bodyId), row, {
          goOn: (readBytes) => this.#keepRate(readBytes, signal),
        });
        if (damage !== undefined) await this.#quarantine(bodyId, damage);
      } finally {
        unpin();
      }
    }
    if (!signal.aborted) this.#lastKey = key;
    return true;
  }

  async #keepRate(readBytes: number, signal: AbortSignal): Promise<boolean> {
    if (this.#bytesPerSecond === Number.POSITIVE_INFINITY) return !signal.aborted;
    return pause((readBytes / this.#bytesPerSecond) * 1000, signal);
  }

  async #quarantine(bodyId: string, reason: string): Promise<void> {
    const { commits, files, log } = this.#deps;
    const isStillUsed = await commits.commit((tx) => {
      const row = tx.find(blobs, blobKey(bodyId));
      if (row) tx.put(blobs, blobKey(bodyId), { ...row, quarantined: true });
      return row !== undefined;
    });
    if (!isStillUsed) return;
    await files.quarantine(bodyId);
    log({ bodyId, err: reason }, 'a damaged blob was moved to quarantine');
  }
}
