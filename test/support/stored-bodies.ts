import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { OpenObject } from '@zerocloud/object-server/store/object-store';

/** Ids of the bodies that are files of a data directory, in order. */
export async function blobIds(dataDir: string): Promise<string[]> {
  const entries = await readdir(path.join(dataDir, 'blobs'), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
    .sort();
}

/** What the md5 of a body is, read to its last byte; a reader has to be closed by whoever opened it. */
export async function md5OfBody(opened: OpenObject): Promise<string> {
  const hash = createHash('md5');
  const body = await opened.read();
  for await (const chunk of ArrayBuffer.isView(body) ? [body] : body) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
