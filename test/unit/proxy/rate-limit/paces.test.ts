import { Paces } from '@zerocloud/proxy/rate-limit/paces';
import { findRate } from '@zerocloud/proxy/rate-limit/rates';

const start = 1_800_000_000_000;
const pacesWith = (limits: Partial<ConstructorParameters<typeof Paces>[0]> = {}) =>
  new Paces({ bufferMs: 0, maxWaitMs: 60_000, maxKeys: 100, ...limits });

test('requests of one key are spread evenly', () => {
  const paces = pacesWith();
  const waits = [0, 1, 2, 3].map(() => paces.findWaitMs('a', 10, start));
  expect(waits).toEqual([0, 100, 200, 300]);
});

test('keys do not wait for each other', () => {
  const paces = pacesWith();
  for (let i = 0; i < 5; i++) paces.findWaitMs('a', 1, start);
  expect(paces.findWaitMs('b', 1, start)).toBe(0);
});

test('a short rest may be caught up, a long one not', () => {
  const paces = pacesWith({ bufferMs: 5000 });
  paces.findWaitMs('a', 1, start);
  const late = [0, 1, 2, 3, 4, 5].map(() => paces.findWaitMs('a', 1, start + 4000));
  expect(late).toEqual([0, 0, 0, 0, 1000, 2000]);
  const rested = pacesWith({ bufferMs: 5000 });
  rested.findWaitMs('a', 1, start);
  const later = [0, 1, 2].map(() => rested.findWaitMs('a', 1, start + 60_000));
  expect(later).toEqual([0, 1000, 2000]);
});

test('who would wait too long is refused, and does not make the others wait', () => {
  const paces = pacesWith({ maxWaitMs: 3000 });
  const waits = Array.from({ length: 6 }, () => paces.findWaitMs('a', 1, start));
  expect(waits).toEqual([0, 1000, 2000, undefined, undefined, undefined]);
  expect(paces.findWaitMs('a', 1, start + 1000)).toBe(2000);
});

test('memory for keys is bounded', () => {
  const paces = pacesWith({ maxKeys: 3 });
  for (const key of ['a', 'b', 'c', 'd']) paces.findWaitMs(key, 1, start);
  // `a` was forgotten for `d`, and begins anew.
  expect(paces.findWaitMs('d', 1, start)).toBe(1000);
  expect(paces.findWaitMs('a', 1, start)).toBe(0);
});

test.each([
  [0, undefined],
  [99, undefined],
  [100, 50],
  [150, 30],
  [200, 10],
  [9999, 10],
])('a container of %i objects may have %p requests a second', (objects, rate) => {
  const rates = [
    { minObjects: 100, perSecond: 50 },
    { minObjects: 200, perSecond: 10 },
  ];
  expect(findRate(rates, objects)).toBe(rate);
});
