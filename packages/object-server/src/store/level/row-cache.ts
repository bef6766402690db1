/** What a cached row counts for besides its stored text: the decoded value, the key, the places in the maps. */
const overheadBytes = 400;

/**
 * Decoded rows that were read lately. Two generations: a row that is asked for again moves to the young one, and when
 * that is full it becomes the old one, whose rows are forgotten. So a hit costs one look-up and no bookkeeping.
 * Values are shared; nobody changes them in place.
 */
export class RowCache {
  readonly #generationBytes: number;
  #young = new Map<string, Entry>();
  #old = new Map<string, Entry>();
  #youngBytes = 0;

  constructor(maxBytes: number) {
    this.#generationBytes = maxBytes / 2;
  }

  get(key: string): unknown {
    const young = this.#young.get(key);
    if (young) return young.value;
    const old = this.#old.get(key);
    if (!old) return undefined;
    this.#old.delete(key);
    this.#add(key, old);
    return old.value;
  }

  /** `storedBytes`: length of the row as it is stored. */
  set(key: string, value: unknown, storedBytes: number): void {
    this.#add(key, { value, sizeBytes: storedBytes + overheadBytes });
  }

  /** Must be called for every row that was written. */
  forget(key: string): void {
    const young = this.#young.get(key);
    if (young) {
      this.#youngBytes -= young.sizeBytes;
      this.#young.delete(key);
    }
    this.#old.delete(key);
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
    this.#youngBytes = 0;
  }

  #add(key: string, entry: Entry): void {
    if (this.#youngBytes + entry.sizeBytes > this.#generationBytes) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngBytes = 0;
    }
    this.#young.set(key, entry);
    this.#youngBytes += entry.sizeBytes;
  }
}

interface Entry {
  value: unknown;
  sizeBytes: number;
}
