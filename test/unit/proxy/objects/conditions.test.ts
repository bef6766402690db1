import type { ObjectRecord } from '@zerocloud/object-server';
import { demandsExistence, evaluateConditions, findRangeHeader, hasStar } from '@zerocloud/proxy/objects/conditions';

const etag = '781e5e245d69b566979b86e28d23f2c7';
// 2023-11-14 22:13:20.5: the last modification counts as one of the next whole second.
const record: ObjectRecord = {
  timestamp: '1700000000.50000',
  bodyId: 'b',
  sizeBytes: 10,
  etag,
  contentType: 'text/plain',
  metadata: {},
};
const before = 'Tue, 14 Nov 2023 22:13:20 GMT';
const same = 'Tue, 14 Nov 2023 22:13:21 GMT';
const later = 'Fri, 01 Jan 2038 00:00:00 GMT';

test.each<[Record<string, string>, 304 | 412 | undefined]>([
  [{}, undefined],
  [{ 'if-match': etag }, undefined],
  [{ 'if-match': `"${etag}"` }, undefined],
  [{ 'if-match': `"x", "${etag}"` }, undefined],
  [{ 'if-match': '*' }, undefined],
  [{ 'if-match': '"x"' }, 412],
  [{ 'if-match': `W/"${etag}"` }, 412],
  [{ 'if-match': '' }, 412],
  [{ 'if-none-match': etag }, 304],
  [{ 'if-none-match': `x,"${etag}"` }, 304],
  [{ 'if-none-match': '*' }, 304],
  [{ 'if-none-match': `W/"${etag}"` }, undefined],
  [{ 'if-none-match': 'x' }, undefined],
  [{ 'if-modified-since': before }, undefined],
  [{ 'if-modified-since': same }, 304],
  [{ 'if-modified-since': later }, 304],
  [{ 'if-modified-since': 'yesterday' }, undefined],
  [{ 'if-unmodified-since': before }, 412],
  [{ 'if-unmodified-since': same }, undefined],
  [{ 'if-unmodified-since': 'yesterday' }, undefined],
  [{ 'if-none-match': 'x', 'if-modified-since': later }, 304],
  [{ 'if-match': etag, 'if-unmodified-since': before }, 412],
  [{ 'if-match': 'x', 'if-none-match': etag }, 304],
])('%j gives %s', (headers, status) => expect(evaluateConditions(headers, record)).toBe(status));

test.each([
  ['*', true],
  ['"x", *', true],
  ['"x"', false],
  ['', false],
])('%s of a write names any object: %s', (header, expected) => expect(hasStar(header)).toBe(expected));

test('only If-Match: * demands that there is an object', () => {
  expect(demandsExistence({ 'if-match': '*' })).toBe(true);
  expect(demandsExistence({ 'if-match': 'x' })).toBe(false);
  expect(demandsExistence({})).toBe(false);
});

test.each([
  [`"${etag}"`, true],
  [etag, true],
  [same, true],
  ['"x"', false],
  [`W/"${etag}"`, false],
  [before, false],
  [later, false],
])('If-Range: %s lets the range through: %s', (ifRange, expected) => {
  const range = findRangeHeader({ range: 'bytes=0-1', 'if-range': ifRange }, record);
  expect(range).toBe(expected ? 'bytes=0-1' : undefined);
});
