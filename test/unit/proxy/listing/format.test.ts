import { Query } from '@zerocloud/proxy/http/query';
import { negotiateListing } from '@zerocloud/proxy/listing/format';

const choose = (target: string, accept?: string) => negotiateListing(new Query(target), accept);

test.each([
  [undefined, 'text/plain'],
  ['', 'text/plain'],
  ['*/*', 'text/plain'],
  ['application/json', 'application/json'],
  ['text/xml', 'text/xml'],
  ['application/xml', 'application/xml'],
  ['APPLICATION/JSON', 'application/json'],
  ['application/*', 'application/json'],
  ['text/*', 'text/plain'],
  ['application/xml,*/*', 'application/xml'],
  ['text/plain;q=0.5, application/xml;q=0.9', 'application/xml'],
  ['image/png, application/json;q=0.1', 'application/json'],
  ['application/json; charset=utf-8; q=1', 'application/json'],
  ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'application/xml'],
])('Accept: %s gives %s', (accept, type) => {
  expect(choose('/v1/a', accept)).toBe(type);
});

test.each([
  ['plain', 'text/plain'],
  ['json', 'application/json'],
  ['JSON', 'application/json'],
  ['xml', 'application/xml'],
  ['nonsense', 'text/plain'],
])('format=%s wins over Accept with %s', (format, type) => {
  expect(choose(`/v1/a?format=${format}`, 'image/png')).toBe(type);
});

test.each(['image/png', 'text/html', 'application/json;q=0'])('refuses Accept: %s with 406', (accept) => {
  expect(() => choose('/v1/a', accept)).toThrow(expect.objectContaining({ status: 406 }));
});

test.each(['foo', '/', 'text/', 'text/plain;q=2', 'text/plain;q=x', 'text/plain;q=1;q=1', 'a b/c', ',', 'text/plain,'])(
  'refuses the unreadable Accept: %s with 400',
  (accept) => {
    expect(() => choose('/v1/a', accept)).toThrow(expect.objectContaining({ status: 400 }));
  },
);

test.each([
  `*/${','.repeat(30_000)}`,
  `a/a${';a=a'.repeat(10_000)}`,
  `${'*/*;'.repeat(10_000)}q=x`,
  `x/${'"'.repeat(40_000)}`,
])('an absurd Accept header costs nothing (%#)', (accept) => {
  const startedAt = performance.now();
  expect(() => choose('/v1/a', accept)).toThrow();
  expect(performance.now() - startedAt).toBeLessThan(250);
});
