import { ModuleCache, type ReadyModule } from '@zerocloud/sandbox/executor/module-cache';

function moduleOf(sizeBytes: number): ReadyModule {
  return { module: { [Symbol.toStringTag]: 'test' }, minPages: 1, maxPages: 1, hasStartFunction: false, sizeBytes };
}

test('drops the module that was not used for the longest time', () => {
  const cache = new ModuleCache({ entries: 2, bytes: 1000 });
  expect(cache.add('bytes of a', 'a', moduleOf(1))).toEqual([]);
  expect(cache.add('bytes of b', 'b', moduleOf(1))).toEqual([]);
  expect(cache.find('a')).toBeDefined();
  expect(cache.add('bytes of c', 'c', moduleOf(1))).toEqual(['b']);
  expect(cache.find('b')).toBeUndefined();
  expect(cache.find('a')).toBeDefined();
});

test('drops as many as it takes to stay within its bytes', () => {
  const cache = new ModuleCache({ entries: 10, bytes: 100 });
  cache.add('bytes of a', 'a', moduleOf(40));
  cache.add('bytes of b', 'b', moduleOf(40));
  expect(cache.add('bytes of c', 'c', moduleOf(90))).toEqual(['a', 'b']);
  expect(cache.add('bytes of d', 'd', moduleOf(10))).toEqual([]);
});

test('does not keep a module larger than all of its room', () => {
  const cache = new ModuleCache({ entries: 10, bytes: 100 });
  expect(cache.add('bytes of a', 'a', moduleOf(101))).toEqual(['a']);
  expect(cache.find('a')).toBeUndefined();
});

test('counts a module that is added again once', () => {
  const cache = new ModuleCache({ entries: 10, bytes: 100 });
  cache.add('bytes of a', 'a', moduleOf(60));
  expect(cache.add('bytes of a', 'a', moduleOf(60))).toEqual([]);
  expect(cache.find('a')).toBeDefined();
});

test('finds a module by its content, whatever it is called', () => {
  const cache = new ModuleCache({ entries: 2, bytes: 100 });
  const module = moduleOf(10);
  expect(cache.add('content', undefined, module)).toEqual([]);
  expect(cache.findContent('content')).toBe(module);
  expect(cache.add('content', 'first upload', module)).toEqual([]);
  expect(cache.add('content', 'second upload', module)).toEqual([]);
  expect(cache.find('first upload')).toBe(module);
  expect(cache.find('second upload')).toBe(module);
  cache.add('b', undefined, moduleOf(1));
  expect(cache.add('c', undefined, moduleOf(1))).toEqual(['first upload', 'second upload']);
  expect(cache.find('second upload')).toBeUndefined();
  expect(cache.findContent('content')).toBeUndefined();
});

test('remembers so many names of one module and no more', () => {
  const cache = new ModuleCache({ entries: 2, bytes: 100 });
  const module = moduleOf(10);
  const dropped = Array.from({ length: 20 }, (_, i) => cache.add('content', `upload ${i}`, module)).flat();
  expect(dropped).toEqual(['upload 0', 'upload 1', 'upload 2', 'upload 3']);
  expect(cache.find('upload 3')).toBeUndefined();
  expect(cache.find('upload 19')).toBe(module);
});
