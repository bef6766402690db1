import { KnownDescriptions } from '@zerocloud/proxy/jobs/known-descriptions';

function create() {
  const known = new KnownDescriptions();
  let reads = 0;
  const read = (body: Buffer): unknown => {
    reads++;
    return JSON.parse(body.toString());
  };
  return {
    get: (account: string, text: string) => known.get(account, Buffer.from(text), read),
    reads: () => reads,
  };
}

test('the same text of the same account is read once, and keeps its plan', () => {
  const { get, reads } = create();
  const first = get('AUTH_a', '[{"name":"é"}]');
  expect(first.description).toEqual([{ name: 'é' }]);
  expect(get('AUTH_a', '[{"name":"é"}]')).toBe(first);
  expect(reads()).toBe(1);
});

test('another text, and another account, are others', () => {
  const { get } = create();
  const first = get('AUTH_a', '[1]');
  expect(get('AUTH_b', '[1]')).not.toBe(first);
  expect(get('AUTH_a', '[2]').description).toEqual([2]);
  expect(get('AUTH_a', '[1]')).toBe(first);
});

test('what cannot be read fails every time', () => {
  const { get, reads } = create();
  for (let i = 0; i < 2; i++) expect(() => get('AUTH_a', '[')).toThrow(SyntaxError);
  expect(reads()).toBe(2);
});

test('long texts and those that were not used for the longest time are forgotten', () => {
  const { get, reads } = create();
  const long = JSON.stringify(['x'.repeat(4096)]);
  expect(get('AUTH_a', long)).not.toBe(get('AUTH_a', long));
  const oldest = get('AUTH_a', '["oldest"]');
  const used = get('AUTH_a', '["used"]');
  for (let i = 0; i < 255; i++) {
    get('AUTH_a', `[${i}]`);
    get('AUTH_a', '["used"]');
  }
  expect(get('AUTH_a', '["used"]')).toBe(used);
  expect(get('AUTH_a', '["oldest"]')).not.toBe(oldest);
  expect(reads()).toBe(2 + 2 + 255 + 1);
});
