import { type AdmittedModule, admitModule } from '@zerocloud/sandbox/module/admission';
import { engine } from '@zerocloud/sandbox/module/engine';
import { rewriteModule } from '@zerocloud/sandbox/module/rewrite';
import { readSections, sectionId, withoutSections, writeModule } from '@zerocloud/sandbox/module/sections';
import loadWabt from 'wabt';

let compile: (wat: string) => Uint8Array;

beforeAll(async () => {
  const wabt = await loadWabt();
  compile = (wat) => {
    const module = wabt.parseWat('guest.wat', wat);
    try {
      return module.toBinary({ write_debug_names: true }).buffer;
    } finally {
      module.destroy();
    }
  };
});

function admitted(bytes: Uint8Array): AdmittedModule {
  const admission = admitModule(bytes);
  if (!admission.admitted) throw new Error(admission.reason);
  return admission.module;
}

function instantiate(bytes: Uint8Array, initial: number, maximum: number): Record<string, unknown> {
  const memory = new engine.Memory({ initial, maximum });
  const host = { sched_yield: () => 42 };
  const module = new engine.Module(rewriteModule(admitted(bytes)));
  return new engine.Instance(module, { zerocloud: { memory }, wasi_snapshot_preview1: host }).exports;
}

const guest = `(module
  (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
  (memory (export "memory") 1 100)
  (table 2 funcref)
  (type $answer (func (result i32)))
  (func $grow (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "growTable") (param i32) (result i32) (table.grow 0 (ref.null func) (local.get 0)))
  (func $load (result i32) (i32.load (i32.const 8)))
  (func (export "indirect") (param i32) (result i32) (call_indirect (type $answer) (local.get 0)))
  (func (export "_start"))
  (elem (i32.const 0) $yield $load)
  (data (i32.const 8) "\\07\\00\\00\\00"))`;

test('keeps what the module does: imports, indices, table and data', () => {
  const exports = instantiate(compile(guest), 1, 1);
  const indirect = exports.indirect as (index: number) => number;
  expect(indirect(0)).toBe(42);
  expect(indirect(1)).toBe(7);
});

test('lets one module run with every memory limit', () => {
  const bytes = compile(guest);
  const grow = (limit: number) => instantiate(bytes, 1, limit).grow as (pages: number) => number;
  expect(grow(3)(2)).toBe(1);
  expect(grow(3)(3)).toBe(-1);
  expect(grow(50)(49)).toBe(1);
});

test('bounds the growth of a table that has no maximum', () => {
  const growTable = instantiate(compile(guest), 1, 1).growTable as (entries: number) => number;
  expect(growTable(99_998)).toBe(2);
  expect(growTable(1)).toBe(-1);
});

test('adds an import section to a module that has none', () => {
  const exports = instantiate(compile('(module (memory (export "memory") 1) (func (export "_start")))'), 1, 1);
  expect(Object.keys(exports)).toEqual(['memory', '_start']);
});

test('drops names and debug information', () => {
  const bytes = compile(guest);
  const isCustom = ({ id }: { id: number }) => id === sectionId.custom;
  expect(readSections(bytes).some(isCustom)).toBe(true);
  expect(readSections(rewriteModule(admitted(bytes))).some(isCustom)).toBe(false);
});

test('takes a module apart and puts it together unchanged', () => {
  const bytes = compile(guest);
  expect(Buffer.from(writeModule(readSections(bytes))).equals(bytes)).toBe(true);
  expect(writeModule(withoutSections(readSections(bytes), sectionId.data)).length).toBeLessThan(bytes.length);
});
