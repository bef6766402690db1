import { withHeartbeat } from '@zerocloud/proxy/bulk/heartbeat';

async function textOf(chunks: AsyncIterable<Buffer>): Promise<string[]> {
  const texts: string[] = [];
  for await (const chunk of chunks) texts.push(chunk.toString());
  return texts;
}

test('an outcome that comes at once is all there is', async () => {
  const beats = withHeartbeat(Promise.resolve(Buffer.from('done')), { everyMs: 60_000, separator: '--' });
  expect(await textOf(beats)).toEqual(['done']);
});

test('what takes long shows signs of life, the first one of its own kind', async () => {
  let finish: (outcome: Buffer) => void = () => undefined;
  const work = new Promise<Buffer>((resolve) => {
    finish = resolve;
  });
  const beats = withHeartbeat(work, { everyMs: 1, first: '<?xml?>', separator: '--' });
  expect((await beats.next()).value?.toString()).toBe('<?xml?>');
  expect((await beats.next()).value?.toString()).toBe(' ');
  finish(Buffer.from('done'));
  const rest = await textOf(beats);
  expect(rest.at(-1)).toBe('--done');
});

test('the first sign can go out before anything is done', async () => {
  const beats = withHeartbeat(Promise.resolve(Buffer.from('done')), {
    everyMs: 60_000,
    immediately: ' ',
    separator: '--',
  });
  expect(await textOf(beats)).toEqual([' ', '--done']);
});

test('work that fails ends the answer', async () => {
  const beats = withHeartbeat(Promise.reject(new Error('no')), { everyMs: 60_000, separator: '' });
  await expect(textOf(beats)).rejects.toThrow('no');
});

test('an empty outcome ends it, too', async () => {
  const beats = withHeartbeat(Promise.resolve(Buffer.alloc(0)), { everyMs: 60_000, separator: '' });
  expect(await textOf(beats)).toEqual(['']);
});

test('work that fails before anybody reads tells who does', async () => {
  const beats = withHeartbeat(Promise.reject(new Error('too early')), { everyMs: 60_000, separator: '--' });
  await new Promise((resolve) => setImmediate(resolve));
  await expect(textOf(beats)).rejects.toThrow('too early');
});
