import { quoteBytes, quoteText, unquoteBytes } from '@zerocloud/proxy/http/percent';

test.each([
  ['az-AZ_09.~/', 'az-AZ_09.~/'],
  ['a b&c', 'a%20b%26c'],
  ["é!'()*", '%C3%A9%21%27%28%29%2A'],
])('quotes %j as Python does', (text, quoted) => {
  expect(quoteText(text)).toBe(quoted);
  expect(unquoteBytes(Buffer.from(quoted)).toString()).toBe(text);
});

test('bytes that are no text go both ways', () => {
  const bytes = Buffer.from([0xff, 0x00, 0x25]);
  expect(quoteBytes(bytes)).toBe('%FF%00%25');
  expect(unquoteBytes(Buffer.from('%ff%00%25'))).toEqual(bytes);
});

test('a percent sign without two digits stays', () => {
  expect(unquoteBytes(Buffer.from('%zz%4%41')).toString()).toBe('%zz%4A');
  expect(unquoteBytes(Buffer.from('é%')).toString()).toBe('é%');
});
