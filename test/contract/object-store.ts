import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type {
  ByteRange,
  ContainerSettings,
  Metadata,
  MetadataUpdate,
  ObjectEntry,
  ObjectPath,
  ObjectStore,
  PutObjectOptions,
  RequiredObject,
  SubdirEntry,
} from '@zerocloud/object-server/store/object-store';

import { describeVersions } from './object-versions';

/** A store with nothing in it, and how to get rid of it. */
export interface OpenedStore {
  store: ObjectStore;
  dispose(): Promise<void>;
}

export type OpenStore = (options: { now: () => number }) => Promise<OpenedStore>;

const account = 'AUTH_test';
const container = 'c';
const home = { account, container };
const t1 = '1700000001.00000';
const t2 = '1700000002.00000';
const startMs = 1_700_000_000_000;

/** Sizes on both sides of every threshold an implementation is likely to have. */
const sizes = [0, 1, 4096, 65_536, 65_537, 300_000, 3_000_000];

export function md5(data: Uint8Array): string {
  return createHash('md5').update(data).digest('hex');
}

/** Bytes that differ at every place where a mix-up could happen. */
export function someBytes(sizeBytes: number, seed = 1): Buffer {
  const bytes = Buffer.allocUnsafe(sizeBytes);
  let state = seed;
  for (let i = 0; i < sizeBytes; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

export async function* inChunks(data: Buffer, chunkBytes = 50_000): AsyncGenerator<Buffer> {
  for (let offset = 0; offset < data.length; offset += chunkBytes) yield data.subarray(offset, offset + chunkBytes);
}

async function bytesOf(body: Buffer | Readable): Promise<Buffer> {
  if (ArrayBuffer.isView(body)) return body as Buffer;
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const names = (entries: (ObjectEntry | SubdirEntry | { name: string })[]) =>
  entries.map((entry) => ('subdir' in entry ? `${entry.subdir} (subdir)` : entry.name));

/** The contract of `ObjectStore` as tests. */
export function describeObjectStore(name: string, openStore: OpenStore): void {
  describe(name, () => {
    let opened: OpenedStore;
    let store: ObjectStore;
    let nowMs: number;

    beforeEach(async () => {
      nowMs = startMs;
      opened = await openStore({ now: () => nowMs });
      store = opened.store;
    });
    afterEach(() => opened.dispose());

    const at = (object: string): ObjectPath => ({ ...home, object });
    const createContainer = (path = home) => store.putContainer(path, { timestamp: t1, metadata: {} });
    const put = (
      object: string | ObjectPath,
      data: Buffer | AsyncIterable<Uint8Array> = Buffer.from('x'),
      options: Partial<PutObjectOptions> = {},
    ) =>
      store.putObject(
        typeof object === 'string' ? at(object) : object,
        ArrayBuffer.isView(data) ? inChunks(data as Buffer) : data,
        { timestamp: t1, contentType: 'text/plain', metadata: {}, maxBytes: 5 * 2 ** 30, ...options },
      );
    const read = async (object: string | ObjectPath, range?: ByteRange) => {
      const found = await store.openObject(typeof object === 'string' ? at(object) : object);
      if (!found) throw new Error(`no object ${JSON.stringify(object)}`);
      try {
        return await bytesOf(await found.read(range));
      } finally {
        found.close();
      }
    };
    const counters = async () => {
      const { containerCount, ...ofAccount } = (await store.findAccount(account))!;
      const ofContainer = (await store.findContainer(home))!;
      expect([ofAccount.objectCount, ofAccount.bytesUsed]).toEqual([ofContainer.objectCount, ofContainer.bytesUsed]);
      return { containers: containerCount, objects: ofContainer.objectCount, bytes: ofContainer.bytesUsed };
    };
    const refusal = (code: string) => expect.objectContaining({ name: 'StorageError', code });

    describe('limits of metadata', () => {
      const limits = { maxMetaCount: 3, maxMetaOverallSize: 20 };
      const owners: [
        string,
        string,
        (metadata: MetadataUpdate) => Promise<unknown>,
        () => Promise<{ metadata: Metadata }>,
      ][] = [
        [
          'an account',
          'x-account-meta-',
          (metadata) => store.updateAccount(account, { timestamp: t1, metadata, limits }),
          async () => (await store.findAccount(account))!,
        ],
        [
          'an account that is put',
          'x-account-meta-',
          (metadata) => store.putAccount(account, { timestamp: t1, metadata, limits }),
          async () => (await store.findAccount(account))!,
        ],
        [
          'a container',
          'x-container-meta-',
          (metadata) => store.updateContainer(home, { timestamp: t1, metadata, limits }),
          async () => (await store.findContainer(home))!,
        ],
        [
          'a container that is put',
          'x-container-meta-',
          (metadata) => store.putContainer(home, { timestamp: t1, metadata, limits }),
          async () => (await store.findContainer(home))!,
        ],
      ];
      beforeEach(() => createContainer());

      test.each(owners)('hold for all that %s has', async (_who, prefix, update, find) => {
        const own = (text: string) => Object.fromEntries([...text].map((letter) => [prefix + letter, letter]));
        await update({ ...own('abc'), 'x-other': 'not counted' });
        await expect(update(own('d'))).rejects.toEqual(refusal('badMetadata'));
        await update({ [`${prefix}a`]: undefined, ...own('d') });
        await expect(update({ [`${prefix}d`]: 'é'.repeat(8) })).rejects.toEqual(refusal('badMetadata'));
        await update({ [`${prefix}d`]: `x${'é'.repeat(7)}` });
        expect(Object.keys((await find()).metadata).sort()).toEqual(
          ['b', 'c', 'd'].map((x) => prefix + x).concat('x-other'),
        );
      });

      test.each(owners)('hold for all that several updates at once make of %s', async (_who, prefix, update, find) => {
        const updates = [...'abcdef'].map((letter) => update({ [prefix + letter]: '1' }));
        const settled = await Promise.allSettled(updates);
        expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
        expect(Object.keys((await find()).metadata)).toHaveLength(3);
      });
    });

    test('versions are not kept in two ways, whoever asks for both at once', async () => {
      await createContainer();
      const update = (settings: ContainerSettings) =>
        store.updateContainer(home, { timestamp: t2, metadata: { set: JSON.stringify(settings) }, settings });
      const versioned: ContainerSettings = { versioning: 'enabled' };
      const archived: ContainerSettings = { archive: { container: 'old', mode: 'stack' } };
      const [first, second] = await Promise.allSettled([update(versioned), update(archived)]);
      expect(first.status).toBe('fulfilled');
      expect(second).toMatchObject({ reason: refusal('policyConflict') });
      expect((await store.findContainer(home))!.archive).toBeUndefined();
      await update({ versioning: 'suspended' });
      await update(archived);
      await expect(update(versioned)).rejects.toEqual(refusal('policyConflict'));
      expect(await store.findContainer(home)).toMatchObject({ metadata: { set: JSON.stringify(archived) } });
      await update({ archive: null, ...versioned });
    });

    describe('writes that depend on another object', () => {
      const guard = { account, container: 'guards', object: 'guard' };
      const guardMetadata = { seen: '1', kept: 'k' };
      const required = { container: 'guards', object: 'guard', metadata: {}, becomes: 'deleted' as const };
      beforeEach(async () => {
        await createContainer();
        await createContainer({ account, container: 'guards' });
        await put(guard, Buffer.from('guard'), { metadata: guardMetadata });
        await put('source', Buffer.from('source'));
      });
      const write = async (how: string, requires: RequiredObject) => {
        if (how === 'a small body') return put('o', Buffer.from('new'), { requires });
        if (how === 'a large body') return put('o', someBytes(100_000), { requires });
        const { bodyId } = (await store.findObject(at('source')))!;
        const options = { timestamp: t2, sourceBodyId: bodyId, contentType: 'a/b', metadata: {}, requires };
        return store.copyObject(at('source'), at('o'), options);
      };

      describe.each(['a small body', 'a large body', 'a copy'])('%s', (how) => {
        test('takes it along', async () => {
          await write(how, { ...required, metadata: { seen: '1', missing: '' } });
          expect(await store.findObject(guard)).toBeUndefined();
          expect(await store.findObject(at('o'))).toBeDefined();
          expect(await store.findAccount(account)).toMatchObject({ objectCount: 2 });
          await expect(write(how, required)).rejects.toEqual(refusal('requirementNotMet'));
        });

        test('leaves a note with it', async () => {
          await write(how, { ...required, becomes: { seen: '2' } });
          expect(await store.findObject(guard)).toMatchObject({ timestamp: t1, metadata: { seen: '2', kept: 'k' } });
          expect((await read(guard)).toString()).toBe('guard');
        });

        test.each<[string, Partial<RequiredObject>]>([
          ['is not there', { object: 'other' }],
          ['has no container', { container: 'other' }],
          ['has other metadata', { metadata: { seen: '2' } }],
          ['has metadata that it should not have', { metadata: { seen: '' } }],
          ['lacks metadata', { metadata: { missing: 'x' } }],
        ])('is refused when it %s, and leaves nothing', async (_what, change) => {
          const before = await store.findAccount(account);
          await expect(write(how, { ...required, ...change })).rejects.toEqual(refusal('requirementNotMet'));
          expect(await store.findObject(at('o'))).toBeUndefined();
          expect(await store.findObject(guard)).toMatchObject({ metadata: guardMetadata });
          expect(await store.findAccount(account)).toEqual(before);
        });

        test('is refused when it has expired', async () => {
          await put(guard, Buffer.from('guard'), { deleteAt: startMs / 1000 + 5 });
          nowMs += 5000;
          await expect(write(how, required)).rejects.toEqual(refusal('requirementNotMet'));
        });
      });

      test('of many at once only one takes it', async () => {
        const requires = { ...required, metadata: { seen: '1' } };
        const writes = Array.from({ length: 10 }, (_, i) => put(`o${i}`, someBytes(i * 20_000), { requires }));
        const settled = await Promise.allSettled(writes);
        expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
        expect(await store.listObjects(home, { limit: 100, prefix: 'o' })).toHaveLength(1);
      });
    });

    describe('objects that are kept', () => {
      describeVersions({
        store: () => store,
        setNow: (ms) => {
          nowMs = ms;
        },
      });
    });

    describe('accounts', () => {
      test('are created once and keep when that was', async () => {
        expect(await store.findAccount(account)).toBeUndefined();
        expect(await store.putAccount(account, { timestamp: t1, metadata: {} })).toEqual({ created: true });
        expect(await store.putAccount(account, { timestamp: t2, metadata: {} })).toEqual({ created: false });
        expect(await store.findAccount(account)).toEqual({
          createdAt: t1,
          containerCount: 0,
          objectCount: 0,
          bytesUsed: 0,
          metadata: {},
        });
      });

      test('merge metadata, undefined removes a pair', async () => {
        await store.putAccount(account, { timestamp: t1, metadata: { a: '1', b: '2' } });
        await store.updateAccount(account, { timestamp: t2, metadata: { b: undefined, c: '3' } });
        await store.putAccount(account, { timestamp: t2, metadata: { d: '4', missing: undefined } });
        expect((await store.findAccount(account))?.metadata).toEqual({ a: '1', c: '3', d: '4' });
      });

      test('take any metadata name, __proto__ too', async () => {
        const metadata = JSON.parse('{"__proto__":"p","constructor":"c"}') as Record<string, string>;
        await store.putAccount(account, { timestamp: t1, metadata });
        await store.updateAccount(account, { timestamp: t1, metadata: { a: '1' } });
        const found = (await store.findAccount(account))!.metadata;
        expect(Object.entries(found).sort()).toEqual([
          ['__proto__', 'p'],
          ['a', '1'],
          ['constructor', 'c'],
        ]);
      });

      test('are not updated or deleted when they are not there', async () => {
        await expect(store.updateAccount(account, { timestamp: t1, metadata: {} })).rejects.toEqual(
          refusal('accountNotFound'),
        );
        await expect(store.deleteAccount(account)).rejects.toEqual(refusal('accountNotFound'));
        expect(await store.isAccountDeleted(account)).toBe(false);
        expect(await store.listContainers(account, { limit: 10 })).toEqual([]);
      });

      test('appear with their first container', async () => {
        await createContainer();
        expect(await store.findAccount(account)).toMatchObject({ createdAt: t1, containerCount: 1 });
      });

      test('are out of reach with all they hold once deleted', async () => {
        await createContainer();
        await put('small');
        await store.deleteAccount(account);
        expect(await store.isAccountDeleted(account)).toBe(true);
        expect(await store.findAccount(account)).toBeUndefined();
        expect(await store.findContainer(home)).toBeUndefined();
        expect(await store.findObject(at('small'))).toBeUndefined();
        expect(await store.openObject(at('small'))).toBeUndefined();
        expect(await store.listContainers(account, { limit: 10 })).toEqual([]);
        await expect(store.listObjects(home, { limit: 10 })).rejects.toEqual(refusal('containerNotFound'));
        await expect(put('more')).rejects.toEqual(refusal('containerNotFound'));
        await expect(store.deleteObject(at('small'), { timestamp: t2 })).rejects.toEqual(refusal('objectNotFound'));
        await expect(store.updateContainer(home, { timestamp: t2, metadata: {} })).rejects.toEqual(
          refusal('containerNotFound'),
        );
        await expect(store.deleteContainer(home)).rejects.toEqual(refusal('containerNotFound'));
        await expect(createContainer()).rejects.toEqual(refusal('accountDeleted'));
        await expect(store.putAccount(account, { timestamp: t2, metadata: {} })).rejects.toEqual(
          refusal('accountDeleted'),
        );
        await expect(store.deleteAccount(account)).rejects.toEqual(refusal('accountNotFound'));
      });

      test('do not mix with one whose name they begin', async () => {
        await createContainer();
        await createContainer({ account: 'AUTH_test2', container });
        await createContainer({ account: 'AUTH_tes', container: 'other' });
        expect(names((await store.listContainers(account, { limit: 10 })) as never)).toEqual([container]);
      });
    });

    describe('containers', () => {
      test('are created once, and a second put merges metadata', async () => {
        expect(await store.putContainer(home, { timestamp: t1, metadata: { a: '1' } })).toEqual({ created: true });
        expect(await store.putContainer(home, { timestamp: t2, metadata: { b: '2' } })).toEqual({ created: false });
        expect(await store.findContainer(home)).toEqual({
          createdAt: t1,
          putAt: t2,
          objectCount: 0,
          bytesUsed: 0,
          metadata: { a: '1', b: '2' },
        });
        expect(await store.findAccount(account)).toMatchObject({ containerCount: 1 });
      });

      test('merge metadata in an update, undefined removes a pair', async () => {
        await store.putContainer(home, { timestamp: t1, metadata: { a: '1', b: '2' } });
        await store.updateContainer(home, { timestamp: t2, metadata: { a: undefined } });
        expect(await store.findContainer(home)).toMatchObject({ putAt: t2, metadata: { b: '2' } });
      });

      test('are not updated, deleted or listed when they are not there', async () => {
        expect(await store.findContainer(home)).toBeUndefined();
        const refused = refusal('containerNotFound');
        await expect(store.updateContainer(home, { timestamp: t1, metadata: {} })).rejects.toEqual(refused);
        await expect(store.deleteContainer(home)).rejects.toEqual(refused);
        await expect(store.listObjects(home, { limit: 10 })).rejects.toEqual(refused);
      });

      test('are deleted only when empty', async () => {
        await createContainer();
        await put('o');
        await expect(store.deleteContainer(home)).rejects.toEqual(refusal('containerNotEmpty'));
        await store.deleteObject(at('o'), { timestamp: t2 });
        await store.deleteContainer(home);
        expect(await store.findContainer(home)).toBeUndefined();
        expect(await store.findAccount(account)).toMatchObject({ containerCount: 0, objectCount: 0, bytesUsed: 0 });
      });

      test('are listed with their exact counters', async () => {
        await createContainer();
        await store.putContainer({ account, container: 'empty' }, { timestamp: t2, metadata: {} });
        await put('o', Buffer.alloc(10));
        await put('p', Buffer.alloc(100_000));
        expect(await store.listContainers(account, { limit: 10 })).toEqual([
          { name: 'c', objectCount: 2, bytesUsed: 100_010, putAt: t1 },
          { name: 'empty', objectCount: 0, bytesUsed: 0, putAt: t2 },
        ]);
      });

      test('are listed by prefix, delimiter, markers, limit and in reverse', async () => {
        for (const each of ['a', 'b-1', 'b-2', 'b3', 'd']) await createContainer({ account, container: each });
        const list = async (query: object) =>
          names((await store.listContainers(account, { limit: 10, ...query })) as never);
        expect(await list({ limit: 2 })).toEqual(['a', 'b-1']);
        expect(await list({ marker: 'b-1', endMarker: 'd' })).toEqual(['b-2', 'b3']);
        expect(await list({ prefix: 'b' })).toEqual(['b-1', 'b-2', 'b3']);
        expect(await list({ delimiter: '-' })).toEqual(['a', 'b- (subdir)', 'b3', 'd']);
        expect(await list({ reverse: true, marker: 'd' })).toEqual(['b3', 'b-2', 'b-1', 'a']);
      });
    });

    describe('objects', () => {
      beforeEach(() => createContainer());

      test.each(sizes)('of %i bytes come back whole', async (sizeBytes) => {
        const data = someBytes(sizeBytes);
        const record = await put('o', data, { metadata: { 'x-object-meta-a': 'b' }, timestamp: t2 });
        expect(record).toMatchObject({
          timestamp: t2,
          sizeBytes,
          etag: md5(data),
          contentType: 'text/plain',
          metadata: { 'x-object-meta-a': 'b' },
        });
        expect(record.bodyId).not.toBe('');
        expect(await store.findObject(at('o'))).toEqual(record);
        expect((await read('o')).equals(data)).toBe(true);
        expect(await counters()).toEqual({ containers: 1, objects: 1, bytes: sizeBytes });
      });

      test.each(sizes.filter((size) => size > 1))('of %i bytes give any range', async (sizeBytes) => {
        const data = someBytes(sizeBytes);
        await put('o', data, { contentLength: sizeBytes });
        const last = sizeBytes - 1;
        for (const [start, end] of [
          [0, 0],
          [0, last],
          [last, last],
          [1, last >> 1],
          [last >> 1, last],
        ] as const) {
          expect((await read('o', { start, end })).equals(data.subarray(start, end + 1))).toBe(true);
        }
      });

      test('are read several times from one opening, also at once', async () => {
        const data = someBytes(2_000_000);
        await put('o', data);
        const found = (await store.openObject(at('o')))!;
        const ranges = [{ start: 5, end: 9 }, undefined, { start: 400_000, end: 1_999_999 }];
        const parts = await Promise.all(ranges.map(async (range) => bytesOf(await found.read(range))));
        found.close();
        expect(parts[0]!.equals(data.subarray(5, 10))).toBe(true);
        expect(parts[1]!.equals(data)).toBe(true);
        expect(parts[2]!.equals(data.subarray(400_000))).toBe(true);
      });

      test('are undefined when they are not there', async () => {
        expect(await store.findObject(at('no'))).toBeUndefined();
        expect(await store.openObject(at('no'))).toBeUndefined();
        expect(await store.findObject({ ...at('no'), container: 'no' })).toBeUndefined();
      });

      test('replace each other under new body ids, and counters follow', async () => {
        const first = await put('o', someBytes(100_000));
        const second = await put('o', someBytes(10));
        expect(second.bodyId).not.toBe(first.bodyId);
        expect(await counters()).toEqual({ containers: 1, objects: 1, bytes: 10 });
        await put('o', someBytes(200_000));
        expect(await counters()).toEqual({ containers: 1, objects: 1, bytes: 200_000 });
      });

      test('are deleted once', async () => {
        await put('o', someBytes(100_000));
        await store.deleteObject(at('o'), { timestamp: t2 });
        expect(await store.findObject(at('o'))).toBeUndefined();
        expect(await counters()).toEqual({ containers: 1, objects: 0, bytes: 0 });
        await expect(store.deleteObject(at('o'), { timestamp: t2 })).rejects.toEqual(refusal('objectNotFound'));
        expect(await counters()).toEqual({ containers: 1, objects: 0, bytes: 0 });
      });

      test.each([10, 1_000_000])(
        'of %i bytes stay readable for who opened them before they were replaced or deleted',
        async (sizeBytes) => {
          const data = someBytes(sizeBytes);
          await put('o', data);
          const beforeReplacing = (await store.openObject(at('o')))!;
          await put('o', someBytes(sizeBytes, 2));
          const beforeDeleting = (await store.openObject(at('o')))!;
          await store.deleteObject(at('o'), { timestamp: t2 });
          expect((await bytesOf(await beforeReplacing.read())).equals(data)).toBe(true);
          expect((await bytesOf(await beforeDeleting.read())).equals(someBytes(sizeBytes, 2))).toBe(true);
          const running = await beforeReplacing.read();
          beforeReplacing.close();
          beforeDeleting.close();
          expect((await bytesOf(running)).equals(data)).toBe(true);
        },
      );

      test('in different containers and accounts are different', async () => {
        const elsewhere = { account, container: 'c2', object: 'o' };
        await createContainer(elsewhere);
        await put('o', Buffer.from('here'));
        await put(elsewhere, Buffer.from('there'));
        await store.deleteObject(at('o'), { timestamp: t2 });
        expect((await read(elsewhere)).toString()).toBe('there');
        expect(await store.findAccount(account)).toMatchObject({ containerCount: 2, objectCount: 1, bytesUsed: 5 });
      });
    });

    describe('an upload is refused', () => {
      beforeEach(() => createContainer());
      const nothingStored = async () => {
        expect(await store.findObject(at('o'))).toBeUndefined();
        expect(await counters()).toEqual({ containers: 1, objects: 0, bytes: 0 });
      };

      test('without a container, before the body is read', async () => {
        let isRead = false;
        const body = (async function* () {
          isRead = true;
          yield Buffer.from('x');
        })();
        await expect(put({ ...at('o'), container: 'no' }, body)).rejects.toEqual(refusal('containerNotFound'));
        expect(isRead).toBe(false);
      });

      test.each([10, 100_000])('when the container goes while %i bytes arrive', async (sizeBytes) => {
        const body = (async function* () {
          yield someBytes(sizeBytes);
          await store.deleteContainer(home);
        })();
        await expect(put('o', body)).rejects.toEqual(refusal('containerNotFound'));
        expect(await store.findAccount(account)).toMatchObject({ containerCount: 0, objectCount: 0, bytesUsed: 0 });
      });

      test.each([10, 100_000])('when its md5 is not the expected one (%i bytes)', async (sizeBytes) => {
        const data = someBytes(sizeBytes);
        await expect(put('o', data, { etag: md5(Buffer.from('else')) })).rejects.toEqual(refusal('etagMismatch'));
        await nothingStored();
        await put('o', data, { etag: md5(data).toUpperCase() });
      });

      test.each([
        ['short', 10, 11],
        ['long', 10, 9],
        ['short', 100_000, 100_001],
        ['long', 100_000, 99_999],
        ['short of a large length', 10, 10_000_000],
        ['long for a small length', 100_000, 10],
      ])('when it is too %s: %i bytes instead of %i', async (_how, sizeBytes, contentLength) => {
        await expect(put('o', someBytes(sizeBytes), { contentLength })).rejects.toEqual(refusal('bodyLengthMismatch'));
        await nothingStored();
      });

      test.each([
        [11, 10],
        [100_001, 100_000],
      ])('when it has %i bytes and %i are allowed', async (sizeBytes, maxBytes) => {
        const tooLarge = refusal('objectTooLarge');
        await expect(put('o', someBytes(sizeBytes), { maxBytes })).rejects.toEqual(tooLarge);
        await expect(put('o', someBytes(sizeBytes), { maxBytes, contentLength: sizeBytes })).rejects.toEqual(tooLarge);
        await nothingStored();
        await put('o', someBytes(maxBytes), { maxBytes });
      });

      test.each([10, 2_500_000])('when it breaks off after %i bytes', async (sizeBytes) => {
        const body = (async function* () {
          yield someBytes(sizeBytes);
          throw new Error('connection reset');
        })();
        await expect(put('o', body)).rejects.toEqual(refusal('bodyAborted'));
        await nothingStored();
      });

      test('when the name is taken and must not be, before the body is read', async () => {
        await put('o', Buffer.from('first'));
        let isRead = false;
        const body = (async function* () {
          isRead = true;
          yield Buffer.from('second');
        })();
        await expect(put('o', body, { ifAbsent: true })).rejects.toEqual(refusal('objectExists'));
        expect(isRead).toBe(false);
        expect((await read('o')).toString()).toBe('first');
      });

      test.each([10, 100_000])('to all but one of many that want the same free name (%i bytes)', async (sizeBytes) => {
        const uploads = Array.from({ length: 10 }, (_, i) => put('o', someBytes(sizeBytes, i), { ifAbsent: true }));
        const outcomes = await Promise.allSettled(uploads);
        expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
        for (const outcome of outcomes) {
          if (outcome.status === 'rejected') expect(outcome.reason).toEqual(refusal('objectExists'));
        }
        expect(await counters()).toEqual({ containers: 1, objects: 1, bytes: sizeBytes });
      });

      test('and leaves the object of that name as it was', async () => {
        await put('o', Buffer.from('first'));
        await expect(put('o', Buffer.from('second'), { etag: md5(Buffer.from('x')) })).rejects.toThrow();
        expect((await read('o')).toString()).toBe('first');
      });
    });

    describe('copies', () => {
      beforeEach(() => createContainer());
      const copy = (source: string, target: string | ObjectPath, options = {}) =>
        store.findObject(at(source)).then((record) =>
          store.copyObject(at(source), typeof target === 'string' ? at(target) : target, {
            timestamp: t2,
            sourceBodyId: record?.bodyId ?? 'none',
            contentType: 'text/html',
            metadata: { 'x-object-meta-copied': 'yes' },
            ...options,
          }),
        );

      test.each([10, 1_000_000])('of %i bytes share the body and outlive the source', async (sizeBytes) => {
        const data = someBytes(sizeBytes);
        const source = await put('source', data);
        const copied = await copy('source', 'target');
        expect(copied).toEqual({
          ...source,
          timestamp: t2,
          contentType: 'text/html',
          metadata: { 'x-object-meta-copied': 'yes' },
        });
        expect(await store.findObject(at('target'))).toEqual(copied);
        expect(await counters()).toEqual({ containers: 1, objects: 2, bytes: 2 * sizeBytes });
        await copy('target', 'third');
        await store.deleteObject(at('source'), { timestamp: t2 });
        await put('target', Buffer.from('other'));
        expect((await read('third')).equals(data)).toBe(true);
        expect(await counters()).toEqual({ containers: 1, objects: 2, bytes: sizeBytes + 5 });
      });

      test.each([10, 1_000_000])('of %i bytes onto themselves change the metadata only', async (sizeBytes) => {
        const data = someBytes(sizeBytes);
        await put('o', data, { deleteAt: startMs / 1000 + 100 });
        for (let i = 0; i < 3; i++) await copy('o', 'o');
        expect(await store.findObject(at('o'))).toMatchObject({ contentType: 'text/html' });
        expect((await store.findObject(at('o')))!.deleteAt).toBeUndefined();
        expect((await read('o')).equals(data)).toBe(true);
        expect(await counters()).toEqual({ containers: 1, objects: 1, bytes: sizeBytes });
      });

      test('replace what has the name', async () => {
        await put('source', someBytes(100_000));
        await put('target', someBytes(200_000));
        await copy('source', 'target');
        expect(await counters()).toEqual({ containers: 1, objects: 2, bytes: 200_000 });
      });

      test('are refused when the source is gone or has another body by now', async () => {
        const { bodyId } = await put('source');
        await put('source', Buffer.from('newer'));
        const refused = refusal('objectNotFound');
        await expect(copy('source', 'target', { sourceBodyId: bodyId })).rejects.toEqual(refused);
        await expect(copy('no', 'target')).rejects.toEqual(refused);
        expect(await store.findObject(at('target'))).toBeUndefined();
      });

      test('are refused without a container for them, or onto a taken name on request', async () => {
        await put('source');
        await put('target');
        const elsewhere = { account, container: 'no', object: 'o' };
        await expect(copy('source', elsewhere)).rejects.toEqual(refusal('containerNotFound'));
        await expect(copy('source', 'target', { ifAbsent: true })).rejects.toEqual(refusal('objectExists'));
        expect(await copy('source', 'free', { ifAbsent: true })).toMatchObject({ sizeBytes: 1 });
      });
    });

    describe('updates of an object', () => {
      beforeEach(() => createContainer());

      test('replace its metadata but system metadata, and keep its body', async () => {
        const old = { 'x-object-meta-a': '1', 'content-encoding': 'gzip', 'x-object-sysmeta-s': 'kept' };
        const record = await put('o', Buffer.from('body'), { metadata: old });
        await store.updateObject(at('o'), { timestamp: t2, metadata: { 'x-object-meta-b': '2' } });
        expect(await store.findObject(at('o'))).toEqual({
          ...record,
          timestamp: t2,
          metadata: { 'x-object-meta-b': '2', 'x-object-sysmeta-s': 'kept' },
        });
        expect((await read('o')).toString()).toBe('body');
        expect(await counters()).toEqual({ containers: 1, objects: 1, bytes: 4 });
      });

      test('change the system metadata that they name, of the content that they mean', async () => {
        const old = { 'x-object-meta-a': '1', 'x-object-sysmeta-s': 'kept', 'x-object-sysmeta-t': 'old' };
        const { bodyId } = await put('o', Buffer.from('body'), { metadata: old });
        const systemMetadata = { 'x-object-sysmeta-t': 'new' };
        const options = { timestamp: t2, metadata: { 'x-object-meta-a': '1' }, systemMetadata };
        await store.updateObject(at('o'), { ...options, bodyId });
        expect((await store.findObject(at('o')))?.metadata).toEqual({ ...old, ...systemMetadata });
        await put('o', Buffer.from('other'), {});
        await expect(store.updateObject(at('o'), { ...options, bodyId })).rejects.toEqual(refusal('objectNotFound'));
        expect((await store.findObject(at('o')))?.metadata).toEqual({});
      });

      test('change the content type only when they name one', async () => {
        await put('o');
        await store.updateObject(at('o'), { timestamp: t2, metadata: {}, contentType: 'image/png' });
        await store.updateObject(at('o'), { timestamp: t2, metadata: {} });
        expect(await store.findObject(at('o'))).toMatchObject({ contentType: 'image/png' });
      });

      test('set and remove the expiry', async () => {
        const deleteAt = startMs / 1000 + 50;
        await put('o');
        await store.updateObject(at('o'), { timestamp: t2, metadata: {}, deleteAt });
        expect(await store.findObject(at('o'))).toMatchObject({ deleteAt });
        await store.updateObject(at('o'), { timestamp: t2, metadata: {} });
        nowMs += 100_000;
        expect(await store.findObject(at('o'))).not.toHaveProperty('deleteAt');
      });

      test('are refused when it is not there', async () => {
        await expect(store.updateObject(at('o'), { timestamp: t2, metadata: {} })).rejects.toEqual(
          refusal('objectNotFound'),
        );
      });
    });

    describe('appending to an object', () => {
      beforeEach(() => createContainer());
      const append = (object: string, text: string | Buffer) =>
        store.appendObject(at(object), Buffer.from(text as string), { timestamp: t2, contentType: 'text/log' });

      test('makes it, then lets it grow, with all that follows from its size', async () => {
        expect(await append('log', 'one\n')).toMatchObject({ sizeBytes: 4, contentType: 'text/log', timestamp: t2 });
        const record = await append('log', 'two\n');
        expect(record).toMatchObject({ sizeBytes: 8, etag: md5(Buffer.from('one\ntwo\n')) });
        expect(await store.findObject(at('log'))).toEqual(record);
        expect((await read('log')).toString()).toBe('one\ntwo\n');
        expect(await counters()).toEqual({ containers: 1, objects: 1, bytes: 8 });
      });

      test('keeps its type and metadata, and leaves copies as they are', async () => {
        const { bodyId } = await put('o', Buffer.from('old '), { metadata: { 'x-object-meta-a': '1' } });
        const copy = { timestamp: t1, sourceBodyId: bodyId, contentType: 'text/plain', metadata: {} };
        await store.copyObject(at('o'), at('copy'), copy);
        const record = await append('o', 'new');
        expect(record).toMatchObject({ contentType: 'text/plain', metadata: { 'x-object-meta-a': '1' } });
        expect(record.bodyId).not.toBe(bodyId);
        expect([String(await read('o')), String(await read('copy'))]).toEqual(['old new', 'old ']);
      });

      test('loses nothing of many writers', async () => {
        const parts = Array.from({ length: 50 }, (_, index) => `${index}\n`);
        await Promise.all(parts.map((part) => append('log', part)));
        expect(
          String(await read('log'))
            .trimEnd()
            .split('\n')
            .sort(),
        ).toEqual(parts.map((part) => part.trim()).sort());
      });

      test('is refused beyond 64 KiB, and leaves it as it is', async () => {
        await append('log', Buffer.alloc(65_000, 'x'));
        await expect(append('log', Buffer.alloc(600, 'y'))).rejects.toEqual(refusal('objectTooLarge'));
        await append('log', Buffer.alloc(536, 'z'));
        expect(await counters()).toEqual({ containers: 1, objects: 1, bytes: 65_536 });
        await put('blob', someBytes(300_000));
        await expect(append('blob', 'y')).rejects.toEqual(refusal('objectTooLarge'));
      });

      test('is refused without the container', async () => {
        const nowhere = { ...home, container: 'none', object: 'o' };
        const options = { timestamp: t2, contentType: 'text/log' };
        await expect(store.appendObject(nowhere, Buffer.from('x'), options)).rejects.toEqual(
          refusal('containerNotFound'),
        );
      });
    });

    describe('an object that expires', () => {
      const deleteAt = startMs / 1000 + 10;
      beforeEach(async () => {
        await createContainer();
        await put('o', Buffer.from('12345'), { deleteAt });
      });

      test('is there until its second, and not from then on', async () => {
        nowMs = deleteAt * 1000 - 1;
        expect(await store.findObject(at('o'))).toMatchObject({ deleteAt });
        nowMs = deleteAt * 1000;
        expect(await store.findObject(at('o'))).toBeUndefined();
        expect(await store.openObject(at('o'))).toBeUndefined();
      });

      test('counts as missing for every operation', async () => {
        const { bodyId } = (await store.findObject(at('o')))!;
        nowMs = deleteAt * 1000;
        const refused = refusal('objectNotFound');
        await expect(store.deleteObject(at('o'), { timestamp: t2 })).rejects.toEqual(refused);
        await expect(store.updateObject(at('o'), { timestamp: t2, metadata: {} })).rejects.toEqual(refused);
        const options = { timestamp: t2, sourceBodyId: bodyId, contentType: 'a/b', metadata: {} };
        await expect(store.copyObject(at('o'), at('target'), options)).rejects.toEqual(refused);
        expect(await counters()).toEqual({ containers: 1, objects: 0, bytes: 0 });
        await put('o', Buffer.from('new'), { ifAbsent: true });
        expect((await read('o')).toString()).toBe('new');
        expect(await counters()).toEqual({ containers: 1, objects: 1, bytes: 3 });
      });
    });

    describe('listings of objects', () => {
      beforeEach(() => createContainer());
      const fill = (objects: string[]) => Promise.all(objects.map((object) => put(object)));
      const list = async (query: object = {}) => names(await store.listObjects(home, { limit: 100, ...query }));

      test('show every field', async () => {
        const { etag } = await put('o', Buffer.from('abc'), { metadata: { 'x-object-sysmeta-x': 'y' } });
        expect(await store.listObjects(home, { limit: 10 })).toEqual([
          {
            name: 'o',
            sizeBytes: 3,
            etag,
            contentType: 'text/plain',
            timestamp: t1,
            metadata: { 'x-object-sysmeta-x': 'y' },
          },
        ]);
      });

      test('are in UTF-8 byte order, not in that of UTF-16', async () => {
        // U+E000 sorts before U+1F600 and U+10FFFF in UTF-8, and behind them in UTF-16.
        const ordered = [
          '.hidden',
          '/',
          '/a',
          'A',
          'a',
          'a\n',
          'a b',
          'a//b',
          'ä',
          '\ud7ff',
          '\ue000',
          '\uffff',
          '😀',
          '\u{10ffff}',
        ];
        await fill([...ordered].reverse());
        expect(await list()).toEqual(ordered);
        expect(await list({ reverse: true })).toEqual([...ordered].reverse());
        for (const [index, name] of ordered.entries()) {
          expect(await list({ marker: name })).toEqual(ordered.slice(index + 1));
          expect(await list({ endMarker: name })).toEqual(ordered.slice(0, index));
          expect(await list({ prefix: name })).toEqual(ordered.filter((other) => other.startsWith(name)));
          expect((await read(name)).toString()).toBe('x');
        }
      });

      test('find names that hold prefix and delimiter of many bytes', async () => {
        await fill(['\u{10ffff}\u{10ffff}x', '\u{10ffff}😀x', 'é😀a', 'é😀b', 'éz']);
        expect(await list({ prefix: '\u{10ffff}' })).toEqual(['\u{10ffff}😀x', '\u{10ffff}\u{10ffff}x']);
        expect(await list({ delimiter: '😀' })).toEqual([
          'éz',
          'é😀 (subdir)',
          '\u{10ffff}😀 (subdir)',
          '\u{10ffff}\u{10ffff}x',
        ]);
        expect(await list({ delimiter: '\u{10ffff}' })).toEqual(['éz', 'é😀a', 'é😀b', '\u{10ffff} (subdir)']);
      });

      test('are cut by markers, both exclusive, and by a limit', async () => {
        await fill(['a', 'b', 'c', 'd']);
        expect(await list({ marker: 'a', endMarker: 'd' })).toEqual(['b', 'c']);
        expect(await list({ marker: 'aa' })).toEqual(['b', 'c', 'd']);
        expect(await list({ limit: 2 })).toEqual(['a', 'b']);
        expect(await list({ limit: 0 })).toEqual([]);
        expect(await list({ marker: 'c', endMarker: 'b' })).toEqual([]);
        expect(await list({ marker: '', endMarker: '' })).toEqual(['a', 'b', 'c', 'd']);
        expect(await list({ reverse: true, marker: 'd', endMarker: 'a' })).toEqual(['c', 'b']);
        expect(await list({ reverse: true, limit: 1, marker: 'c' })).toEqual(['b']);
      });

      test('are limited by a prefix, whatever the markers', async () => {
        await fill(['a', 'ba', 'bb', 'bc', 'c']);
        expect(await list({ prefix: 'b' })).toEqual(['ba', 'bb', 'bc']);
        expect(await list({ prefix: 'b', marker: 'a' })).toEqual(['ba', 'bb', 'bc']);
        expect(await list({ prefix: 'b', marker: 'ba', endMarker: 'z' })).toEqual(['bb', 'bc']);
        expect(await list({ prefix: 'b', marker: 'c' })).toEqual([]);
        expect(await list({ prefix: 'b', reverse: true, marker: 'bc' })).toEqual(['bb', 'ba']);
        expect(await list({ prefix: '' })).toEqual(['a', 'ba', 'bb', 'bc', 'c']);
      });

      test('roll names up behind a delimiter', async () => {
        await fill(['a', 'b/', 'b/1', 'b/2/x', 'b/2/y', 'b0', 'c/1', 'd']);
        expect(await list({ delimiter: '/' })).toEqual(['a', 'b/ (subdir)', 'b0', 'c/ (subdir)', 'd']);
        expect(await list({ delimiter: '/', prefix: 'b/' })).toEqual(['b/', 'b/1', 'b/2/ (subdir)']);
        expect(await list({ delimiter: '/', prefix: 'b' })).toEqual(['b/ (subdir)', 'b0']);
        expect(await list({ delimiter: '/', reverse: true })).toEqual(['d', 'c/ (subdir)', 'b0', 'b/ (subdir)', 'a']);
        expect(await list({ delimiter: '/', limit: 2 })).toEqual(['a', 'b/ (subdir)']);
        expect(await list({ delimiter: '/', reverse: true, limit: 2 })).toEqual(['d', 'c/ (subdir)']);
      });

      test('go on behind a subdir that is the marker, and repeat it for a marker inside', async () => {
        await fill(['a', 'b/1', 'b/2', 'c']);
        expect(await list({ delimiter: '/', marker: 'b/' })).toEqual(['c']);
        expect(await list({ delimiter: '/', marker: 'b/1' })).toEqual(['b/ (subdir)', 'c']);
        expect(await list({ delimiter: '/', marker: 'b/2' })).toEqual(['c']);
        expect(await list({ delimiter: '/', endMarker: 'b/2' })).toEqual(['a', 'b/ (subdir)']);
        expect(await list({ delimiter: '/', reverse: true, marker: 'b/' })).toEqual(['a']);
        expect(await list({ delimiter: '/', reverse: true, marker: 'b/2' })).toEqual(['b/ (subdir)', 'a']);
        expect(await list({ delimiter: '/', reverse: true, endMarker: 'b/' })).toEqual(['c']);
      });

      test('take delimiters of several characters', async () => {
        await fill(['a', 'b--1', 'b--2', 'b-3', 'c---x']);
        expect(await list({ delimiter: '--' })).toEqual(['a', 'b-- (subdir)', 'b-3', 'c-- (subdir)']);
        expect(await list({ delimiter: '--', prefix: 'c-' })).toEqual(['c--- (subdir)']);
        expect(await list({ delimiter: '--', reverse: true })).toEqual(['c-- (subdir)', 'b-3', 'b-- (subdir)', 'a']);
      });

      test('show with path what lies directly in a pseudo-directory', async () => {
        await fill(['a', 'b/', 'b/1', 'b/2/', 'b/2/x', 'b/20', 'b0', 'c/1']);
        expect(await list({ path: '' })).toEqual(['a', 'b/', 'b0']);
        expect(await list({ path: 'b' })).toEqual(['b/1', 'b/2/', 'b/20']);
        expect(await list({ path: 'b/' })).toEqual(['b/1', 'b/2/', 'b/20']);
        expect(await list({ path: 'b/2' })).toEqual(['b/2/x']);
        expect(await list({ path: 'b', reverse: true })).toEqual(['b/20', 'b/2/', 'b/1']);
        expect(await list({ path: 'b', marker: 'b/1', limit: 1 })).toEqual(['b/2/']);
        expect(await list({ path: 'no' })).toEqual([]);
      });

      test('page through everything once', async () => {
        const all = Array.from({ length: 250 }, (_, i) => `${i % 7}/${String(i).padStart(3, '0')}`).sort();
        await fill(all);
        for (const reverse of [false, true]) {
          const seen: string[] = [];
          for (;;) {
            const page = await list({ limit: 40, marker: seen.at(-1), reverse });
            if (page.length === 0) break;
            seen.push(...page);
          }
          expect(seen).toEqual(reverse ? [...all].reverse() : all);
        }
        expect(await list({ delimiter: '/' })).toEqual([0, 1, 2, 3, 4, 5, 6].map((i) => `${i}/ (subdir)`));
      });

      test('show one container only', async () => {
        for (const other of ['c0', 'b', 'cc']) {
          await createContainer({ account, container: other });
          await put({ account, container: other, object: 'other' });
        }
        await fill(['o']);
        expect(await list()).toEqual(['o']);
        expect(await list({ reverse: true })).toEqual(['o']);
        expect(await list({ marker: 'o' })).toEqual([]);
      });
    });

    describe('at the same time', () => {
      beforeEach(() => createContainer());

      test('puts and deletes of the same names leave exact counters', async () => {
        const operations = Array.from({ length: 200 }, (_, i) => {
          const name = `o${i % 7}`;
          if (i % 3 === 2) return store.deleteObject(at(name), { timestamp: t2 }).catch(() => {});
          return put(name, someBytes(i % 5 === 0 ? 70_000 + i : i, i));
        });
        await Promise.all(operations);
        const listed = (await store.listObjects(home, { limit: 100 })) as ObjectEntry[];
        const bytes = listed.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
        expect(await counters()).toEqual({ containers: 1, objects: listed.length, bytes });
        for (const { name: object, etag } of listed) expect(md5(await read(object))).toBe(etag);
      });

      test('a write is visible as soon as it resolves', async () => {
        await Promise.all(
          Array.from({ length: 50 }, async (_, i) => {
            await put(`o${i}`, Buffer.from(String(i)));
            expect((await read(`o${i}`)).toString()).toBe(String(i));
            expect(names(await store.listObjects(home, { limit: 1, prefix: `o${i}` }))).toEqual([`o${i}`]);
            await store.deleteObject(at(`o${i}`), { timestamp: t2 });
            expect(await store.findObject(at(`o${i}`))).toBeUndefined();
          }),
        );
        expect(await counters()).toEqual({ containers: 1, objects: 0, bytes: 0 });
      });

      test('reads see one version or another, never a mixture', async () => {
        const versions = [someBytes(1000, 1), someBytes(200_000, 2), someBytes(50, 3)];
        await put('o', versions[0]);
        let isWriting = true;
        const writing = (async () => {
          for (let i = 1; i < 40; i++) await put('o', versions[i % 3]);
          isWriting = false;
        })();
        while (isWriting) {
          const found = (await store.openObject(at('o')))!;
          const data = await bytesOf(await found.read());
          found.close();
          expect(md5(data)).toBe(found.record.etag);
          // A store may answer without waiting for anything; the writes need turns of the event loop.
          await new Promise(setImmediate);
        }
        await writing;
      });
    });
  });
}
