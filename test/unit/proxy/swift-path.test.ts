import { decodePercent, rawPathOf, rawQueryOf, splitSwiftPath } from '@zerocloud/proxy/swift-path';

test.each([
  ['/v1/AUTH_t', { version: 'v1', account: 'AUTH_t' }],
  ['/v1/AUTH_t/', { version: 'v1', account: 'AUTH_t' }],
  ['/v1/AUTH_t/c', { version: 'v1', account: 'AUTH_t', container: 'c' }],
  ['/v1/AUTH_t/c/', { version: 'v1', account: 'AUTH_t', container: 'c' }],
  ['/v1/AUTH_t/c/o', { version: 'v1', account: 'AUTH_t', container: 'c', object: 'o' }],
  ['/v1/AUTH_t/c/o/p//', { version: 'v1', account: 'AUTH_t', container: 'c', object: 'o/p//' }],
  ['/v1/AUTH_t/c//o', { version: 'v1', account: 'AUTH_t', container: 'c', object: '/o' }],
  ['/v1/AUTH_t//o', { version: 'v1', account: 'AUTH_t', object: 'o' }],
  ['/v1', { version: 'v1' }],
  ['/v1//c', { version: 'v1', container: 'c' }],
])('splits %s', (path, parts) => {
  expect(splitSwiftPath(path)).toEqual(parts);
});

test.each(['', '/', '//', '//a/b', 'v1/a'])('%p is no path of Swift', (path) => {
  expect(splitSwiftPath(path)).toBeUndefined();
});

test.each([
  ['/a%20b', '/a b'],
  ['/%C3%BC', '/ü'],
  ['/%2f', '//'],
  ['/a+b', '/a+b'],
  ['/%zz%', '/%zz%'],
  ['/%4', '/%4'],
  [Buffer.from('/ü').toString('latin1'), '/ü'],
])('decodes %p', (raw, text) => {
  expect(decodePercent(raw)).toBe(text);
});

test.each(['/%ff', '/%c3', '/%ed%a0%80', '/\xff'])('%p is no UTF-8', (raw) => {
  expect(decodePercent(raw)).toBeUndefined();
});

test('finds path and query of a request target in both of its forms', () => {
  expect([rawPathOf('/a/b?c?d'), rawQueryOf('/a/b?c?d')]).toEqual(['/a/b', 'c?d']);
  expect([rawPathOf('http://h:1/a?c'), rawQueryOf('http://h:1/a')]).toEqual(['/a', '']);
  expect([rawPathOf('http://h'), rawPathOf('*')]).toEqual(['/', '/']);
});
