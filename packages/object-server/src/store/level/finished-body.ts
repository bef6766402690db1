import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { StorageError } from '../../errors';
import type { FinishedBody } from '../object-store';
import { toStorageError } from '../write-failure';
import { maxInlineBytes } from './blob-files';
import { type ReceivedBody, type ReceiveOptions, receiveBody } from './receive-body';

type FinishedBodyOptions = Pick<ReceiveOptions, 'mustSync' | 'stagingPath' | 'takeSpace'>;

/** Makes a session's output a body: bytes and small files are kept in memory, large files synced where they lie. */
export async function receiveFinishedBody(body: FinishedBody, options: FinishedBodyOptions): Promise<ReceivedBody> {
  const maxBytes = Number.POSITIVE_INFINITY;
  if (body.kind === 'bytes') {
    return receiveBody(once(body.data), { ...options, maxBytes, contentLength: body.data.byteLength });
  }
  let handle: FileHandle | undefined;
  try {
    handle = await open(body.path, 'r');
    const { size } = await handle.stat();
    if (size !== body.sizeBytes) throw new StorageError('bodyLengthMismatch', 'The output is not as long as stated.');
    if (size <= maxInlineBytes) {
      const small = await receiveBody(once(await handle.readFile()), { ...options, maxBytes });
      await unlink(body.path);
      return small;
    }
    const etag = body.md5 ?? (await md5OfFile(body.path));
    const isSynced = options.mustSync();
    if (isSynced) await handle.sync();
    return { kind: 'file', path: body.path, isSynced, sizeBytes: size, etag };
  } catch (error) {
    await unlink(body.path).catch(() => {});
    throw toStorageError(error);
  } finally {
    await handle?.close();
  }
}

async function* once(data: Uint8Array): AsyncGenerator<Uint8Array> {
  yield data;
}

async function md5OfFile(path: string): Promise<string> {
  const hash = createHash('md5');
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) hash.update(chunk);
  return hash.digest('hex');
}
