import { cp, type FileHandle, open, readdir, stat, truncate, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type LevelStore, openLevelStore } from '@zerocloud/object-server/store/level/level-store';
import { RelaxedSync } from '@zerocloud/object-server/store/level/relaxed-sync';
import type { ObjectPath } from '@zerocloud/object-server/store/object-store';
import { inChunks } from '../../../contract/object-store';
import { at, eventually, home, put, timestamp, withDataDir, withStore } from './support';

const relaxed = { timestamp, metadata: {}, settings: { policy: 'relaxed' as const } };
const strict = { account: home.account, container: 'strict' };
const inStrict = { ...strict, object: 'old' };

afterEach(() => jest.restoreAllMocks());

/** The store as it would be found if the power failed now and took of this blob what had not been synced. */
async function copyOf(dataDir: string, name: string): Promise<string> {
  const copy = path.join(dataDir, name);
  await cp(path.join(dataDir, 'data'), copy, { recursive: true });
  // The copy is nobody's; LevelDB makes its lock anew.
  await unlink(path.join(copy, 'db', 'LOCK')).catch(() => {});
  return copy;
}

/** Inodes of the files that the store has synced. */
async function watchSyncs(onSync: (ino: number) => Promise<void> = async () => {}): Promise<Set<number>> {
  const synced = new Set<number>();
  const handle = await open(__filename, 'r');
  const prototype = Object.getPrototypeOf(handle) as FileHandle;
  await handle.close();
  const real = prototype.sync;
  jest.spyOn(prototype, 'sync').mockImplementation(async function (this: FileHandle) {
    const { ino } = await this.stat();
    await onSync(ino);
    await real.call(this);
    synced.add(ino);
  });
  return synced;
}

