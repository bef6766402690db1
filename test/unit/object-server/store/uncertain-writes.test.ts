import { rm } from 'node:fs/promises';
import { Level } from 'level';
import { at, home, put, timestamp, withDataDir, withStore } from './support';

/** The next batch is written, and then said to have failed, as when a sync fails: nobody knows what is stored. */
function failNextWrite(): void {
  const original = Level.prototype.batch;
  jest.spyOn(Level.prototype, 'batch').mockImplementationOnce(function (this: Level) {
    const batch = Reflect.apply(original, this, []) as unknown as { write(options: object): Promise<void> };
    const write = batch.write.bind(batch);
    batch.write = async (options) => {
      await write(options);
      throw new Error('the sync failed');
    };
    return batch as never;
  });
}

afterEach(() => jest.restoreAllMocks());

test('an account whose deletion was stored, but failed to be reported so, is out of reach and gets reaped', async () => {
  await withDataDir((dataDir) =>
    withStore({ dataDir }, async (store) => {
      await put(store, 'o', Buffer.from('text'));
      failNextWrite();
      await expect(store.deleteAccount(home.account)).rejects.toMatchObject({ code: 'unavailable' });
      // Waits until the store knows again what is stored.
      await store.putAccount('AUTH_other', { timestamp, metadata: {} });
      expect(await store.isAccountDeleted(home.account)).toBe(true);
      expect(await store.findObject(at('o'))).toBeUndefined();
      await store.maintenance.runNow('reaper');
      expect(await store.putAccount(home.account, { timestamp, metadata: {} })).toEqual({ created: true });
    }),
  );
});

test('an account that is made anew after its reaping failed to be reported keeps what it gets', async () => {
  await withDataDir((dataDir) =>
    withStore({ dataDir }, async (store) => {
      await store.putContainer(home, { timestamp, metadata: {} });
      await store.deleteAccount(home.account);
      failNextWrite();
      await expect(store.maintenance.runNow('reaper')).rejects.toMatchObject({ code: 'unavailable' });
      await store.putAccount(home.account, { timestamp, metadata: {} });
      await put(store, 'o', Buffer.from('text'));
      await store.maintenance.runNow('reaper');
      expect(await store.findObject(at('o'))).toMatchObject({ sizeBytes: 4 });
    }),
  );
});

test('an upload that cannot be moved to its place is refused, and leaves nothing', async () => {
  await withDataDir((dataDir) =>
    withStore({ dataDir }, async (store) => {
      await put(store, 'o', Buffer.from('text'));
      await rm(`${dataDir}/blobs`, { recursive: true });
      const failed = put(store, 'o', Buffer.alloc(100_000));
      await expect(failed).rejects.toMatchObject({ code: 'unavailable' });
      expect(await store.findObject(at('o'))).toMatchObject({ sizeBytes: 4 });
    }),
  );
});
