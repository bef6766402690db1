import { close, open, read } from 'node:fs';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { StorageError } from '../../errors';
import { BlobStream, pieceBytes } from '../blob-stream';
import type { ByteRange, ObjectRecord, OpenObject } from '../object-store';
import type { BlobFiles } from './blob-files';

// Not `FileHandle`s: their streams are half as fast.
const openFile = promisify(open);
const readFile = promisify(read);
const closeFile = promisify(close);

export function openInlineBody(record: ObjectRecord, data: Buffer): OpenObject {
  return {
    record,
    read: async (range) => (range ? data.subarray(range.start, range.end + 1) : data),
    close: () => {},
  };
}

/** The blob stays pinned until `close`; a stream that runs by then has the file open. */
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
    // Opened before anything is answered: a missing file is an error then, and not a body that breaks off.
    const unpin = this.#files.pin(this.record.bodyId);
    const fd = await openFile(this.path, 'r').catch(missing).finally(unpin);
    if (end - start >= pieceBytes) return new BlobStream(fd, { start, end, damaged });
    try {
      return await readWhole(fd, start, Math.max(0, end + 1 - start));
    } finally {
      await closeFile(fd);
    }
  }

  close(): void {
    this.#unpin();
  }
}

async function readWhole(fd: number, start: number, sizeBytes: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(sizeBytes);
  let filled = 0;
  while (filled < sizeBytes) {
    const { bytesRead } = await readFile(fd, buffer, filled, sizeBytes - filled, start + filled);
    if (bytesRead === 0) throw damaged();
    filled += bytesRead;
  }
  return buffer;
}

function missing(error: NodeJS.ErrnoException): never {
  throw error.code === 'ENOENT' ? damaged() : error;
}

export const damaged = () => new StorageError('unavailable', 'The stored data of this object are damaged.');
