import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import type { ByteRange, ObjectRecord, OpenObject } from '../object-store';
import type { BlobFiles } from './blob-files';

/** Reads up to this size come as one Buffer, longer ones as a stream in pieces of this size. */
const pieceBytes = 256 * 1024;

export function openInlineBody(record: ObjectRecord, data: Buffer): OpenObject {
  return {
    record,
    read: async (range) => (range ? data.subarray(range.start, range.end + 1) : data),
    close: () => {},
  };
}

/** The blob stays pinned until `close`, and each stream keeps a pin of its own until it ends. */
export class OpenBlob implements OpenObject {
  readonly record: ObjectRecord;
  readonly path: string;
  readonly #files: BlobFiles;
  readonly #unpin: () => void;

  constructor(record: ObjectRecord, files: BlobFiles) {
    this.record = record;
    this.path = files.pathOf(record.bodyId);
    this.#files = files;
    this.#unpin = files.pin(record.bodyId);
  }

  async read(range?: ByteRange): Promise<Buffer | Readable> {
    const start = range?.start ?? 0;
    const end = Math.min(range?.end ?? Number.POSITIVE_INFINITY, this.record.sizeBytes - 1);
    const unpin = this.#files.pin(this.record.bodyId);
    if (end - start < pieceBytes) return this.#readWhole(start, end + 1 - start).finally(unpin);
    const stream = createReadStream(this.path, { start, end, highWaterMark: pieceBytes });
    stream.once('close', unpin);
    return stream;
  }

  close(): void {
    this.#unpin();
  }

  async #readWhole(start: number, sizeBytes: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafe(Math.max(0, sizeBytes));
    const handle = await open(this.path, 'r');
    try {
      let filled = 0;
      while (filled < buffer.length) {
        const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, start + filled);
        if (bytesRead === 0) throw new Error(`blob ${this.record.bodyId} is shorter than its record says`);
        filled += bytesRead;
      }
    } finally {
      await handle.close();
    }
    return buffer;
  }
}
