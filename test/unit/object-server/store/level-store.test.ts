import { execFile } from 'node:child_process';
import fs, { chmod, copyFile, link, mkdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { openLevelStore } from '@zerocloud/object-server/store/level/level-store';
import { Level } from 'level';
import { md5, someBytes } from '../../../contract/object-store';
import { at, eventually, filesBelow, home, put, timestamp, withDataDir, withStore } from './support';

const refusal = (code: string) => expect.objectContaining({ name: 'StorageError', code });
const large = someBytes(100_000);
const blobs = (dataDir: string) => filesBelow(path.join(dataDir, 'blobs'));
const staging = (dataDir: string) => filesBelow(path.join(dataDir, 'staging'));

describe('the files of bodies', () => {
  test('exist above 64 KiB only, one per body', () =>
    withDataDir((dataDir) =>
      withStore({ dataDir }, async (store) => {
        await put(store, 'small', someBytes(65_536));
        expect(await blobs(dataDir)).toEqual([]);
        await put(store, 'large', someBytes(65_537));
        await put(store, 'declared', someBytes(65_537), { contentLength: 65_537 });
        expect(await blobs(dataDir)).toHaveLength(2);
        expect(await staging(dataDir)).toEqual([]);
      }),
    ));

  test('go with the last object that has the body', () =>
    withDataDir((dataDir) =>
      withStore({ dataDir }, async (store) => {
        const { bodyId } = await put(store, 'a', large);
        const options = { timestamp, sourceBodyId: bodyId, contentType: 'a/b', metadata: {} };
        await store.copyObject(at('a'), at('b'), options);
        await store.copyObject(at('b'), at('b'), options);
        await store.deleteObject(at('a'), { timestamp });
        await store.maintenance.runNow('orphanSweep');
        expect(await blobs(dataDir)).toHaveLength(1);
        await put(store, 'b', Buffer.from('other'));
        await eventually(async () => expect(await blobs(dataDir)).toEqual([]));
      }),
    ));

  test('stay while a reader is open, and go with the last one', () =>
    withDataDir((dataDir) =>
      withStore({ dataDir }, async (store) => {
        await put(store, 'o', large);
        const readers = [(await store.openObject(at('o')))!, (await store.openObject(at('o')))!];
        await store.deleteObject(at('o'), { timestamp });
        await store.maintenance.runNow('orphanSweep');
        expect(await blobs(dataDir)).toHaveLength(1);
        readers[0]!.close();
        readers[0]!.close();
        expect(md5((await readers[1]!.read()) as Buffer)).toBe(md5(large));
        readers[1]!.close();
        await eventually(async () => expect(await blobs(dataDir)).toEqual([]));
      }),
    ));

  test('leave nothing behind when uploads are refused or break off', () =>
    withDataDir((dataDir) =>
      withStore({ dataDir }, async (store) => {
        await put(store, 'o', Buffer.from('x'));
        const brokenOff = (async function* () {
          yield someBytes(3_000_000);
          throw new Error('reset');
        })();
        const options = { timestamp, contentType: 'a/b', metadata: {}, maxBytes: 10_000_000 };
        await expect(store.putObject(at('o'), brokenOff, options)).rejects.toEqual(refusal('bodyAborted'));
        await expect(put(store, 'o', large, { etag: md5(Buffer.from('x')) })).rejects.toEqual(refusal('etagMismatch'));
        await expect(put(store, 'o', large, { contentLength: 100_001 })).rejects.toEqual(refusal('bodyLengthMismatch'));
        await expect(put(store, 'o', large, { maxBytes: 99_999 })).rejects.toEqual(refusal('objectTooLarge'));
        const taken = (async function* () {
          yield large;
          await put(store, 'p', Buffer.from('first'));
        })();
        await expect(store.putObject(at('p'), taken, { ...options, ifAbsent: true })).rejects.toEqual(
          refusal('objectExists'),
        );
        expect(await staging(dataDir)).toEqual([]);
        await eventually(async () => expect(await blobs(dataDir)).toEqual([]));
      }),
    ));
});

describe('finished outputs', () => {
  const options = { timestamp, contentType: 'text/plain', metadata: { 'x-object-meta-a': 'b' } };

  test.each([0, 10, 65_536, 65_537, 2_000_000])('of %i bytes in a file become objects by rename', (sizeBytes) =>
    withDataDir((dataDir) =>
      withStore({ dataDir }, async (store) => {
        await store.putContainer(home, { timestamp, metadata: {} });
        const data = someBytes(sizeBytes);
        const file = store.stagingPath();
        await writeFile(file, data);
        const { ino } = await stat(file);
        const record = await store.putFinishedObject(at('o'), { kind: 'file', path: file, sizeBytes }, options);
        expect(record).toMatchObject({ ...options, sizeBytes, etag: md5(data) });
        expect(await store.findContainer(home)).toMatchObject({ objectCount: 1, bytesUsed: sizeBytes });
        expect(await staging(dataDir)).toEqual([]);
        const opened = (await store.openObject(at('o')))!;
        const stored = store.findBodyFile(opened);
        expect(stored !== undefined).toBe(sizeBytes > 65_536);
        if (stored !== undefined) {
          expect((await stat(stored)).ino).toBe(ino);
          expect(md5(await readFile(stored))).toBe(md5(data));
        } else {
          expect(md5((await opened.read()) as Buffer)).toBe(md5(data));
        }
        opened.close();
      }),
    ),
  );

  test.each([10, 100_000])('of %i bytes in memory become objects', (sizeBytes) =>
    withDataDir((dataDir) =>
      withStore({ dataDir }, async (store) => {
        await store.putContainer(home, { timestamp, metadata: {} });
        const data = someBytes(sizeBytes);
        const record = await store.putFinishedObject(at('o'), { kind: 'bytes', data }, options);
        expect(record).toMatchObject({ sizeBytes, etag: md5(data) });
        expect(await blobs(dataDir)).toHaveLength(sizeBytes > 65_536 ? 1 : 0);
      }),
    ),
  );

  test('are gone when they are refused', () =>
    withDataDir((dataDir) =>
      withStore({ dataDir }, async (store) => {
        const file = store.stagingPath();
        await writeFile(file, large);
        const body = { kind: 'file' as const, path: file, sizeBytes: large.length };
        await expect(store.putFinishedObject(at('o'), body, options)).rejects.toEqual(refusal('containerNotFound'));
        await store.putContainer(home, { timestamp, metadata: {} });
        await writeFile(file, large);
        await expect(store.putFinishedObject(at('o'), { ...body, sizeBytes: 100_001 }, options)).rejects.toEqual(
          refusal('bodyLengthMismatch'),
        );
        expect(await staging(dataDir)).toEqual([]);
        await eventually(async () => expect(await blobs(dataDir)).toEqual([]));
      }),
    ));

  test('and bodies for sessions are linked, not copied', () =>
    withDataDir((dataDir) =>
      withStore({ dataDir }, async (store) => {
        await put(store, 'large', large);
        await put(store, 'small', Buffer.from('x'));
        const target = store.stagingPath();
        const opened = (await store.openObject(at('large')))!;
        await link(store.findBodyFile(opened)!, target);
        opened.close();
        await store.deleteObject(at('large'), { timestamp });
        await eventually(async () => expect(await blobs(dataDir)).toEqual([]));
        expect(md5(await readFile(target))).toBe(md5(large));
        const small = (await store.openObject(at('small')))!;
        expect(store.findBodyFile(small)).toBeUndefined();
        small.close();
      }),
    ));
});

describe('a restart', () => {
  test('keeps everything', () =>
    withDataDir(async (dataDir) => {
      const records = await withStore({ dataDir }, async (store) => [
        await put(store, 'small', Buffer.from('x')),
        await put(store, 'large', large),
      ]);
      await withStore({ dataDir }, async (store) => {
        expect([await store.findObject(at('small')), await store.findObject(at('large'))]).toEqual(records);
        const opened = (await store.openObject(at('large')))!;
        expect(md5((await opened.read()) as Buffer)).toBe(md5(large));
        opened.close();
        expect(await store.findAccount(home.account)).toMatchObject({ objectCount: 2, bytesUsed: 100_001 });
      });
    }));

  test('empties the staging area and removes blobs that nothing refers to', () =>
    withDataDir(async (dataDir) => {
      await withStore({ dataDir }, (store) => put(store, 'o', large));
      const [kept] = await blobs(dataDir);
      const orphan = path.join('ab', 'babababababababababababababababab');
      await copyFile(path.join(dataDir, 'blobs', kept!), path.join(dataDir, 'blobs', orphan));
      await mkdir(path.join(dataDir, 'staging', 'deep'));
      await writeFile(path.join(dataDir, 'staging', 'deep', 'rest'), 'x');
      await withStore({ dataDir }, async () => {
        expect(await staging(dataDir)).toEqual([]);
        await eventually(async () => expect(await blobs(dataDir)).toEqual([kept]));
      });
    }));

  test('finishes what deleting an account began', () =>
    withDataDir(async (dataDir) => {
      await withStore({ dataDir }, async (store) => {
        await put(store, 'o', large);
        await store.deleteAccount(home.account);
      });
      await withStore({ dataDir }, async (store) => {
        expect(await store.findObject(at('o'))).toBeUndefined();
        await store.maintenance.runNow('reaper');
        await eventually(async () => expect(await blobs(dataDir)).toEqual([]));
      });
    }));

  test('is refused while another store has the directory open', () =>
    withDataDir((dataDir) =>
      withStore({ dataDir }, async () => {
        await expect(openLevelStore({ dataDir })).rejects.toThrow(/in use by another process/);
      }),
    ));

  test('is refused for an unknown format', () =>
    withDataDir(async (dataDir) => {
      await withStore({ dataDir }, async () => {});
      const level = new Level(path.join(dataDir, 'db'));
      await level.put('mformat', '99');
      await level.close();
      await expect(openLevelStore({ dataDir })).rejects.toThrow(/has format 99; this program reads format 1/);
      await expect(openLevelStore({ dataDir })).rejects.toThrow(/has format 99/);
    }));

  test('is refused in a directory that is not ours, and touches nothing there', () =>
    withDataDir(async (dataDir) => {
      await mkdir(path.join(dataDir, 'staging'));
      await writeFile(path.join(dataDir, 'staging', 'precious'), 'x');
      await expect(openLevelStore({ dataDir })).rejects.toThrow(/has files in staging but no database/);
      await writeFile(path.join(dataDir, 'thesis.tex'), 'x');
      await expect(openLevelStore({ dataDir })).rejects.toThrow(/not empty and holds no Zerocloud store/);
      expect(await filesBelow(dataDir)).toEqual(['staging/precious', 'thesis.tex']);
    }));

  test('is closed to other users, whatever the umask, and stays so', () =>
    withDataDir(async (dataDir) => {
      const modes = async () => {
        const parts = ['db', 'blobs', 'staging', 'quarantine'].map((part) => stat(path.join(dataDir, part)));
        return (await Promise.all(parts)).map(({ mode }) => mode & 0o777);
      };
      const closed = [0o700, 0o700, 0o700, 0o700];
      await withStore({ dataDir }, async () => expect(await modes()).toEqual(closed));
      await chmod(path.join(dataDir, 'db'), 0o755);
      await withStore({ dataDir }, async () => expect(await modes()).toEqual(closed));
    }));

  test('is refused on the database of another program', () =>
    withDataDir(async (dataDir) => {
      const level = new Level(path.join(dataDir, 'db'));
      await level.put('key', 'value');
      await level.close();
      await expect(openLevelStore({ dataDir })).rejects.toThrow(/is not a Zerocloud store/);
    }));

  test('is refused when blobs have lost their database', () =>
    withDataDir(async (dataDir) => {
      await withStore({ dataDir }, (store) => put(store, 'o', large));
      await rm(path.join(dataDir, 'db'), { recursive: true });
      await expect(openLevelStore({ dataDir })).rejects.toThrow(/has files in blobs but no database/);
      expect(await blobs(dataDir)).toHaveLength(1);
    }));
});

describe('in the background', () => {
  test('expired objects are reaped, with exact counters, and stay listed until then', () =>
    withDataDir(async (dataDir) => {
      let nowMs = 1_000_000;
      await withStore({ dataDir, now: () => nowMs }, async (store) => {
        for (let i = 0; i < 150; i++) await put(store, `soon${i}`, Buffer.from('12'), { deleteAt: 2000 });
        await put(store, 'large', large, { deleteAt: 2000 });
        await put(store, 'later', Buffer.from('1234'), { deleteAt: 2001 });
        await put(store, 'never', Buffer.from('12345'));
        await store.updateObject(at('soon0'), { timestamp, metadata: {} });
        nowMs = 1_999_999;
        await store.maintenance.runNow('expirer');
        expect(await store.findContainer(home)).toMatchObject({ objectCount: 153 });
        nowMs = 2_000_000;
        expect(await store.listObjects(home, { limit: 1000 })).toHaveLength(153);
        await store.maintenance.runNow('expirer');
        const listed = await store.listObjects(home, { limit: 1000 });
        expect(listed.map((entry) => 'name' in entry && entry.name)).toEqual(['later', 'never', 'soon0']);
        expect(await store.findAccount(home.account)).toMatchObject({ objectCount: 3, bytesUsed: 11 });
        await eventually(async () => expect(await blobs(dataDir)).toEqual([]));
      });
    }));

  test('the expirer runs by itself', () =>
    withDataDir((dataDir) =>
      withStore({ dataDir, now: () => 5_000_000, expirerIntervalMs: 1 }, async (store) => {
        await put(store, 'o', Buffer.from('x'), { deleteAt: 4999 });
        await eventually(async () => expect(await store.findContainer(home)).toMatchObject({ objectCount: 0 }));
      }),
    ));

  test('reapers take nothing of an account that was put anew when one of them had done', () =>
    withDataDir((dataDir) =>
      withStore({ dataDir }, async (store) => {
        for (let round = 0; round < 20; round++) {
          await store.putAccount(home.account, { timestamp, metadata: {} });
          await store.putContainer(home, { timestamp, metadata: {} });
          await store.deleteAccount(home.account);
          const reapers = [store.maintenance.runNow('reaper')];
          const putAnew = reapers[0]!.then(() => store.putAccount(home.account, { timestamp, metadata: {} }));
          for (let turn = 0; turn < 10; turn++) {
            await new Promise(setImmediate);
            reapers.push(store.maintenance.runNow('reaper'));
          }
          await putAnew;
          await store.putContainer(home, { timestamp, metadata: {} });
          await Promise.all(reapers);
          expect(await store.findContainer(home)).toBeDefined();
          expect(await store.findAccount(home.account)).toMatchObject({ containerCount: 1 });
        }
      }),
    ));

  test('a deleted account is reaped to the last row, and can then be put anew', () =>
    withDataDir((dataDir) =>
      withStore({ dataDir, now: () => 1_000_000 }, async (store) => {
        for (let i = 0; i < 120; i++)
          await store.putContainer({ ...home, container: `c${i}` }, { timestamp, metadata: {} });
        await Promise.all(
          Array.from({ length: 230 }, (_, i) => put(store, `o${i}`, Buffer.from('x'), { deleteAt: 1001 })),
        );
        await put(store, 'large', large);
        await store.putContainer({ account: 'AUTH_test2', container: 'c' }, { timestamp, metadata: {} });
        await store.deleteAccount(home.account);
        await store.maintenance.runNow('expirer');
        await store.maintenance.runNow('reaper');
        await eventually(async () => expect(await blobs(dataDir)).toEqual([]));
        expect(await store.isAccountDeleted(home.account)).toBe(true);
        await expect(store.putContainer(home, { timestamp, metadata: {} })).rejects.toEqual(refusal('accountDeleted'));
        expect(await store.putAccount(home.account, { timestamp, metadata: {} })).toEqual({ created: true });
        expect(await store.isAccountDeleted(home.account)).toBe(false);
        expect(await store.findAccount(home.account)).toMatchObject({
          containerCount: 0,
          objectCount: 0,
          bytesUsed: 0,
        });
        expect(await store.listContainers(home.account, { limit: 10 })).toEqual([]);
        await store.putContainer(home, { timestamp, metadata: {} });
        expect(await store.listObjects(home, { limit: 10 })).toEqual([]);
        expect(await store.findContainer({ account: 'AUTH_test2', container: 'c' })).toBeDefined();
      }),
    ));

  test.each([
    ['changed', async (file: string) => writeFile(file, someBytes(100_000, 7))],
    ['cut short', async (file: string) => truncate(file, 99_999)],
    ['missing', async (file: string) => rm(file)],
  ])('a blob that is %s is found, logged, set aside and no longer served', (_how, damage) =>
    withDataDir(async (dataDir) => {
      const logged: string[] = [];
      await withStore({ dataDir, log: (_event, message) => logged.push(message) }, async (store) => {
        await put(store, 'good', large);
        const { bodyId } = await put(store, 'bad', large);
        await store.maintenance.runNow('auditor');
        expect(logged).toEqual([]);
        await damage(path.join(dataDir, 'blobs', bodyId.slice(1, 3), bodyId));
        await store.maintenance.runNow('auditor');
        await store.maintenance.runNow('auditor');
        expect(logged).toEqual(['a damaged blob was moved to quarantine']);
        expect(await filesBelow(path.join(dataDir, 'quarantine'))).toEqual(_how === 'missing' ? [] : [bodyId]);
        await expect(store.openObject(at('bad'))).rejects.toEqual(refusal('unavailable'));
        const good = (await store.openObject(at('good')))!;
        expect(md5((await good.read()) as Buffer)).toBe(md5(large));
        good.close();
        await store.deleteObject(at('bad'), { timestamp });
        await put(store, 'bad', large);
        expect(await store.findContainer(home)).toMatchObject({ objectCount: 2, bytesUsed: 200_000 });
      });
    }),
  );
});

describe('limits', () => {
  test('a body is refused when it would leave less than the reserved space', () =>
    withDataDir((dataDir) =>
      withStore({ dataDir, reservedBytes: 2 ** 60 }, async (store) => {
        await expect(put(store, 'o', Buffer.from('x'))).rejects.toEqual(refusal('insufficientStorage'));
        expect(await store.listObjects(home, { limit: 10 })).toEqual([]);
      }),
    ));

  test('a body of unknown length is refused once it would take the reserved space', () =>
    withDataDir((dataDir) =>
      withStore({ dataDir, reservedBytes: 100_000_000 }, async (store) => {
        await store.putContainer(home, { timestamp, metadata: {} });
        const free = (bytes: number) => ({ bavail: bytes / 1000, bsize: 1000 }) as never;
        const measured = jest.spyOn(fs, 'statfs').mockResolvedValueOnce(free(100_300_000));
        // Measured once more when that much has been taken: others may have deleted.
        measured.mockResolvedValue(free(99_999_000));
        async function* endless() {
          for (;;) yield Buffer.alloc(60_000);
        }
        try {
          const options = { timestamp, contentType: 'a/b', metadata: {}, maxBytes: 2_000_000 };
          const refused = store.putObject(at('o'), endless(), options);
          await expect(refused).rejects.toEqual(refusal('insufficientStorage'));
          expect(await staging(dataDir)).toEqual([]);
        } finally {
          measured.mockRestore();
        }
      }),
    ));

  test('a closed store refuses everything', () =>
    withDataDir(async (dataDir) => {
      const store = await withStore({ dataDir }, async (open) => open);
      await expect(store.findObject(at('o'))).rejects.toEqual(refusal('unavailable'));
      await expect(put(store, 'o', Buffer.from('x'))).rejects.toEqual(refusal('unavailable'));
    }));

  test('close waits for what was committed', () =>
    withDataDir(async (dataDir) => {
      const store = await openLevelStore({ dataDir });
      const writes = Array.from({ length: 20 }, (_, i) =>
        store.putContainer({ ...home, container: `c${i}` }, { timestamp, metadata: {} }),
      );
      await store.close();
      await Promise.all(writes);
      await withStore({ dataDir }, async (again) => {
        expect(await again.findAccount(home.account)).toMatchObject({ containerCount: 20 });
      });
    }));

  test('an open store keeps no process alive by its timers', async () =>
    withDataDir(async (dataDir) => {
      const script = `require('@zerocloud/object-server/store/level/level-store').openLevelStore({ dataDir: process.argv[1] })`;
      const { stderr } = await promisify(execFile)(process.execPath, ['-e', script, dataDir], {
        cwd: path.join(__dirname, '../../../..'),
        timeout: 10_000,
      });
      expect(stderr).toBe('');
    }));
});
