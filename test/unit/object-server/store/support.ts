import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  type LevelStore,
  type LevelStoreOptions,
  openLevelStore,
} from '@zerocloud/object-server/store/level/level-store';
import type { PutObjectOptions } from '@zerocloud/object-server/store/object-store';

export const home = { account: 'AUTH_test', container: 'c' };
export const timestamp = '1700000000.00000';
export const at = (object: string) => ({ ...home, object });

/** A data directory of its own, removed afterwards. */
export async function withDataDir<T>(use: (dataDir: string) => Promise<T>): Promise<T> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'zerocloud-store-'));
  try {
    return await use(dataDir);
  } finally {
    await rm(dataDir, { recursive: true });
  }
}

export async function withStore<T>(
  options: Partial<LevelStoreOptions> & { dataDir: string },
  use: (store: LevelStore) => Promise<T>,
): Promise<T> {
  const store = await openLevelStore({ fsync: false, ...options });
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

export async function put(store: LevelStore, object: string, data: Buffer, options: Partial<PutObjectOptions> = {}) {
  await store.putContainer(home, { timestamp, metadata: {} });
  const body = (async function* () {
    yield data;
  })();
  return store.putObject(at(object), body, {
    timestamp,
    contentType: 'text/plain',
    metadata: {},
    maxBytes: 2 ** 40,
    ...options,
  });
}

/** Every regular file below the directory, by relative path. */
export async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(directory, path.join(entry.parentPath, entry.name)))
    .sort();
}

/** Waits for what happens in the background, with a deadline. */
export async function eventually(check: () => Promise<void> | void): Promise<void> {
  const deadline = Date.now() + 5000;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}
