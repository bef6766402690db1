import { randomBytes } from 'node:crypto';
import { isStorageError, type ObjectStore } from '@zerocloud/object-server';
import { formatTimestamp } from '../http/timestamp';
import { readWholeBody } from '../http/whole-body';

/**
 * The key that signs tokens lives in the store, so that tokens outlive a restart and every proxy of a store accepts
 * them. Its account has no reseller prefix: no request can name it, not even a reseller admin's.
 */
const secretPath = { account: '.zerocloud', container: 'secrets', object: 'token-key' };
const secretBytes = 32;

/** Reads the key, or makes it the first time; of several proxies that start at once, one wins. */
export async function loadTokenSecret(store: ObjectStore, nowMs: number): Promise<Buffer> {
  const found = await findSecret(store);
  if (found) return found;
  const timestamp = formatTimestamp(Math.floor(nowMs * 100));
  await store.putContainer(secretPath, { timestamp, metadata: {} });
  try {
    await store.putObject(secretPath, single(randomBytes(secretBytes)), {
      timestamp,
      contentType: 'application/octet-stream',
      metadata: {},
      contentLength: secretBytes,
      maxBytes: secretBytes,
      ifAbsent: true,
    });
  } catch (error) {
    if (!isStorageError(error, 'objectExists')) throw error;
  }
  const made = await findSecret(store);
  if (!made) throw new Error('the token key is not in the store although it was just written');
  return made;
}

async function findSecret(store: ObjectStore): Promise<Buffer | undefined> {
  const opened = await store.openObject(secretPath);
  if (!opened) return undefined;
  try {
    const secret = await readWholeBody(await opened.read());
    if (secret.length !== secretBytes) throw new Error(`the token key has ${secret.length} bytes, not ${secretBytes}`);
    return secret;
  } finally {
    opened.close();
  }
}

async function* single(data: Uint8Array): AsyncGenerator<Uint8Array> {
  yield data;
}
