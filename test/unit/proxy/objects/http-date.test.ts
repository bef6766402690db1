import { parseHttpDate } from '@zerocloud/proxy/objects/http-date';

const seconds = (iso: string) => Date.parse(iso) / 1000;

test.each([
  ['Sun, 06 Nov 1994 08:49:37 GMT', '1994-11-06T08:49:37Z'],
  ['Sunday, 06-Nov-94 08:49:37 GMT', '1994-11-06T08:49:37Z'],
  ['Sun Nov  6 08:49:37 1994', '1994-11-06T08:49:37Z'],
  ['06 Nov 1994 08:49:37', '1994-11-06T08:49:37Z'],
  ['Sun, 06 Nov 1994 08:49 GMT', '1994-11-06T08:49:00Z'],
  ['Thu, 01 January 2099 00:00:00 GMT', '2099-01-01T00:00:00Z'],
  ['Thu, 01 Jan 68 00:00:00 GMT', '2068-01-01T00:00:00Z'],
  ['Thu, 01 Jan 69 00:00:00 GMT', '1969-01-01T00:00:00Z'],
  ['Thu, 29 Feb 2024 23:59:59 GMT', '2024-02-29T23:59:59Z'],
  // Zones are not looked at, as in Swift.
  ['Thu, 01 Jan 2099 00:00:00 +0500', '2099-01-01T00:00:00Z'],
])('reads %s', (text, iso) => expect(parseHttpDate(text)).toBe(seconds(iso)));

test.each([
  '',
  'foo',
  '1999',
  '2099-01-01',
  'Thu, 01 Jan 2099',
  'Thu, 32 Jan 2099 00:00:00 GMT',
  'Thu, 29 Feb 2023 00:00:00 GMT',
  'Thu, 01 Foo 2099 00:00:00 GMT',
  'Thu, 01 Jan 2099 25:00:00 GMT',
  'Thu, 01 Jan 2099 00:60:00 GMT',
])('finds no date in "%s"', (text) => expect(parseHttpDate(text)).toBeUndefined());