async function blobsOf(dataDir: string): Promise<string[]> {
  const entries = await readdir(path.join(dataDir, 'blobs'), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
}

test('a relaxed upload that did not come through a crash is gone, and everything else is there', async () => {
  await withDataDir(async (directory) => {
    const dataDir = path.join(directory, 'data');
    await withStore({ dataDir, fsync: true, relaxedSyncMs: 3_600_000 }, async (store) => {
      await store.putContainer(home, relaxed);
      await put(store, 'small', Buffer.from('small'));
      const [before] = await Promise.all([put(store, 'large', Buffer.alloc(100_000, 'a'))]);
      const copy = await copyOf(directory, 'crashed');
      const [blob] = await blobsOf(copy);
      expect(path.basename(blob!)).toBe(before.bodyId);
      await truncate(blob!, 65_536);
      const logged: object[] = [];
      const found = await openLevelStore({ dataDir: copy, log: (event) => logged.push(event) });
      try {
        expect(await found.findObject(at('large'))).toBeUndefined();
        expect(await found.findObject(at('small'))).toMatchObject({ sizeBytes: 5 });
        expect(await found.findContainer(home)).toMatchObject({ objectCount: 1, bytesUsed: 5 });
        expect(await found.findAccount(home.account)).toMatchObject({ objectCount: 1, bytesUsed: 5 });
        expect(logged).toEqual([{ bodyId: before.bodyId, err: 'it has 65536 bytes instead of 100000' }]);
        await found.maintenance.runNow('orphanSweep');
        expect(await blobsOf(copy)).toEqual([]);
      } finally {
        await found.close();
      }
    });
  });
});

test('a relaxed upload whose bytes came through a crash is kept', async () => {
  await withDataDir(async (directory) => {
    const dataDir = path.join(directory, 'data');
    await withStore({ dataDir, fsync: true, relaxedSyncMs: 3_600_000 }, async (store) => {
      await store.putContainer(home, relaxed);
      await put(store, 'large', Buffer.alloc(100_000, 'a'));
      const copy = await copyOf(directory, 'crashed');
      await withStore({ dataDir: copy, fsync: true }, async (found) => {
        expect(await found.findObject(at('large'))).toMatchObject({ sizeBytes: 100_000 });
      });
    });
  });
});

test('copies and versions of a relaxed upload that was lost are gone with it', async () => {
  await withDataDir(async (directory) => {
    const dataDir = path.join(directory, 'data');
    await withStore({ dataDir, fsync: true, relaxedSyncMs: 3_600_000 }, async (store) => {
      await store.putContainer(home, { ...relaxed, settings: { ...relaxed.settings, versioning: 'enabled' } });
      const { bodyId } = await put(store, 'large', Buffer.alloc(100_000, 'a'));
      const options = { timestamp, sourceBodyId: bodyId, contentType: 'a/b', metadata: {} };
      await store.copyObject(at('large'), at('copy'), options);
      await put(store, 'large', Buffer.from('newer'));
      const copy = await copyOf(directory, 'crashed');
      const [blob] = await blobsOf(copy);
      await truncate(blob!, 1);
      await withStore({ dataDir: copy, fsync: true }, async (found) => {
        expect(await found.findContainer(home)).toMatchObject({ objectCount: 1, versionCount: 0, bytesUsed: 5 });
        expect(await found.listVersions(home, { limit: 10 })).toMatchObject([{ name: 'large', sizeBytes: 5 }]);
        expect(await found.findAccount(home.account)).toMatchObject({ objectCount: 1, bytesUsed: 5 });
        await found.maintenance.runNow('orphanSweep');
        expect(await blobsOf(copy)).toEqual([]);
      });
    });
  });
});

test('a copy in a container of the other policy waits until the bytes are durable', async () => {
  await withDataDir(async (directory) => {
    const dataDir = path.join(directory, 'data');
    await withStore({ dataDir, fsync: true, relaxedSyncMs: 3_600_000 }, async (store) => {
      await store.putContainer(home, relaxed);
      await store.putContainer(strict, { timestamp, metadata: {} });
      const { bodyId } = await put(store, 'large', Buffer.alloc(100_000, 'a'));
      const options = { timestamp, sourceBodyId: bodyId, contentType: 'a/b', metadata: {} };
      await store.copyObject(at('large'), { ...strict, object: 'copy' }, options);
      const copy = await copyOf(directory, 'crashed');
      const [blob] = await blobsOf(copy);
      await truncate(blob!, 0);
      // Nothing is suspected any more: the file was synced, so a short one is not what a crash can leave.
      await withStore({ dataDir: copy, fsync: true }, async (found) => {
        expect(await found.findObject({ ...strict, object: 'copy' })).toMatchObject({ sizeBytes: 100_000 });
      });
    });
  });
});

describe('an object that was durable is not lost by', () => {
  const large = (letter: string) => Buffer.alloc(100_000, letter);
  const copyTo = async (store: LevelStore, target: ObjectPath) => {
    const { bodyId } = (await store.findObject(at('unsynced')))!;
    const options = { timestamp, sourceBodyId: bodyId, contentType: 'a/b', metadata: {} };
    await store.copyObject(at('unsynced'), target, options);
  };
  const finish = async (store: LevelStore) => {
    const path = store.stagingPath();
    await writeFile(path, large('b'));
    const options = { timestamp, contentType: 'a/b', metadata: {} };
    await store.putFinishedObject(at('old'), { kind: 'file', path, sizeBytes: 100_000 }, options);
  };

  test.each<[string, ObjectPath, (store: LevelStore) => Promise<unknown>]>([
    ['a relaxed upload', at('old'), (store) => put(store, 'old', large('b'))],
    ['a relaxed output of a job', at('old'), finish],
    ['a relaxed copy', at('old'), (store) => copyTo(store, at('old'))],
  ])('%s in its place whose bytes do not come through a crash', async (_what, target, replace) => {
    await withDataDir(async (directory) => {
      const dataDir = path.join(directory, 'data');
      const synced = await watchSyncs();
      await withStore({ dataDir, fsync: true, relaxedSyncMs: 3_600_000 }, async (store) => {
        await store.putContainer(strict, { timestamp, metadata: {} });
        await store.putContainer(home, relaxed);
        await store.putObject(target, inChunks(large('a')), {
          timestamp,
          contentType: 'a/b',
          metadata: {},
          maxBytes: 1e6,
        });
        await put(store, 'unsynced', large('c'));
        await replace(store);
        // The record becomes durable with whatever is synced next.
        await store.updateContainer(strict, { timestamp, metadata: {} });
        const { bodyId } = (await store.findObject(target))!;
        const copy = await copyOf(directory, 'crashed');
        for (const blob of await blobsOf(dataDir)) {
          const { ino } = await stat(blob);
          if (!synced.has(ino)) await truncate(path.join(copy, path.relative(dataDir, blob)), 0);
        }
        await withStore({ dataDir: copy }, async (found) => {
          expect(await found.findObject(target)).toMatchObject({ bodyId });
        });
      });
    });
  });

  test('a copy of what is relaxed, which takes its place when the bytes are durable', async () => {
    await withDataDir(async (directory) => {
      const dataDir = path.join(directory, 'data');
      await withStore({ dataDir, fsync: true, relaxedSyncMs: 3_600_000 }, async (store) => {
        await store.putContainer(strict, { timestamp, metadata: {} });
        await store.putContainer(home, relaxed);
        const { bodyId } = await put(store, 'unsynced', large('c'));
        const blob = (await blobsOf(dataDir)).find((file) => file.endsWith(bodyId))!;
        await store.putObject(inStrict, inChunks(large('a')), {
          timestamp,
          contentType: 'a/b',
          metadata: {},
          maxBytes: 1e6,
        });
        const { ino } = await stat(blob);
        let there: string | undefined;
        await watchSyncs(async (inode) => {
          if (inode === ino) there ??= (await store.findObject(inStrict))!.bodyId;
        });
        await copyTo(store, inStrict);
        expect(there).toBeDefined();
        expect(there).not.toBe(bodyId);
        expect(await store.findObject(inStrict)).toMatchObject({ bodyId });
      });
    });
  });
});

test('what a relaxed upload replaces stays until its successor is durable', async () => {
  await withDataDir(async (directory) => {
    const dataDir = path.join(directory, 'data');
    await withStore({ dataDir, fsync: true, relaxedSyncMs: 3_600_000 }, async (store) => {
      await store.putContainer(home, relaxed);
      const first = await put(store, 'large', Buffer.alloc(100_000, 'a'));
      await store.putContainer(strict, { timestamp, metadata: {} });
      const second = await put(store, 'large', Buffer.alloc(100_000, 'b'));
      const names = async () => (await blobsOf(dataDir)).map((file) => path.basename(file)).sort();
      expect(await names()).toEqual([first.bodyId, second.bodyId].sort());
      // A sync of whomever.
      await store.updateContainer(strict, { timestamp, metadata: {} });
      await eventually(async () => expect(await names()).toEqual([second.bodyId]));
    });
  });
});

test('a blob counts as unsynced until its sync has ended', async () => {
  let end = () => {};
  const synced = new Promise<void>((resolve) => {
    end = resolve;
  });
  const parts = { files: { sync: () => synced }, commits: { commit: async () => {} } };
  const relaxedSync = new RelaxedSync(parts as never, 3_600_000);
  relaxedSync.addBlob('b1');
  const flushed = relaxedSync.flush();
  await new Promise(setImmediate);
  expect(relaxedSync.isUnsynced('b1')).toBe(true);
  end();
  await flushed;
  expect(relaxedSync.isUnsynced('b1')).toBe(false);
  await relaxedSync.close();
});

test('what is relaxed is synced soon, by itself and when the store is closed', async () => {
  await withDataDir(async (directory) => {
    const logged: object[] = [];
    const dataDir = path.join(directory, 'data');
    await withStore({ dataDir, fsync: true, relaxedSyncMs: 10, log: (event) => logged.push(event) }, async (store) => {
      await store.putContainer(home, relaxed);
      await put(store, 'large', Buffer.alloc(100_000, 'a'));
      const deadline = Date.now() + 5000;
      for (let round = 0; ; round++) {
        // No blob is suspected after a crash from now on.
        const copy = await copyOf(directory, `crashed-${round}`);
        const [blob] = await blobsOf(copy);
        await truncate(blob!, 0);
        const found = await withStore({ dataDir: copy }, (crashed) => crashed.findObject(at('large')));
        if (found) break;
        expect(Date.now()).toBeLessThan(deadline);
      }
      await put(store, 'late', Buffer.alloc(100_000, 'b'));
    });
    for (const blob of await blobsOf(dataDir)) await truncate(blob, 0);
    await withStore({ dataDir, fsync: true }, async (store) => {
      expect(await store.findObject(at('late'))).toMatchObject({ sizeBytes: 100_000 });
    });
    expect(logged).toEqual([]);
  });
});
