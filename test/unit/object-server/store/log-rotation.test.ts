import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, statSync, truncateSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import type { LevelStore } from '@zerocloud/object-server';
import { at, home, put, timestamp, withDataDir, withStore } from './support';

const relaxed = { timestamp, metadata: {}, settings: { policy: 'relaxed' as const } };
const strict = { account: home.account, container: 'strict' };
/** LevelDB begins a new log after about so many bytes. */
const logBytes = 16 * 1024 * 1024;
const bodyBytes = 60_000;

afterEach(() => jest.restoreAllMocks());

/** How much of each file, by inode, the store itself has synced. */
async function watchSyncs(): Promise<Map<number, number>> {
  const synced = new Map<number, number>();
  const handle = await open(__filename, 'r');
  const prototype = Object.getPrototypeOf(handle) as FileHandle;
  await handle.close();
  const real = prototype.sync;
  jest.spyOn(prototype, 'sync').mockImplementation(async function (this: FileHandle) {
    const { ino, size } = await this.stat();
    await real.call(this);
    synced.set(ino, size);
  });
  return synced;
}

/** The newest log, and how long it is. */
function newestLog(dataDir: string): { name: string; ino: number; size: number } {
  const db = path.join(dataDir, 'db');
  const name = readdirSync(db)
    .filter((file) => /^\d+\.log$/.test(file))
    .sort()
    .at(-1)!;
  const { ino, size } = statSync(path.join(db, name));
  return { name, ino, size };
}

/** The database as it is while its last log but one is being made a table; false if it is one already. */
function takeDatabase(dataDir: string, target: string, log: string): boolean {
  const from = path.join(dataDir, 'db');
  const to = path.join(target, 'db');
  mkdirSync(to, { recursive: true });
  // What it consists of first: a table that is made meanwhile is not part of it.
  for (const name of readdirSync(from))
    if (/^(CURRENT|MANIFEST-\d+)$/.test(name)) copyFileSync(...names(from, to, name));
  for (const name of readdirSync(from)) if (name.endsWith('.log')) copyFileSync(...names(from, to, name));
  for (const name of readdirSync(from)) if (name.endsWith('.ldb')) copyFileSync(...names(from, to, name));
  return readdirSync(to).includes(log);
}

const names = (from: string, to: string, name: string): [string, string] => [
  path.join(from, name),
  path.join(to, name),
];

/**
 * Copies relaxed uploads to the other container until one of these is the first in a new log. Resolves with the old one in
 * a copy of the database, and how long that was when LevelDB synced it last.
 */
async function copyAcrossLogs(store: LevelStore, dataDir: string, crashed: string) {
  for (let round = 0; ; round++) {
    const before = newestLog(dataDir);
    const data = randomBytes(bodyBytes);
    const { bodyId } = await put(store, `r${round}`, data);
    if (before.size < logBytes - 5 * bodyBytes) continue;
    const isInLog = newestLog(dataDir).name === before.name;
    const options = { timestamp, sourceBodyId: bodyId, contentType: 'a/b', metadata: {} };
    await store.copyObject(at(`r${round}`), { ...strict, object: 'copy' }, options);
    if (!isInLog || newestLog(dataDir).name === before.name) continue;
    if (takeDatabase(dataDir, `${crashed}-${round}`, before.name)) {
      return { ...before, log: path.join(`${crashed}-${round}`, 'db', before.name) };
    }
    if (round > 1500) throw new Error('logs become tables faster than they can be looked at');
  }
}

test('a write that is durable in a new log finds what it was based on, however little of the old one was synced', async () => {
  await withDataDir(async (directory) => {
    const dataDir = path.join(directory, 'data');
    const synced = await watchSyncs();
    await withStore({ dataDir, fsync: true, relaxedSyncMs: 3_600_000 }, async (store) => {
      await store.putContainer(home, relaxed);
      await store.putContainer(strict, { timestamp, metadata: {} });
      const { log, ino, size } = await copyAcrossLogs(store, dataDir, path.join(directory, 'crashed'));
      truncateSync(log, Math.max(size, synced.get(ino) ?? 0));
      const crashed = path.dirname(path.dirname(log));
      await withStore({ dataDir: crashed }, async (found) => {
        const opened = (await found.openObject({ ...strict, object: 'copy' }))!;
        expect((await opened.read()) as Buffer).toHaveLength(bodyBytes);
        opened.close();
        const listed = await found.listObjects(home, { limit: 10_000 });
        expect(await found.findContainer(home)).toMatchObject({ objectCount: listed.length });
        expect(await found.findAccount(home.account)).toMatchObject({ objectCount: listed.length + 1 });
      });
    });
  });
}, 60_000);
