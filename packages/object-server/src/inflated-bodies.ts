import { isStorageError, StorageError } from './errors';
import type { OpenStaged, Staging } from './staging';

interface Inflated {
  /** Resolves with the staged body. */
  staged: Promise<{ id: string; sizeBytes: number }>;
  sizeBytes: number;
  /** False while it is being inflated. */
  isThere: boolean;
}

/** Most bodies that are kept: small ones are in memory, and none is so small that it costs nothing. */
const maxBodies = 500;

/**
 * Gzipped images, inflated once for all sessions that mount them: by the identity of the stored body, of which there is no
 * other content ever. The least recently used ones go when all together have more than `maxBytes`; what sessions have open
 * stays readable for them.
 */
export class InflatedBodies {
  /** By identity, the least recently used first. */
  readonly #bodies = new Map<string, Inflated>();
  #heldBytes = 0;

  constructor(
    private readonly staging: Pick<Staging, 'stageBody' | 'releaseBody' | 'open'>,
    private readonly maxBytes: number,
  ) {}

  /**
   * The body of this identity, inflated; `chunks` are read when it is not there yet. `objectTooLarge` beyond `maxBytes`,
   * `badArchive` for damage.
   */
  async open(identity: string, chunks: () => AsyncIterable<Uint8Array>, maxBytes: number): Promise<OpenStaged> {
    const body = this.#find(identity) ?? this.#inflate(identity, chunks, maxBytes);
    const { id, sizeBytes } = await body.staged;
    if (sizeBytes > maxBytes) throw new StorageError('objectTooLarge', 'The body is too large.');
    try {
      return this.staging.open(id);
    } catch (error) {
      if (!isStorageError(error, 'stagedNotFound')) throw error;
      // Staged bodies do not live for ever.
      if (this.#bodies.get(identity) === body) this.#forget(identity, body);
      return this.open(identity, chunks, maxBytes);
    } finally {
      this.#makeRoom();
    }
  }

  #find(identity: string): Inflated | undefined {
    const body = this.#bodies.get(identity);
    if (!body) return undefined;
    this.#bodies.delete(identity);
    this.#bodies.set(identity, body);
    return body;
  }

  #inflate(identity: string, chunks: () => AsyncIterable<Uint8Array>, maxBytes: number): Inflated {
    const body: Inflated = {
      staged: this.staging.stageBody(chunks(), { maxBytes, inflate: true }),
      sizeBytes: 0,
      isThere: false,
    };
    this.#bodies.set(identity, body);
    body.staged.then(
      ({ sizeBytes }) => {
        body.sizeBytes = sizeBytes;
        body.isThere = true;
        this.#heldBytes += sizeBytes;
      },
      () => {
        if (this.#bodies.get(identity) === body) this.#bodies.delete(identity);
      },
    );
    return body;
  }

  #makeRoom(): void {
    for (const [identity, body] of this.#bodies) {
      if (this.#heldBytes <= this.maxBytes && this.#bodies.size <= maxBodies) return;
      if (body.isThere) this.#forget(identity, body);
    }
  }

  #forget(identity: string, body: Inflated): void {
    this.#bodies.delete(identity);
    this.#heldBytes -= body.sizeBytes;
    void body.staged.then(({ id }) => this.staging.releaseBody(id));
  }
}
