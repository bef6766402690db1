import { RowCache } from '@zerocloud/object-server/store/level/row-cache';

describe('row cache', () => {
  test('returns what was set, until it is forgotten', () => {
    const cache = new RowCache(10_000);
    cache.set('a', 1, 10);
    expect(cache.get('a')).toBe(1);
    cache.forget('a');
    expect(cache.get('a')).toBeUndefined();
  });

  test('holds no more than its size, however many rows pass', () => {
    const cache = new RowCache(10_000);
    for (let i = 0; i < 1000; i++) cache.set(`row ${i}`, i, 100);
    const held = Array.from({ length: 1000 }, (_, i) => cache.get(`row ${i}`)).filter((value) => value !== undefined);
    expect(held.length).toBeGreaterThan(0);
    expect(held.length).toBeLessThanOrEqual(20);
  });

  test('keeps a row that is asked for again and again', () => {
    const cache = new RowCache(10_000);
    cache.set('hot', 'value', 100);
    for (let i = 0; i < 1000; i++) {
      cache.set(`row ${i}`, i, 100);
      expect(cache.get('hot')).toBe('value');
    }
  });

  test('forgets a row of either generation', () => {
    const cache = new RowCache(4_000);
    cache.set('a', 1, 1000);
    cache.set('b', 2, 1000);
    cache.forget('a');
    cache.forget('b');
    expect([cache.get('a'), cache.get('b')]).toEqual([undefined, undefined]);
  });

  test('forgets everything at once', () => {
    const cache = new RowCache(4_000);
    cache.set('a', 1, 1000);
    cache.set('b', 2, 1000);
    cache.clear();
    expect([cache.get('a'), cache.get('b')]).toEqual([undefined, undefined]);
  });
});
