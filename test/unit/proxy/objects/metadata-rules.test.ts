import { defaultSwiftLimits } from '@zerocloud/proxy/config';
import { readMetadata } from '@zerocloud/proxy/objects/metadata-rules';

const read = (headers: Record<string, string>) => readMetadata(headers, defaultSwiftLimits);

test('keeps the user metadata and the headers that belong to the content, nothing else', () => {
  const headers = {
    host: 'x',
    'x-object-meta-color': 'red',
    'x-object-meta-empty': '',
    'content-encoding': 'gzip',
    'content-disposition': 'inline',
    'cache-control': 'no-cache',
    'content-language': 'de',
    expires: '0',
    'x-robots-tag': 'noindex',
    'x-other': '1',
    'content-type': 'text/plain',
  };
  const { host, 'x-other': other, 'content-type': type, ...kept } = headers;
  expect(read(headers)).toEqual(kept);
});

test('takes an underscore in a name for a dash, as Swift does', () => {
  expect(read({ 'x-object-meta-my_key': '1' })).toEqual({ 'x-object-meta-my-key': '1' });
});

test('reads values as UTF-8', () => {
  expect(read({ 'x-object-meta-a': 'w\u00c3\u00a9rt' })).toEqual({ 'x-object-meta-a': 'wért' });
});

test.each([
  [{ 'x-object-meta-': 'x' }, 'Metadata name cannot be empty'],
  [{ [`x-object-meta-${'n'.repeat(129)}`]: 'x' }, /^Metadata name too long: x-object-meta-/],
  [{ 'x-object-meta-a': 'v'.repeat(257) }, /^Metadata value longer than 256: x-object-meta-a$/i],
  [{ 'x-other': 'v'.repeat(8193) }, /^Header value too long: x-other$/i],
  [
    Object.fromEntries(Array.from({ length: 91 }, (_, i) => [`x-object-meta-${i}`, 'x'])),
    'Too many metadata items; max 90',
  ],
  [
    Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`x-object-meta-${100 + i}`, 'x'.repeat(250)])),
    'Total metadata too large; max 4096',
  ],
])('refuses what exceeds the limits (%#)', (headers, sentence) => {
  const expected = typeof sentence === 'string' ? sentence : expect.stringMatching(sentence);
  expect(() => read(headers)).toThrow(expect.objectContaining({ status: 400, body: expected }));
});

test('allows what just meets the limits', () => {
  const names = Array.from({ length: 90 }, (_, i) => [`x-object-meta-${i}`, 'x']);
  expect(Object.keys(read(Object.fromEntries(names)))).toHaveLength(90);
  expect(read({ [`x-object-meta-${'n'.repeat(128)}`]: 'v'.repeat(256) })).toBeDefined();
});
