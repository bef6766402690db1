import { Readable } from 'node:stream';

/** Reads a stream in pieces of given sizes, and hands out the rest of it as a row of streams. */
export class ByteReader {
  readonly #input: Readable;
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(input: Readable) {
    this.#input = input;
    this.#chunks = input[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  /** Exactly so many bytes; throws if the stream ends before. */
  async take(sizeBytes: number): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for (let missing = sizeBytes; missing > 0; ) {
      const piece = await this.#next(missing);
      pieces.push(piece);
      missing -= piece.length;
    }
    return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
  }

  /**
   * The rest of the stream as one stream per size, to be read or destroyed in order. A destroyed one is skipped when a
   * later one is read. When all have closed, the input is drained if it was read to its end, else destroyed.
   */
  split(sizes: number[]): Readable[] {
    const missing = [...sizes];
    const closed: Promise<void>[] = [];
    const streams = sizes.map((_, index) => {
      const stream = Readable.from(this.#part(missing, index, closed.slice()), { objectMode: false });
      closed.push(new Promise((resolve) => stream.once('close', resolve)));
      return stream;
    });
    Promise.all(closed)
      .then(async () => {
        if (missing.every((sizeBytes) => sizeBytes === 0)) {
          await this.#chunks.next();
        } else {
          this.#input.destroy();
        }
      })
      .catch(() => this.#input.destroy());
    return streams;
  }

  /** Bytes of one part after those before it have closed; `missing` counts what each part has not taken yet. */
  async *#part(missing: number[], index: number, before: Promise<void>[]): AsyncGenerator<Buffer> {
    await Promise.all(before);
    for (let part = 0; part <= index; part++) {
      while (missing[part]! > 0) {
        const piece = await this.#next(missing[part]!);
        missing[part]! -= piece.length;
        if (part === index) {
          yield piece;
        }
      }
    }
  }

  async #next(maxBytes: number): Promise<Buffer> {
    while (this.#rest.length === 0) {
      const { value, done } = await this.#chunks.next();
      if (done) {
        throw new Error('the storage node closed the connection within an answer');
      }
      this.#rest = value;
    }
    const piece = this.#rest.subarray(0, maxBytes);
    this.#rest = this.#rest.subarray(piece.length);
    return piece;
  }
}
