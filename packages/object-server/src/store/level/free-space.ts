import { statfs } from 'node:fs/promises';
import { StorageError } from '../../errors';

/** How long a measurement is believed. */
const maxAgeMs = 1000;

/**
 * Refuses bodies while there is still room to delete: LevelDB needs space for every write, so a disk that
 * uploads may fill to the last byte could not be emptied again through the store.
 */
export class FreeSpace {
  readonly #directory: string;
  readonly #reservedBytes: number;
  #freeBytes = 0;
  #measuredAt = Number.NEGATIVE_INFINITY;

  constructor(directory: string, reservedBytes: number) {
    this.#directory = directory;
    this.#reservedBytes = reservedBytes;
  }

  /** Rejects with `insufficientStorage`; undefined, without a turn of the event loop, while a fresh measurement says yes. */
  check(sizeBytes: number): Promise<void> | undefined {
    const isFresh = performance.now() - this.#measuredAt < maxAgeMs;
    return isFresh && this.#has(sizeBytes) ? undefined : this.#checkAnew(sizeBytes);
  }

  /** As `check`, for bytes of a body that are about to be written: they are gone from what was measured. */
  take(sizeBytes: number): Promise<void> | undefined {
    this.#freeBytes -= sizeBytes;
    return this.check(0);
  }

  async #checkAnew(sizeBytes: number): Promise<void> {
    const { bavail, bsize } = await statfs(this.#directory);
    this.#freeBytes = bavail * bsize;
    this.#measuredAt = performance.now();
    if (!this.#has(sizeBytes)) {
      throw new StorageError('insufficientStorage', 'There is not enough space to store this.');
    }
  }

  #has(sizeBytes: number): boolean {
    return this.#freeBytes - sizeBytes >= this.#reservedBytes;
  }
}
