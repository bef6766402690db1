import { isTrueValue } from '@zerocloud/proxy/http/query';
import { readContentType } from '@zerocloud/proxy/objects/content-type';
import { guessMediaType } from '@zerocloud/proxy/objects/media-types';

test.each([
  ['a.html', 'text/html'],
  ['A.HTML', 'text/html'],
  ['dir.png/a.txt', 'text/plain'],
  ['a.b.json', 'application/json'],
  ['a.tar.gz', 'application/x-tar'],
  ['a.tgz', 'application/x-tar'],
  ['a.txt.bz2', 'text/plain'],
  ['a.gz', undefined],
  ['a', undefined],
  ['a.', undefined],
  ['.html', undefined],
  ['dir.png/a', undefined],
  ['a.constructor', undefined],
  ['', undefined],
])('%s looks like %s', (name, type) => expect(guessMediaType(name)).toBe(type));

test.each([
  [{ 'content-type': 'foo/bar' }, 'a.html', 'foo/bar'],
  [{ 'content-type': 'text/plain; charset=UTF-8' }, 'a', 'text/plain; charset=UTF-8'],
  [{ 'content-type': 'foo/bar', 'x-detect-content-type': 'true' }, 'a.html', 'text/html'],
  [{ 'content-type': 'foo/bar', 'x-detect-content-type': 'no' }, 'a.html', 'foo/bar'],
  [{ 'x-detect-content-type': 'yes' }, 'a', 'application/octet-stream'],
  [{ 'content-type': '' }, 'a.html', 'text/html'],
  [{}, 'a', 'application/octet-stream'],
  [{ 'content-type': 'text/\u00c3\u00a9' }, 'a', 'text/é'],
])('%j for %s is %s', (headers, name, type) => expect(readContentType(headers, name)).toBe(type));

test('the type of a copied object is kept unless the request names one or wants it guessed', () => {
  expect(readContentType({}, 'a.html', 'x/y')).toBe('x/y');
  expect(readContentType({ 'content-type': 'a/b' }, 'a.html', 'x/y')).toBe('a/b');
  expect(readContentType({ 'x-detect-content-type': '1' }, 'a.html', 'x/y')).toBe('text/html');
});

test.each([
  ['text/\u00ff', 'Invalid Content-Type'],
  ['text/plain; swift_bytes=1', 'Invalid Content-Type, swift_* is not a valid parameter name.'],
])('"%s" is refused', (type, sentence) => {
  expect(() => readContentType({ 'content-type': type }, 'a')).toThrow(
    expect.objectContaining({ status: 400, body: sentence }),
  );
});

test.each(['true', 'TRUE', '1', 'yes', 'on', 't', 'y'])('%s means yes', (value) =>
  expect(isTrueValue(value)).toBe(true),
);
test.each(['', 'false', '0', 'no', 'truest', undefined])('%s means no', (value) =>
  expect(isTrueValue(value)).toBe(false),
);
