import { hash } from 'node:crypto';
import { isStorageError, StorageError } from '../../errors';
import type { PutObjectOptions } from '../object-store';
import { toStorageError } from '../write-failure';
import { maxInlineBytes } from './blob-files';
import { StagedFile } from './staged-file';

/** A body that has arrived whole: in memory, or as a file in the staging area. */
export type ReceivedBody = { sizeBytes: number; etag: string } & (
  | { kind: 'inline'; data: Buffer }
  | { kind: 'file'; path: string; isSynced: boolean }
);

export type ReceiveOptions = Pick<PutObjectOptions, 'contentLength' | 'maxBytes' | 'etag'> & {
  /** Whether the body must be durable before it is anybody's; asked when it has arrived. */
  mustSync(): boolean;
  stagingPath(): string;
  /** Called before bytes are written to a file; rejects when the disk has no room for them. */
  takeSpace(sizeBytes: number): Promise<void> | undefined;
};

/**
 * Reads the body to its end. Small ones are kept in memory, and moved to a file once they outgrow that; the memory
 * held does not depend on the size. Refuses as `PutObjectOptions` says, and then leaves nothing behind.
 */
export async function receiveBody(body: AsyncIterable<Uint8Array>, options: ReceiveOptions): Promise<ReceivedBody> {
  const { contentLength, maxBytes } = options;
  if (contentLength !== undefined && contentLength > maxBytes) throw tooLarge(maxBytes);
  const upload: Upload = { chunks: [], sizeBytes: 0, file: undefined };
  try {
    if (contentLength !== undefined && contentLength > maxInlineBytes) {
      upload.file = await StagedFile.create(options.stagingPath());
    }
    await readAll(body, upload, options);
    if (contentLength !== undefined && upload.sizeBytes < contentLength) throw lengthMismatch();
    const received = await finish(upload, options);
    if (options.etag !== undefined && options.etag.toLowerCase() !== received.etag) {
      throw new StorageError('etagMismatch', 'The body does not have the announced md5.');
    }
    return received;
  } catch (error) {
    await upload.file?.discard();
    throw toStorageError(error);
  }
}

interface Upload {
  chunks: Uint8Array[];
  sizeBytes: number;
  file: StagedFile | undefined;
}

async function readAll(body: AsyncIterable<Uint8Array>, upload: Upload, options: ReceiveOptions): Promise<void> {
  const { contentLength = Number.POSITIVE_INFINITY, maxBytes } = options;
  const iterator = body[Symbol.asyncIterator]();
  let isEnded = false;
  try {
    for (;;) {
      // Not `for await`: a sender that breaks off must be told from a disk that fails.
      const { done, value: chunk } = await iterator.next().catch((error) => {
        isEnded = true;
        return brokenOff(error);
      });
      if (done) {
        isEnded = true;
        return;
      }
      upload.sizeBytes += chunk.byteLength;
      if (upload.sizeBytes > maxBytes) throw tooLarge(maxBytes);
      if (upload.sizeBytes > contentLength) throw lengthMismatch();
      const room = upload.file && options.takeSpace(chunk.byteLength);
      if (room !== undefined) await room;
      const pressure = upload.file ? upload.file.append(chunk) : gather(chunk, upload, options);
      if (pressure !== undefined) await pressure;
    }
  } finally {
    if (!isEnded) await iterator.return?.();
  }
}

/** Keeps the chunk in memory, or moves all there is to a file. */
function gather(chunk: Uint8Array, upload: Upload, options: ReceiveOptions): Promise<void> | undefined {
  upload.chunks.push(chunk);
  return upload.sizeBytes <= maxInlineBytes ? undefined : moveToFile(upload, options);
}

async function moveToFile(upload: Upload, options: ReceiveOptions): Promise<void> {
  upload.file = await StagedFile.create(options.stagingPath());
  for (const chunk of upload.chunks) await upload.file.append(chunk);
  upload.chunks = [];
}

function brokenOff(cause: unknown): never {
  if (isStorageError(cause)) throw cause;
  throw new StorageError('bodyAborted', 'The body broke off before its end.', { cause });
}

async function finish({ chunks, sizeBytes, file }: Upload, { mustSync }: ReceiveOptions): Promise<ReceivedBody> {
  if (file) {
    const sync = mustSync();
    const etag = await file.finish({ sync });
    return { kind: 'file', path: file.path, isSynced: sync, sizeBytes, etag };
  }
  const data = joined(chunks);
  return { kind: 'inline', data, sizeBytes, etag: hash('md5', data) };
}

function joined(chunks: Uint8Array[]): Buffer {
  const [only] = chunks;
  if (chunks.length === 1 && only) return Buffer.from(only.buffer, only.byteOffset, only.byteLength);
  return Buffer.concat(chunks);
}

const tooLarge = (maxBytes: number) =>
  new StorageError('objectTooLarge', `An object may have at most ${maxBytes} bytes.`);
const lengthMismatch = () => new StorageError('bodyLengthMismatch', 'The body is not as long as announced.');
