import {
  compareUtf8,
  expiringObjectKey,
  expiryKey,
  expiryRange,
  following,
  objectKey,
  objectPathOf,
  objectsPrefix,
} from '@zerocloud/object-server/store/level/keys';
import fc from 'fast-check';

const text = fc.string({ unit: 'binary', maxLength: 6 });
const name = fc
  .oneof(text, fc.string({ unit: fc.constantFrom('a', '\ud7ff', '\ue000', '😀', '\u{10ffff}', '\x01') }))
  .map((value) => value.replaceAll('\0', ''));

test('a key gives back its path', () => {
  fc.assert(
    fc.property(name, name, name, (account, container, object) => {
      const path = { account, container, object };
      expect(objectPathOf(objectKey(path))).toEqual(path);
      expect(objectPathOf(expiringObjectKey(expiryKey(5, path)))).toEqual(path);
    }),
  );
});

test('names with NUL make no key', () => {
  expect(() => objectKey({ account: 'a', container: 'b\0c', object: 'd' })).toThrow(/NUL/);
});

test('what follows a prefix sorts behind all that begins with it and before all else behind it', () => {
  fc.assert(
    fc.property(name, name, name, (prefix, rest, other) => {
      const start = objectsPrefix({ account: 'a', container: 'c' }) + prefix;
      const end = following(start);
      expect(compareUtf8(start + rest, end)).toBeLessThan(0);
      const elsewhere = objectsPrefix({ account: 'a', container: 'c' }) + other;
      const isInside = compareUtf8(elsewhere, start) >= 0 && compareUtf8(elsewhere, end) < 0;
      expect(isInside).toBe(elsewhere.startsWith(start));
    }),
    { numRuns: 2000 },
  );
});

test('the expiry range ends with the given second', () => {
  const path = { account: 'a', container: 'c', object: 'o' };
  const { gte, lt } = expiryRange(1000);
  const isDue = (second: number) => expiryKey(second, path) >= gte && expiryKey(second, path) < lt;
  expect([1, 999, 1000, 1001, 99_999].map(isDue)).toEqual([true, true, true, false, false]);
});
