import { ModuleCache, type ReadyModule } from '@zerocloud/sandbox/executor/module-cache';

function moduleOf(sizeBytes: number): ReadyModule {
  return { module: { [Symbol.toStringTag]: 'test' }, minPages: 1, maxPages: 1, sizeBytes };
}

test('drops the module that was not used for the longest time', () => {
  const cache = new ModuleCache({ entries: 2, bytes: 1000 });
  expect(cache.add('a', moduleOf(1))).toEqual([]);
  expect(cache.add('b', moduleOf(1))).toEqual([]);
  expect(cache.find('a')).toBeDefined();
  expect(cache.add('c', moduleOf(1))).toEqual(['b']);
  expect(cache.find('b')).toBeUndefined();
  expect(cache.find('a')).toBeDefined();
});

test('drops as many as it takes to stay within its bytes', () => {
  const cache = new ModuleCache({ entries: 10, bytes: 100 });
  cache.add('a', moduleOf(40));
  cache.add('b', moduleOf(40));
  expect(cache.add('c', moduleOf(90))).toEqual(['a', 'b']);
  expect(cache.add('d', moduleOf(10))).toEqual([]);
});

test('does not keep a module larger than all of its room', () => {
  const cache = new ModuleCache({ entries: 10, bytes: 100 });
  expect(cache.add('a', moduleOf(101))).toEqual(['a']);
  expect(cache.find('a')).toBeUndefined();
});

test('counts a module that is added again once', () => {
  const cache = new ModuleCache({ entries: 10, bytes: 100 });
  cache.add('a', moduleOf(60));
  expect(cache.add('a', moduleOf(60))).toEqual([]);
  expect(cache.find('a')).toBeDefined();
});
