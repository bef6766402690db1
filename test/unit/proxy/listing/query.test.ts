import { Query } from '@zerocloud/proxy/http/query';
import { readListQuery, readObjectListQuery } from '@zerocloud/proxy/listing/query';

const list = (search: string) => readListQuery(new Query(`/v1/a?${search}`), 100);

test('takes every parameter, percent- and plus-decoded', () => {
  expect(list('limit=5&marker=a%20b&end_marker=c+d&prefix=%C3%BC&delimiter=%2F&reverse=Yes')).toEqual({
    limit: 5,
    marker: 'a b',
    endMarker: 'c d',
    prefix: 'ü',
    delimiter: '/',
    reverse: true,
  });
});

test('empty parameters say nothing', () => {
  expect(list('limit=&marker=&end_marker=&prefix=&delimiter=&reverse=')).toEqual({ limit: 100, reverse: false });
});

test.each(['abc', '-1', '1.5', '0x10', ' 3'])('limit=%s is no limit', (limit) => {
  expect(list(`limit=${encodeURIComponent(limit)}`).limit).toBe(100);
});

test('limit=0 is one', () => {
  expect(list('limit=0').limit).toBe(0);
});

test.each(['101', '99999999999999999999999'])('refuses limit=%s with 412', (limit) => {
  expect(() => list(`limit=${limit}`)).toThrow(expect.objectContaining({ status: 412, body: 'Maximum limit is 100' }));
});

test.each(['marker', 'end_marker', 'prefix', 'delimiter', 'limit', 'reverse'])(
  'refuses %s that is no UTF-8 with 400',
  (name) => {
    expect(() => list(`${name}=%ff`)).toThrow(
      expect.objectContaining({ status: 400, body: `"${name}" parameter not valid UTF-8` }),
    );
  },
);

test('the last of repeated parameters counts', () => {
  expect(list('prefix=a&prefix=b').prefix).toBe('b');
});

test('an empty path asks for the top level, none for everything', () => {
  expect(readObjectListQuery(new Query('/v1/a/c?path='), 10)).toHaveProperty('path', '');
  expect(readObjectListQuery(new Query('/v1/a/c'), 10)).not.toHaveProperty('path');
});
