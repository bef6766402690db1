import { S3Error } from '../errors';

/** Reads a stream of chunks as lines and counted bytes. Holds one chunk, and one line. */
export class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #chunk: Uint8Array = noBytes;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** A line without its end, `\r\n` or `\n`, as latin1; `undefined` at the end. `IncompleteBody` for one that is too long. */
  async readLine(maxBytes: number): Promise<string | undefined> {
    let line = '';
    while (await this.#fill()) {
      const end = this.#chunk.indexOf(newline);
      const part = end < 0 ? this.#chunk : this.#chunk.subarray(0, end);
      if (line.length + part.length > maxBytes) throw new S3Error('IncompleteBody');
      line += Buffer.from(part.buffer, part.byteOffset, part.byteLength).toString('latin1');
      this.#chunk = end < 0 ? noBytes : this.#chunk.subarray(end + 1);
      if (end >= 0) return line.endsWith('\r') ? line.slice(0, -1) : line;
    }
    return line === '' ? undefined : line;
  }

  /** Exactly so many bytes, piece by piece. `IncompleteBody` if there are fewer. */
  async *readBytes(count: number): AsyncGenerator<Uint8Array> {
    let left = count;
    while (left > 0) {
      if (!(await this.#fill())) throw new S3Error('IncompleteBody');
      const piece = this.#chunk.subarray(0, left);
      this.#chunk = this.#chunk.subarray(piece.length);
      left -= piece.length;
      yield piece;
    }
  }

  /** Tells the source that nobody reads on. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }

  async #fill(): Promise<boolean> {
    while (this.#chunk.length === 0) {
      const next = await this.#source.next();
      if (next.done) return false;
      this.#chunk = next.value;
    }
    return true;
  }
}

const newline = 0x0a;
const noBytes = new Uint8Array(0);
