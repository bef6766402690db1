import { type Admission, admitModule } from '@zerocloud/sandbox/module/admission';
import fc from 'fast-check';
import loadWabt from 'wabt';

let compile: (wat: string) => Uint8Array;

beforeAll(async () => {
  const wabt = await loadWabt();
  const features = { multi_memory: true, memory64: true, threads: true, gc: true, exceptions: true };
  compile = (wat) => {
    const module = wabt.parseWat('guest.wat', wat, features as never);
    try {
      return module.toBinary({}).buffer;
    } finally {
      module.destroy();
    }
  };
});

const start = '(func (export "_start"))';
const memory = '(memory (export "memory") 1)';

function reasonOf(admission: Admission): string {
  return admission.admitted ? 'admitted' : admission.reason;
}

test('admits a command module and knows its memory', () => {
  const bytes = compile(`(module
    (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 2 9) (table 10 funcref) ${start})`);
  expect(admitModule(bytes)).toMatchObject({ admitted: true, module: { minPages: 2, maxPages: 9 } });
});

test('takes a memory without a maximum as one of 4 GiB', () => {
  expect(admitModule(compile(`(module ${memory} ${start})`))).toMatchObject({ module: { maxPages: 65_536 } });
});

test.each<[string, string, RegExp]>([
  ['an import from another module', `(import "env" "f" (func)) ${memory} ${start}`, /env\.f is not provided/],
  [
    'a host function that does not exist',
    `(import "wasi_snapshot_preview1" "exec" (func)) ${memory} ${start}`,
    /exec is not provided/,
  ],
  [
    'a host function named like a property of every object',
    `(import "wasi_snapshot_preview1" "constructor" (func)) ${memory} ${start}`,
    /is not provided/,
  ],
  [
    'a host function with another type',
    `(import "wasi_snapshot_preview1" "fd_write" (func (param i32))) ${memory} ${start}`,
    /another type/,
  ],
  ['an imported memory', `(import "wasi_snapshot_preview1" "m" (memory 1)) ${start}`, /not a function/],
  ['an imported global', `(import "wasi_snapshot_preview1" "g" (global i32)) ${memory} ${start}`, /not a function/],
  ['a program without _start', memory, /_start/],
  ['a _start with parameters', `${memory} (func (export "_start") (param i64))`, /_start/],
  ['a _start that is no function', `(memory (export "_start") 1) (export "memory" (memory 0))`, /_start/],
  ['a program without memory', start, /memory/],
  ['a memory that is not exported', `(memory 1) ${start}`, /memory/],
  ['a table of ten million entries', `${memory} (table 10000000 funcref) ${start}`, /table of 10000000 entries/],
  ['two tables', `${memory} (table 1 funcref) (table 1 funcref) ${start}`, /too many tables/],
  ['two memories', `${memory} (memory 1) ${start}`, /too many memories/],
  ['shared memory', `(memory (export "memory") 1 2 shared) ${start}`, /shared or 64-bit/],
  ['64-bit memory', `(memory (export "memory") i64 1) ${start}`, /shared or 64-bit/],
  ['types of the garbage collection proposal', `(type (struct (field i32))) ${memory} ${start}`, /only function types/],
])('refuses %s', (_what, body, reason) => {
  expect(reasonOf(admitModule(compile(`(module ${body})`)))).toMatch(reason);
});

const header = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

test.each<[string, number[], RegExp]>([
  ['nothing', [], /not a WebAssembly module/],
  ['text', [...Buffer.from('#!/bin/sh\nexit 1\n')], /not a WebAssembly module/],
  ['a component', [0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00], /not a core module/],
  ['an unknown section', [...header, 77, 0], /unknown section 77/],
  ['a section beyond the end', [...header, 1, 100, 0], /unexpected end/],
  ['a section twice', [...header, 1, 1, 0, 1, 1, 0], /appears twice/],
  ['a section with a rest', [...header, 1, 2, 0, 0], /longer than its content/],
  ['a length of more than 32 bits', [...header, 1, 0xff, 0xff, 0xff, 0xff, 0x7f], /integer too long/],
  ['a huge count of functions', [...header, 3, 5, 0xff, 0xff, 0xff, 0xff, 0x0f], /too many functions/],
  ['a huge count of types', [...header, 1, 5, 0xff, 0xff, 0xff, 0xff, 0x0f], /too many types/],
])('refuses %s', (_what, bytes, reason) => {
  expect(reasonOf(admitModule(Uint8Array.from(bytes)))).toMatch(reason);
});

test('refuses more functions, larger functions and larger modules than the limits say', () => {
  const bytes = compile(`(module ${memory} ${start} (func i32.const 1 drop) (func))`);
  const limits = {
    moduleBytes: 1000,
    typeCount: 10,
    importCount: 10,
    exportCount: 10,
    functionCount: 10,
    bodyBytes: 100,
    globalCount: 10,
    elementBytes: 10,
    dataSegmentCount: 10,
    tableEntries: 10,
  };
  expect(admitModule(bytes, limits).admitted).toBe(true);
  expect(reasonOf(admitModule(bytes, { ...limits, functionCount: 2 }))).toMatch(/too many functions: 3, at most 2/);
  expect(reasonOf(admitModule(bytes, { ...limits, bodyBytes: 4 }))).toMatch(/function of 5 bytes/);
  expect(reasonOf(admitModule(bytes, { ...limits, moduleBytes: 20 }))).toMatch(/module of \d+ bytes, at most 20/);
  expect(reasonOf(admitModule(bytes, { ...limits, exportCount: 1 }))).toMatch(/too many exports/);
});

test('gives a verdict on any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, withHeader) => {
      const input = withHeader ? Uint8Array.from([...header, ...bytes]) : bytes;
      expect(typeof admitModule(input).admitted).toBe('boolean');
    }),
    { numRuns: 2000 },
  );
});

test('gives a verdict on any damaged module', () => {
  const sound = compile(`(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1 4) (table 4 funcref) (global (mut i32) (i32.const 7))
    (func $f (export "_start") (drop (call $write (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0))))
    (elem (i32.const 0) $f) (data (i32.const 8) "hello"))`);
  const damage = fc.record({ at: fc.nat(sound.length - 1), value: fc.nat(255) });
  fc.assert(
    fc.property(fc.array(damage, { maxLength: 4 }), fc.nat(sound.length), (changes, length) => {
      const bytes = sound.slice(0, length);
      for (const { at, value } of changes) if (at < length) bytes[at] = value;
      expect(typeof admitModule(bytes).admitted).toBe('boolean');
    }),
    { numRuns: 3000 },
  );
});
