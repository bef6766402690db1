import type {
  ContainerSettings,
  ObjectEntry,
  ObjectPath,
  ObjectStore,
  SubdirEntry,
  VersionEntry,
  VersionListQuery,
} from '@zerocloud/object-server/store/object-store';

export interface VersionedStore {
  store(): ObjectStore;
  /** Moves the clock of the store. */
  setNow(ms: number): void;
}

const account = 'AUTH_test';
const home = { account, container: 'c' };
const archive = { account, container: 'old' };
const startMs = 1_700_000_000_000;
const refusal = (code: string) => expect.objectContaining({ name: 'StorageError', code });
const bodies = { small: 10, large: 100_000 };

/** The part of the contract of `ObjectStore` about objects that are kept when they are replaced or deleted. */
export function describeVersions({ store, setNow }: VersionedStore): void {
  let tick: number;
  beforeEach(() => {
    tick = 0;
  });

  /** Every write has a time of its own: `1700000001.00000`, `…02.00000`, … */
  const nextTime = () => `17000000${String(++tick).padStart(2, '0')}.00000`;
  const at = (object: string, versionId?: string): ObjectPath => ({ ...home, object, versionId });
  async function container(settings: ContainerSettings, path = home): Promise<void> {
    await store().putContainer(path, { timestamp: nextTime(), metadata: {}, settings });
  }
  async function* chunks(text: string) {
    yield Buffer.from(text);
  }
  const put = (object: string, text = object, options: object = {}) =>
    store().putObject(at(object), chunks(text), {
      timestamp: nextTime(),
      contentType: 'text/plain',
      metadata: {},
      maxBytes: 2 ** 30,
      ...options,
    });
  const remove = (object: string, versionId?: string) =>
    store().deleteObject(at(object, versionId), { timestamp: nextTime() });
  async function read(object: string | ObjectPath, versionId?: string): Promise<string | undefined> {
    const opened = await store().openObject(typeof object === 'string' ? at(object, versionId) : object);
    if (!opened) return undefined;
    try {
      const body = await opened.read();
      if (ArrayBuffer.isView(body)) return body.toString();
      const parts: Buffer[] = [];
      for await (const part of body) parts.push(part);
      return Buffer.concat(parts).toString();
    } finally {
      opened.close();
    }
  }
  const list = async (query: Partial<VersionListQuery> = {}) =>
    (await store().listVersions(home, { limit: 100, ...query })).map(shown);
  const shown = (entry: VersionEntry | SubdirEntry) =>
    'subdir' in entry
      ? entry.subdir
      : `${entry.name}@${entry.versionId.replace('17000000', '').replace('.00000', '')}${entry.isDeleteMarker ? ' deleted' : ''}${entry.isLatest ? ' latest' : ''}`;
  const names = async (path = home) =>
    (await store().listObjects(path, { limit: 100 })).map((entry) => (entry as ObjectEntry).name);
  async function counters() {
    const { objectCount, bytesUsed, versionCount = 0 } = (await store().findContainer(home))!;
    return { objectCount, bytesUsed, versionCount };
  }

  describe('with versioning', () => {
    beforeEach(() => container({ versioning: 'enabled' }));

    test.each(Object.entries(bodies))('every write of a %s object makes a version', async (_, sizeBytes) => {
      const [one, two] = ['1'.repeat(sizeBytes), '2'.repeat(sizeBytes)];
      expect((await put('o', one)).versionId).toBe('1700000002.00000');
      expect((await put('o', two)).versionId).toBe('1700000003.00000');
      expect(await read('o')).toBe(two);
      expect(await read('o', '1700000002.00000')).toBe(one);
      expect(await read('o', '1700000003.00000')).toBe(two);
      expect(await read('o', '1700000004.00000')).toBeUndefined();
      expect(await read('o', 'null')).toBeUndefined();
      expect(await read('o', 'no id')).toBeUndefined();
      expect(await list()).toEqual(['o@03 latest', 'o@02']);
      expect(await counters()).toEqual({ objectCount: 1, bytesUsed: 2 * sizeBytes, versionCount: 1 });
      expect(await store().findAccount(account)).toMatchObject({ objectCount: 2, bytesUsed: 2 * sizeBytes });
    });

    test('a deleted object leaves a marker and what was', async () => {
      await put('o', 'text');
      expect(await remove('o')).toEqual({ existed: true, markerId: '1700000003.00000' });
      expect(await read('o')).toBeUndefined();
      expect(await read('o', '1700000002.00000')).toBe('text');
      expect(await store().findObject(at('o', '1700000003.00000'))).toMatchObject({
        contentType: 'application/x-deleted;swift_versions_deleted=1',
        sizeBytes: 0,
        etag: 'd41d8cd98f00b204e9800998ecf8427e',
      });
      expect(await read('o', '1700000003.00000')).toBe('');
      expect(await list()).toEqual(['o@03 deleted latest', 'o@02']);
      expect(await names()).toEqual([]);
      expect(await counters()).toEqual({ objectCount: 0, bytesUsed: 4, versionCount: 2 });
      await put('o', 'again');
      expect(await list()).toEqual(['o@04 latest', 'o@03 deleted', 'o@02']);
    });

    test('deleting what is not there leaves a marker, too', async () => {
      expect(await remove('o')).toEqual({ existed: false, markerId: '1700000002.00000' });
      expect(await list()).toEqual(['o@02 deleted latest']);
    });

    test('versions are deleted one by one, for good', async () => {
      await put('o', 'one');
      await put('o', 'two');
      await put('o', 'three');
      expect(await remove('o', '1700000003.00000')).toEqual({ existed: true, currentVersionId: '1700000004.00000' });
      await expect(remove('o', '1700000003.00000')).rejects.toEqual(refusal('objectNotFound'));
      expect(await read('o')).toBe('three');
      expect(await remove('o', '1700000004.00000')).toEqual({ existed: true });
      expect(await read('o')).toBeUndefined();
      expect(await list()).toEqual(['o@02']);
      await remove('o', '1700000002.00000');
      expect(await counters()).toEqual({ objectCount: 0, bytesUsed: 0, versionCount: 0 });
      await store().deleteContainer(home);
      expect(await store().findAccount(account)).toMatchObject({ containerCount: 0, objectCount: 0, bytesUsed: 0 });
    });

    test('a container with versions is not empty', async () => {
      await put('o');
      await remove('o');
      await expect(store().deleteContainer(home)).rejects.toEqual(refusal('versionsLeft'));
    });

    test('a version becomes the current one again, and the one before stays', async () => {
      await put('o', 'one');
      await put('o', 'two');
      const path = at('o', '1700000002.00000');
      expect(await store().restoreVersion(path, { timestamp: nextTime() })).toMatchObject({ sizeBytes: 3 });
      expect(await read('o')).toBe('one');
      expect(await list()).toEqual(['o@03', 'o@02 latest']);
      expect(await counters()).toEqual({ objectCount: 1, bytesUsed: 6, versionCount: 1 });
      const ifAbsent = { timestamp: nextTime(), ifAbsent: true };
      await expect(store().restoreVersion(at('o', '1700000003.00000'), ifAbsent)).rejects.toEqual(
        refusal('objectExists'),
      );
      await put('o', 'three');
      expect(await list()).toEqual(['o@06 latest', 'o@03', 'o@02']);
      await remove('o', '1700000006.00000');
      await store().restoreVersion(at('o', '1700000003.00000'), ifAbsent);
      expect(await read('o')).toBe('two');
    });

    test('a version that comes back shares its id with nothing, whatever the clock said', async () => {
      const { timestamp, versionId } = await put('o', 'one');
      await container({ versioning: 'suspended' });
      await put('o', 'two', { timestamp });
      await container({ versioning: 'enabled' });
      await store().restoreVersion(at('o', versionId), { timestamp: nextTime() });
      await put('o', 'three');
      expect(await list()).toHaveLength(3);
      expect(await counters()).toEqual({ objectCount: 1, bytesUsed: 11, versionCount: 2 });
    });

    test('a delete marker cannot become the current object', async () => {
      await remove('o');
      const path = at('o', '1700000002.00000');
      await expect(store().restoreVersion(path, { timestamp: nextTime() })).rejects.toEqual(refusal('objectNotFound'));
    });

    test('writes of one moment are different versions', async () => {
      const timestamp = nextTime();
      const ids = await Promise.all(['one', 'two', 'three'].map((text) => put('o', text, { timestamp })));
      expect(new Set(ids.map(({ versionId }) => versionId)).size).toBe(3);
      expect((await list()).length).toBe(3);
    });

    test('concurrent writes lose nothing', async () => {
      const texts = Array.from({ length: 20 }, (_, index) => `text ${index}`);
      const written = await Promise.all(texts.map((text) => put('o', text)));
      const found = await Promise.all(written.map(({ versionId }) => read('o', versionId)));
      expect(found).toEqual(texts);
      expect((await list()).length).toBe(20);
      await Promise.all(written.map(({ versionId }) => remove('o', versionId)));
      expect(await counters()).toEqual({ objectCount: 0, bytesUsed: 0, versionCount: 0 });
    });

    test('copies are versions of their target and can be made of any version', async () => {
      await put('o', 'one');
      await put('o', 'two');
      const source = at('o', '1700000002.00000');
      const { bodyId } = (await store().findObject(source))!;
      const options = { timestamp: nextTime(), sourceBodyId: bodyId, contentType: 'text/x', metadata: {} };
      expect(await store().copyObject(source, at('o'), options)).toMatchObject({ versionId: '1700000004.00000' });
      expect(await read('o')).toBe('one');
      await remove('o', '1700000002.00000');
      expect(await read('o')).toBe('one');
      expect(await list()).toEqual(['o@04 latest', 'o@03']);
    });

    test('growing makes versions', async () => {
      const append = (text: string) =>
        store().appendObject(at('o'), Buffer.from(text), { timestamp: nextTime(), contentType: 'text/plain' });
      await append('one');
      await append('two');
      expect(await read('o')).toBe('onetwo');
      expect(await read('o', '1700000002.00000')).toBe('one');
    });

    test('metadata belong to the version', async () => {
      await put('o', 'one');
      const metadata = { 'x-object-meta-color': 'red' };
      expect(await store().updateObject(at('o'), { timestamp: nextTime(), metadata })).toMatchObject({
        versionId: '1700000002.00000',
        metadata,
      });
      await put('o', 'two');
      expect(await store().findObject(at('o', '1700000002.00000'))).toMatchObject({ metadata });
      expect((await store().findObject(at('o')))!.metadata).toEqual({});
    });

    test('what expires is the name, not the version', async () => {
      await put('o', 'one', { deleteAt: startMs / 1000 + 50 });
      setNow(startMs + 60_000);
      expect(await read('o')).toBeUndefined();
      expect(await read('o', '1700000002.00000')).toBe('one');
      expect(await list()).toEqual(['o@02']);
      await put('o', 'two');
      expect(await list()).toEqual(['o@03 latest', 'o@02']);
      expect(await read('o', '1700000002.00000')).toBe('one');
    });

    test('an expired version can be made current again', async () => {
      await put('o', 'one', { deleteAt: startMs / 1000 + 50 });
      setNow(startMs + 60_000);
      await store().restoreVersion(at('o', '1700000002.00000'), { timestamp: nextTime() });
      expect(await read('o')).toBe('one');
      expect(await counters()).toEqual({ objectCount: 1, bytesUsed: 3, versionCount: 0 });
    });

    test('a refused write changes nothing', async () => {
      await put('o', 'one');
      await expect(put('o', 'two', { etag: 'a'.repeat(32) })).rejects.toEqual(refusal('etagMismatch'));
      await expect(put('o', 'two', { ifAbsent: true })).rejects.toEqual(refusal('objectExists'));
      expect(await list()).toEqual(['o@02 latest']);
    });

    test('a deleted account takes its versions along', async () => {
      await put('o', 'one');
      await put('o', 'two');
      await store().deleteAccount(account);
      expect(await read('o', '1700000002.00000')).toBeUndefined();
      await expect(remove('o', '1700000002.00000')).rejects.toEqual(refusal('objectNotFound'));
      await expect(store().listVersions(home, { limit: 10 })).rejects.toEqual(refusal('containerNotFound'));
    });
  });

  describe('with versioning for a while', () => {
    const suspend = () =>
      store().updateContainer(home, { timestamp: nextTime(), metadata: {}, settings: { versioning: 'suspended' } });

    test('an object from before becomes a version under the time it was written', async () => {
      await container({});
      await put('o', 'before');
      expect((await store().findObject(at('o')))!.versionId).toBeUndefined();
      await container({ versioning: 'enabled' });
      expect((await store().findObject(at('o')))!.versionId).toBe('null');
      expect(await read('o', 'null')).toBe('before');
      expect(await list()).toEqual(['o@null latest']);
      await put('o', 'after');
      expect(await list()).toEqual(['o@04 latest', 'o@02']);
      expect(await read('o', '1700000002.00000')).toBe('before');
    });

    test('suspended, versions stay and new objects have no id', async () => {
      await container({ versioning: 'enabled' });
      await put('o', 'one');
      await suspend();
      expect((await put('o', 'two')).versionId).toBeUndefined();
      await put('o', 'three');
      expect(await list()).toEqual(['o@null latest', 'o@02']);
      expect(await read('o', 'null')).toBe('three');
      expect(await remove('o', 'null')).toEqual({ existed: true });
      expect(await list()).toEqual(['o@02']);
      await expect(remove('o')).rejects.toEqual(refusal('objectNotFound'));
      expect(await read('o', '1700000002.00000')).toBe('one');
    });

    test('suspended, deleting leaves the version and no marker', async () => {
      await container({ versioning: 'enabled' });
      await put('o', 'one');
      await suspend();
      expect(await remove('o')).toEqual({ existed: true });
      expect(await list()).toEqual(['o@02']);
    });

    test('deleting the version without id takes only the name from one that has', async () => {
      await container({ versioning: 'enabled' });
      await put('o', 'one');
      expect(await remove('o', 'null')).toEqual({ existed: true });
      expect(await read('o')).toBeUndefined();
      expect(await read('o', '1700000002.00000')).toBe('one');
    });

    test('a version that would have expired as an object still does', async () => {
      await container({});
      await put('o', 'before', { deleteAt: startMs / 1000 + 50 });
      await container({ versioning: 'enabled' });
      await put('o', 'after');
      expect(await read('o', '1700000002.00000')).toBe('before');
      setNow(startMs + 60_000);
      expect(await read('o', '1700000002.00000')).toBeUndefined();
    });
  });

  describe('lists of versions', () => {
    beforeEach(async () => {
      await container({});
      await put('b/plain');
      await container({ versioning: 'enabled' });
      for (const name of ['a', 'b/1', 'b/1', 'b/2', 'c']) await put(name);
      await remove('c');
    });
    const all = [
      'a@04 latest',
      'b/1@06 latest',
      'b/1@05',
      'b/2@07 latest',
      'b/plain@null latest',
      'c@09 deleted latest',
      'c@08',
    ];

    test('are in order of names, newest first, or the other way round', async () => {
      expect(await list()).toEqual(all);
      expect(await list({ reverse: true })).toEqual([...all].reverse());
    });

    test.each([1, 2, 3])('go on behind name and version, %i at a time', async (limit) => {
      for (const reverse of [false, true]) {
        const found: string[] = [];
        let query: Partial<VersionListQuery> = { limit, reverse };
        for (;;) {
          const page = await store().listVersions(home, { limit, ...query });
          if (page.length === 0) break;
          found.push(...page.map(shown));
          const last = page.at(-1) as VersionEntry;
          query = { limit, reverse, marker: last.name, versionMarker: last.versionId };
        }
        expect(found).toEqual(reverse ? [...all].reverse() : all);
      }
    });

    test('are cut by names and prefixes', async () => {
      expect(await list({ marker: 'b/1' })).toEqual(all.slice(3));
      expect(await list({ marker: 'b/1', reverse: true })).toEqual(all.slice(0, 1));
      expect(await list({ endMarker: 'b/2' })).toEqual(all.slice(0, 3));
      expect(await list({ endMarker: 'b/1', reverse: true })).toEqual([...all.slice(3)].reverse());
      expect(await list({ prefix: 'b/1' })).toEqual(all.slice(1, 3));
      expect(await list({ prefix: 'b/', limit: 2 })).toEqual(all.slice(1, 3));
    });

    test('roll names up', async () => {
      expect(await list({ delimiter: '/' })).toEqual(['a@04 latest', 'b/', 'c@09 deleted latest', 'c@08']);
      expect(await list({ delimiter: '/', reverse: true })).toEqual([
        'c@08',
        'c@09 deleted latest',
        'b/',
        'a@04 latest',
      ]);
      expect(await list({ delimiter: '/', marker: 'b/' })).toEqual(['c@09 deleted latest', 'c@08']);
    });

    test('show which is current after an older one was restored', async () => {
      await store().restoreVersion(at('b/1', '1700000005.00000'), { timestamp: nextTime() });
      expect(await list({ prefix: 'b/1' })).toEqual(['b/1@06', 'b/1@05 latest']);
      expect(await list({ marker: 'b/1', versionMarker: '1700000006.00000', limit: 1 })).toEqual(['b/1@05 latest']);
    });

    test('an object that was deleted for good leaves no older marker as the latest', async () => {
      await put('c', 'new');
      await put('c', 'newer');
      await remove('c', '1700000011.00000');
      expect(await list({ prefix: 'c' })).toEqual(['c@10', 'c@09 deleted', 'c@08']);
    });
  });

  describe('with an archive', () => {
    const older = async () =>
      (await store().listObjects(archive, { limit: 100 })).map((entry) => (entry as ObjectEntry).name);

    describe.each(['stack', 'history'] as const)('of mode %s', (mode) => {
      beforeEach(async () => {
        await container({}, archive);
        await container({ archive: { container: 'old', mode } });
      });

      test.each(Object.entries(bodies))('a replaced %s object moves there', async (_, sizeBytes) => {
        const one = '1'.repeat(sizeBytes);
        await put('o', one, { metadata: { 'x-object-meta-color': 'red' } });
        expect(await older()).toEqual([]);
        await put('o', 'two');
        expect(await older()).toEqual(['001o/1700000003.00000']);
        const moved = { ...archive, object: '001o/1700000003.00000' };
        expect(await read(moved)).toBe(one);
        expect(await store().findObject(moved)).toMatchObject({
          timestamp: '1700000004.00000',
          metadata: { 'x-object-meta-color': 'red' },
        });
        expect(await counters()).toEqual({ objectCount: 1, bytesUsed: 3, versionCount: 0 });
        expect(await store().findContainer(archive)).toMatchObject({ objectCount: 1, bytesUsed: sizeBytes });
        expect(await store().findAccount(account)).toMatchObject({ objectCount: 2, bytesUsed: 3 + sizeBytes });
      });

      test('names are measured in bytes', async () => {
        await put('ü', 'one');
        await put('ü', 'two');
        expect(await older()).toEqual(['002ü/1700000003.00000']);
      });

      test('nothing is replaced when the archive is gone', async () => {
        await put('o', 'one');
        await store().deleteContainer(archive);
        await expect(put('o', 'two')).rejects.toEqual(refusal('archiveNotFound'));
        expect(await read('o')).toBe('one');
        await put('other', 'is new');
      });

      test('concurrent writes lose nothing', async () => {
        const texts = Array.from({ length: 20 }, (_, index) => `text ${index}`);
        const timestamp = nextTime();
        await Promise.all(texts.map((text) => put('o', text, { timestamp })));
        const found = await Promise.all((await older()).map((object) => read({ ...archive, object })));
        expect([...found, await read('o')].sort()).toEqual([...texts].sort());
      });

      test('ends when it is taken away', async () => {
        await put('o', 'one');
        await store().updateContainer(home, { timestamp: nextTime(), metadata: {}, settings: { archive: null } });
        await put('o', 'two');
        expect(await older()).toEqual([]);
      });
    });

    test('of mode stack, deleting brings the one before back', async () => {
      await container({}, archive);
      await container({ archive: { container: 'old', mode: 'stack' } });
      for (const text of ['one', 'two', 'three']) await put('o', text);
      expect(await remove('o')).toEqual({ existed: true });
      expect(await read('o')).toBe('two');
      expect(await older()).toEqual(['001o/1700000003.00000']);
      await remove('o');
      expect(await read('o')).toBe('one');
      await remove('o');
      expect([await read('o'), await older()]).toEqual([undefined, []]);
      await expect(remove('o')).rejects.toEqual(refusal('objectNotFound'));
      expect(await store().findAccount(account)).toMatchObject({ objectCount: 0, bytesUsed: 0 });
    });

    test('of mode stack, concurrent deletes bring them back one after another', async () => {
      await container({}, archive);
      await container({ archive: { container: 'old', mode: 'stack' } });
      for (const text of ['1', '2', '3', '4', '5', '6']) await put('o', text);
      await Promise.all([remove('o'), remove('o'), remove('o')]);
      expect(await read('o')).toBe('3');
      expect((await older()).length).toBe(2);
    });

    test('of mode history, deleting moves the object and adds a marker', async () => {
      await container({}, archive);
      await container({ archive: { container: 'old', mode: 'history' } });
      await put('o', 'one');
      expect(await remove('o')).toEqual({ existed: true });
      expect(await read('o')).toBeUndefined();
      expect(await older()).toEqual(['001o/1700000003.00000', '001o/1700000004.00000']);
      const marker = { ...archive, object: '001o/1700000004.00000' };
      expect(await read(marker)).toBe('');
      expect((await store().findObject(marker))!.contentType).toBe('application/x-deleted;swift_versions_deleted=1');
      await expect(remove('o')).rejects.toEqual(refusal('objectNotFound'));
      expect((await older()).length).toBe(3);
    });

    test('after a change of mode a marker is taken back with what it hides', async () => {
      await container({}, archive);
      await container({ archive: { container: 'old', mode: 'history' } });
      await put('o', 'one');
      await remove('o');
      await container({ archive: { container: 'old', mode: 'stack' } });
      expect(await remove('o')).toEqual({ existed: true });
      expect(await read('o')).toBe('one');
      expect(await older()).toEqual([]);
    });
  });

  describe('of another policy', () => {
    test('containers are counted apart, and keep their policy', async () => {
      await container({});
      await container({ policy: 'relaxed', versioning: 'enabled' }, { account, container: 'r' });
      const path = { account, container: 'r', object: 'o' };
      const options = { contentType: 'text/plain', metadata: {}, maxBytes: 100 };
      await store().putObject(path, chunks('12345'), { ...options, timestamp: nextTime() });
      await store().putObject(path, chunks('1234567'), { ...options, timestamp: nextTime() });
      await put('o', 'one');
      expect(await store().findContainer(path)).toMatchObject({ policy: 'relaxed', bytesUsed: 12 });
      expect(await store().findAccount(account)).toMatchObject({
        containerCount: 2,
        objectCount: 3,
        bytesUsed: 15,
        policies: { relaxed: { containerCount: 1, objectCount: 2, bytesUsed: 12 } },
      });
      await expect(container({ policy: 'relaxed' })).rejects.toEqual(refusal('policyConflict'));
      await expect(container({ policy: null }, path)).rejects.toEqual(refusal('policyConflict'));
      await container({ policy: 'relaxed' }, path);
      for (const versionId of ['1700000003.00000', '1700000004.00000']) {
        await store().deleteObject({ ...path, versionId }, { timestamp: nextTime() });
      }
      await store().deleteContainer(path);
      expect((await store().findAccount(account))!.policies).toEqual({
        relaxed: { containerCount: 0, objectCount: 0, bytesUsed: 0 },
      });
    });

    test('large objects come back whole', async () => {
      await container({ policy: 'relaxed' });
      const text = 'x'.repeat(300_000);
      await put('o', text);
      expect(await read('o')).toBe(text);
    });
  });
}
