import { createTimestamps, formatTimestamp, httpDate, isoTimestamp } from '@zerocloud/proxy/http/timestamp';

test('every timestamp is later than the one before, whatever the clock does', () => {
  let nowMs = 1_700_000_000_123;
  const next = createTimestamps(() => nowMs);
  expect([next(), next()]).toEqual(['1700000000.12300', '1700000000.12301']);
  nowMs -= 5000;
  expect(next()).toBe('1700000000.12302');
  nowMs += 6000;
  expect(next()).toBe('1700000001.12300');
});

test('has five decimals always', () => {
  expect(formatTimestamp(170_000_000_000_000)).toBe('1700000000.00000');
  expect(formatTimestamp(1)).toBe('0000000000.00001');
});

test('dates are rounded up, listings are exact', () => {
  expect(httpDate('1700000000.00000')).toBe('Tue, 14 Nov 2023 22:13:20 GMT');
  expect(httpDate('1700000000.00001')).toBe('Tue, 14 Nov 2023 22:13:21 GMT');
  expect(isoTimestamp('1700000000.00001')).toBe('2023-11-14T22:13:20.000010');
});
