import { readWholeBody } from '@zerocloud/proxy/http/whole-body';

async function* chunks(...texts: string[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield Buffer.from(text);
}
const limit = { maxBytes: 4, tooLarge: () => new Error('more than 4') };

test.each([
  ['no chunk', [], ''],
  ['one chunk', ['abcd'], 'abcd'],
  ['several chunks', ['ab', '', 'cd'], 'abcd'],
])('%s within the limit is read whole', async (_name, texts, whole) => {
  expect((await readWholeBody(chunks(...texts), limit)).toString()).toBe(whole);
});

test('one byte more than the limit is refused, and nothing behind it is read', async () => {
  let isReadOn = false;
  async function* body() {
    yield* chunks('abcd', 'e');
    isReadOn = true;
  }
  await expect(readWholeBody(body(), limit)).rejects.toThrow('more than 4');
  expect(isReadOn).toBe(false);
});

test('a body that fails ends with its own error', async () => {
  async function* body() {
    yield Buffer.from('a');
    throw new Error('gone');
  }
  await expect(readWholeBody(body())).rejects.toThrow('gone');
});

test('bytes that are at hand are handed on', async () => {
  const bytes = Buffer.from('x');
  expect(await readWholeBody(bytes)).toBe(bytes);
});
