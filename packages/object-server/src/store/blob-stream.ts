import { close, read } from 'node:fs';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Bytes moved at a time. Larger pieces cost page faults, smaller ones system calls. */
export const pieceBytes = 256 * 1024;

/** Two pieces per transfer are in use: one is being read while the other one is being written. */
const spare: Buffer[] = [];
const maxSpare = 16;

export interface BlobStreamOptions {
  /** First and last byte, inclusive. */
  start: number;
  end: number;
  /** The error of a file that ends early. */
  damaged(): Error;
}

/**
 * Part of an open file as a stream; closes the file when it is destroyed or read to its end. Where the reader is a
 * socket, `sendTo` moves the bytes through two recycled buffers instead: fresh ones for every piece would make the
 * garbage collector the most expensive part of a large download.
 */
export class BlobStream extends Readable {
  readonly #fd: number;
  readonly #end: number;
  readonly #damaged: () => Error;
  #position: number;
  #isReading = false;
  #afterRead?: () => void;

  constructor(fd: number, { start, end, damaged }: BlobStreamOptions) {
    super({ highWaterMark: pieceBytes });
    this.#fd = fd;
    this.#position = start;
    this.#end = end;
    this.#damaged = damaged;
  }

  override _read(): void {
    const sizeBytes = Math.min(pieceBytes, this.#end + 1 - this.#position);
    if (sizeBytes <= 0) {
      this.push(null);
      return;
    }
    const piece = Buffer.allocUnsafeSlow(sizeBytes);
    this.#readNext(piece).then(
      (length) => this.push(length === sizeBytes ? piece : piece.subarray(0, length)),
      (error: Error) => this.destroy(error),
    );
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    // Not before the read that is under way: its number would be another file's by then.
    const finish = () => close(this.#fd, (closeError) => callback(error ?? closeError));
    if (this.#isReading) this.#afterRead = finish;
    else finish();
  }

  /**
   * Writes everything to a sink that copies what it is given before it calls back, as sockets do, and ends it. Rejects
   * when the file cannot be read or the sink closes early. The stream must not have been read from before.
   */
  async sendTo(sink: Writable): Promise<void> {
    const buffers = [
      spare.pop() ?? Buffer.allocUnsafeSlow(pieceBytes),
      spare.pop() ?? Buffer.allocUnsafeSlow(pieceBytes),
    ];
    const writer = new SinkWriter(sink);
    try {
      const writes: Promise<void>[] = [];
      for (let turn = 0; this.#position <= this.#end; turn = 1 - turn) {
        await writes[turn];
        const length = await this.#readNext(buffers[turn]!);
        writes[turn] = writer.write(buffers[turn]!.subarray(0, length));
      }
      await Promise.all(writes);
      sink.end();
      // After a failure a write may still hold them, so they are only kept when all went well.
      if (spare.length < maxSpare) spare.push(...buffers);
    } finally {
      writer.release();
      this.destroy();
    }
  }

  #readNext(target: Buffer): Promise<number> {
    return new Promise((resolve, reject) => {
      const length = Math.min(target.length, this.#end + 1 - this.#position);
      this.#isReading = true;
      read(this.#fd, target, 0, length, this.#position, (error, bytesRead) => {
        this.#isReading = false;
        this.#afterRead?.();
        if (error) return reject(error);
        if (bytesRead === 0) return reject(this.#damaged());
        this.#position += bytesRead;
        resolve(bytesRead);
      });
    });
  }
}

/** Writes that always settle: a response whose connection is gone may never call back. */
class SinkWriter {
  readonly #sink: Writable;
  #failure?: Error;
  #waiting = new Set<(error: Error) => void>();

  constructor(sink: Writable) {
    this.#sink = sink;
    sink.on('error', this.#onFailure);
    sink.on('close', this.#onFailure);
    if (sink.destroyed) this.#onFailure();
  }

  write(piece: Buffer): Promise<void> {
    const written = new Promise<void>((resolve, reject) => {
      if (this.#failure) return reject(this.#failure);
      this.#waiting.add(reject);
      this.#sink.write(piece, (error) => {
        this.#waiting.delete(reject);
        if (error) reject(error);
        else resolve();
      });
    });
    // It is awaited one piece later; until then its failure is nobody's surprise.
    written.catch(() => {});
    return written;
  }

  release(): void {
    this.#sink.off('close', this.#onFailure);
  }

  #onFailure = (error?: Error): void => {
    this.#failure ??= error ?? Object.assign(new Error('The reader is gone.'), { code: 'ERR_STREAM_PREMATURE_CLOSE' });
    for (const reject of this.#waiting) reject(this.#failure);
    this.#waiting.clear();
  };
}

/** Sends a body to a socket or response and ends it, by the fastest way there is. Rejects when either side fails. */
export function sendBody(body: Readable, sink: Writable): Promise<void> {
  return body instanceof BlobStream && !body.readableDidRead ? body.sendTo(sink) : pipeline(body, sink);
}
