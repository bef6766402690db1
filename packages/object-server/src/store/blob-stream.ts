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

  /** Writes everything to a sink and ends it, see `sendBodies`. The stream must not have been read from before. */
  sendTo(sink: Writable): Promise<void> {
    return sendBodies([this], sink);
  }

  /** Hands everything to a sender, which others use before and after. The stream must not have been read from before. */
  async sendPieces(sender: PieceSender): Promise<void> {
    try {
      while (this.#position <= this.#end) {
        const buffer = await sender.freeBuffer();
        sender.sendFilled(buffer, await this.#readNext(buffer));
      }
    } finally {
      this.destroy();
    }
  }

  #readNext(target: Buffer): Promise<number> {
    // The number of a closed file is another's by now, and so would be the bytes.
    if (this.destroyed) return Promise.reject(this.errored ?? readerIsGone());
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

function readerIsGone(): Error {
  return Object.assign(new Error('The reader is gone.'), { code: 'ERR_STREAM_PREMATURE_CLOSE' });
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

  write(piece: Uint8Array): Promise<void> {
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
    this.#failure ??= error ?? readerIsGone();
    for (const reject of this.#waiting) reject(this.#failure);
    this.#waiting.clear();
  };
}

/** Two buffers that take turns: one is being filled while the other one is being written. */
class PieceSender {
  readonly #writer: SinkWriter;
  readonly #buffers: Buffer[] = [];
  readonly #writes: Promise<void>[] = [];
  #turn = 0;

  constructor(writer: SinkWriter) {
    this.#writer = writer;
  }

  async freeBuffer(): Promise<Buffer> {
    await this.#writes[this.#turn];
    this.#buffers[this.#turn] ??= spare.pop() ?? Buffer.allocUnsafeSlow(pieceBytes);
    return this.#buffers[this.#turn]!;
  }

  sendFilled(buffer: Buffer, length: number): void {
    this.#write(buffer.subarray(0, length));
  }

  /** Sends bytes that belong to somebody else, as soon as no more than one piece is on its way. */
  async send(bytes: Uint8Array): Promise<void> {
    await this.#writes[this.#turn];
    this.#write(bytes);
  }

  /** What is on its way has arrived, or never will. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#writes);
  }

  /** All has been written; the buffers may serve the next one. (After a failure a write may still hold them.) */
  async done(): Promise<void> {
    await Promise.all(this.#writes);
    for (const buffer of this.#buffers) if (buffer && spare.length < maxSpare) spare.push(buffer);
  }

  #write(bytes: Uint8Array): void {
    this.#writes[this.#turn] = this.#writer.write(bytes);
    this.#turn = 1 - this.#turn;
  }
}

/**
 * Writes one body after the other to a sink that copies what it is given before it calls back, as sockets do, and ends
 * it. Rejects when a body cannot be read (after what was read before has been written) or the sink closes early; the
 * iterator is returned then.
 */
export async function sendBodies(
  bodies: AsyncIterable<Buffer | Readable> | Iterable<Buffer | Readable>,
  sink: Writable,
): Promise<void> {
  const writer = new SinkWriter(sink);
  const sender = new PieceSender(writer);
  try {
    for await (const body of bodies) {
      if (body instanceof BlobStream && !body.readableDidRead) await body.sendPieces(sender);
      else if (Buffer.isBuffer(body)) await sender.send(body);
      else for await (const chunk of body) await sender.send(chunk);
    }
    await sender.done();
    sink.end();
  } catch (error) {
    await sender.settled();
    throw error;
  } finally {
    writer.release();
  }
}

/** A stream that knows a faster way into a sink than being read. */
export interface DirectSource extends Readable {
  sendTo(sink: Writable): Promise<void>;
}

function isDirectSource(body: Readable): body is DirectSource {
  return 'sendTo' in body;
}

/** Sends a body to a socket or response and ends it, by the fastest way there is. Rejects when either side fails. */
export function sendBody(body: Readable, sink: Writable): Promise<void> {
  return isDirectSource(body) && !body.readableDidRead ? body.sendTo(sink) : pipeline(body, sink);
}
