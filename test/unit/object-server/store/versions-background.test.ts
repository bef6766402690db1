import path from 'node:path';
import type { LevelStore } from '@zerocloud/object-server/store/level/level-store';
import type { VersionEntry } from '@zerocloud/object-server/store/object-store';
import { Level } from 'level';
import { at, filesBelow, home, put, timestamp, withDataDir, withStore } from './support';

const large = Buffer.alloc(100_000, 'a');
const time = (second: number) => `17000000${String(second).padStart(2, '0')}.00000`;
const enable = (store: LevelStore) =>
  store.putContainer(home, { timestamp: time(0), metadata: {}, settings: { versioning: 'enabled' } });

async function rowsOf(dataDir: string, tables: string): Promise<string[]> {
  const level = new Level<string, string>(path.join(dataDir, 'db'));
  const keys = await level.keys().all();
  await level.close();
  return keys.filter((key) => tables.includes(key[0]!));
}

test('the expirer takes the name of a version, and an object that became one altogether', () =>
  withDataDir(async (dataDir) => {
    let nowMs = 1_000_000_000;
    await withStore({ dataDir, now: () => nowMs }, async (store) => {
      await put(store, 'plain', large, { timestamp: time(1), deleteAt: 2_000_000 });
      await enable(store);
      await put(store, 'plain', Buffer.from('new'), { timestamp: time(2) });
      const { versionId } = await put(store, 'named', Buffer.from('four'), { timestamp: time(3), deleteAt: 2_000_000 });
      expect(await store.findContainer(home)).toMatchObject({ objectCount: 2, versionCount: 1, bytesUsed: 100_007 });
      nowMs = 2_000_000_000;
      await store.maintenance.runNow('expirer');
      expect(await store.findContainer(home)).toMatchObject({ objectCount: 1, versionCount: 1, bytesUsed: 7 });
      expect(await store.findAccount(home.account)).toMatchObject({ objectCount: 2, bytesUsed: 7 });
      const version = { ...at('named'), versionId };
      expect(await store.findObject(version)).toMatchObject({ sizeBytes: 4 });
      expect((await store.findObject(version))!.deleteAt).toBeUndefined();
    });
    expect((await filesBelow(dataDir)).filter((file) => file.startsWith('blobs'))).toEqual([]);
    expect(await rowsOf(dataDir, 'ef')).toEqual([]);
  }));

test('nothing is left of the versions of a deleted account', () =>
  withDataDir(async (dataDir) => {
    await withStore({ dataDir, now: () => 1_000_000_000 }, async (store) => {
      await put(store, 'dated', large, { timestamp: time(1), deleteAt: 2_000_000 });
      await enable(store);
      for (let second = 2; second < 60; second++) {
        for (const name of ['dated', 'small', 'large']) {
          const data = name === 'large' ? large : Buffer.from('small');
          await put(store, name, data, { timestamp: time(second) });
        }
      }
      await store.deleteObject(at('small'), { timestamp: time(60) });
      await store.deleteAccount(home.account);
      await store.maintenance.runNow('reaper');
    });
    expect(await rowsOf(dataDir, 'covberfdu')).toEqual([]);
    expect((await filesBelow(dataDir)).filter((file) => file.startsWith('blobs'))).toEqual([]);
  }));

test('versions that are deleted one by one leave nothing', () =>
  withDataDir(async (dataDir) => {
    await withStore({ dataDir }, async (store) => {
      await store.putContainer(home, { timestamp: time(0), metadata: {} });
      await enable(store);
      for (let second = 1; second < 5; second++) await put(store, 'o', large, { timestamp: time(second) });
      await store.deleteObject(at('o'), { timestamp: time(5) });
      for (let second = 1; second < 6; second++) {
        await store.deleteObject({ ...at('o'), versionId: time(second) }, { timestamp: time(6) });
      }
      await store.deleteContainer(home);
    });
    expect(await rowsOf(dataDir, 'covberfdu')).toEqual([]);
    expect((await filesBelow(dataDir)).filter((file) => file.startsWith('blobs'))).toEqual([]);
  }));

test('a deletion that began under an archive goes by the rule that holds when it is stored', async () => {
  await withDataDir((dataDir) =>
    withStore({ dataDir }, async (store) => {
      const archive = { container: 'old', mode: 'stack' as const };
      await store.putContainer({ ...home, container: 'old' }, { timestamp, metadata: {} });
      await store.putContainer(home, { timestamp, metadata: {}, settings: { archive } });
      await put(store, 'o', Buffer.from('precious'));
      const removal = store.deleteObject(at('o'), { timestamp });
      // It knows the container's rule by now, and looks for what is to come back.
      for (let turn = 0; turn < 5; turn++) await Promise.resolve();
      const settings = { archive: null, versioning: 'enabled' as const };
      await store.updateContainer(home, { timestamp, metadata: {}, settings });
      const { markerId } = await removal;
      expect(await store.findObject(at('o'))).toBeUndefined();
      const kept = (await store.listVersions(home, { limit: 10 })) as VersionEntry[];
      expect(kept.map(({ versionId, sizeBytes }) => [versionId, sizeBytes])).toEqual([
        [markerId, 0],
        [timestamp, 8],
      ]);
    }),
  );
});
