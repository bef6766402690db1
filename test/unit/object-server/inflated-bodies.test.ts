import { gzipSync } from 'node:zlib';
import { isStorageError } from '@zerocloud/object-server';
import { InflatedBodies } from '@zerocloud/object-server/inflated-bodies';
import { Staging } from '@zerocloud/object-server/staging';

/** Small bodies stay in memory, so nothing here touches a disk. */
function create(maxBytes: number): { staging: Staging; bodies: InflatedBodies } {
  const staging = new Staging({ stagingPath: () => '/nowhere' });
  return { staging, bodies: new InflatedBodies(staging, maxBytes) };
}

/** A gzipped text, and how often it was read. */
function gzipped(text: string | Buffer) {
  const counter = { reads: 0 };
  async function* chunks() {
    counter.reads++;
    yield Buffer.isBuffer(text) ? text : gzipSync(text);
  }
  return { counter, chunks };
}

function textOf({ source }: { source: { kind: string; data?: Uint8Array } }): string {
  return Buffer.from(source.data!).toString();
}

test('a body is inflated once, also for sessions that come together', async () => {
  const { bodies } = create(1000);
  const { chunks, counter } = gzipped('text');
  const opened = await Promise.all([1, 2, 3].map(() => bodies.open('a', chunks, 1000)));
  opened.push(await bodies.open('a', chunks, 1000));
  expect(opened.map(textOf)).toEqual(['text', 'text', 'text', 'text']);
  expect(counter.reads).toBe(1);
  for (const { close } of opened) close();
});

test('the least recently used ones make room, and stay readable for those who have them', async () => {
  const { bodies } = create(10);
  const [a, b, c] = [gzipped('aaaa'), gzipped('bbbb'), gzipped('cccc')];
  const held = await bodies.open('a', a.chunks, 1000);
  await bodies.open('b', b.chunks, 1000);
  await bodies.open('a', a.chunks, 1000);
  await bodies.open('c', c.chunks, 1000);
  await bodies.open('a', a.chunks, 1000);
  await bodies.open('b', b.chunks, 1000);
  expect([a.counter.reads, b.counter.reads, c.counter.reads]).toEqual([1, 2, 1]);
  await bodies.open('c', c.chunks, 1000);
  expect(textOf(held)).toBe('aaaa');
});

test('one larger than all that may be kept is not kept', async () => {
  const { bodies } = create(3);
  const { chunks, counter } = gzipped('text');
  for (let i = 0; i < 2; i++) expect(textOf(await bodies.open('a', chunks, 1000))).toBe('text');
  expect(counter.reads).toBe(2);
});

test('a body beyond the limit of a session is refused, also when it was inflated for another', async () => {
  const { bodies } = create(1000);
  const { chunks } = gzipped('text');
  await bodies.open('a', chunks, 1000);
  for (const identity of ['a', 'b']) {
    const error = await bodies.open(identity, chunks, 3).catch((problem: unknown) => problem);
    expect(isStorageError(error, 'objectTooLarge')).toBe(true);
  }
  expect(textOf(await bodies.open('b', chunks, 1000))).toBe('text');
});

test('damage is not remembered', async () => {
  const { bodies } = create(1000);
  const error = await bodies
    .open('a', gzipped(Buffer.from('no gzip')).chunks, 1000)
    .catch((problem: unknown) => problem);
  expect(isStorageError(error, 'badArchive')).toBe(true);
  expect(textOf(await bodies.open('a', gzipped('text').chunks, 1000))).toBe('text');
});

test('a body that staging has dropped is inflated again', async () => {
  const { bodies, staging } = create(1000);
  const stageBody = jest.spyOn(staging, 'stageBody');
  const { chunks, counter } = gzipped('text');
  await bodies.open('a', chunks, 1000);
  const { id } = await (stageBody.mock.results[0]!.value as ReturnType<Staging['stageBody']>);
  await staging.releaseBody(id);
  // What the first session has open is still there; a new one finds it gone.
  expect(textOf(await bodies.open('a', chunks, 1000))).toBe('text');
  expect(counter.reads).toBe(2);
});

test('of many small ones, too, only so many are kept', async () => {
  const { bodies } = create(1e9);
  const first = gzipped('');
  (await bodies.open('first', first.chunks, 1000)).close();
  for (let i = 0; i < 500; i++) (await bodies.open(String(i), gzipped('').chunks, 1000)).close();
  await bodies.open('first', first.chunks, 1000);
  expect(first.counter.reads).toBe(2);
});
