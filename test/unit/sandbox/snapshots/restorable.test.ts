import { trustedModuleLimits } from '@zerocloud/sandbox/limits';
import { admitModule } from '@zerocloud/sandbox/module/admission';
import { engine } from '@zerocloud/sandbox/module/engine';
import { makeRestorable, tableExport } from '@zerocloud/sandbox/snapshots/restorable';
import { compileGuestText } from '../../../support/sandbox';

async function restorable(body: string) {
  const bytes = await compileGuestText(`(module ${body} (memory (export "memory") 1) (func (export "_start")))`);
  const admission = admitModule(bytes, trustedModuleLimits);
  if (!admission.admitted) throw new Error(admission.reason);
  return makeRestorable(admission.module);
}

const table = '(table 2 funcref)';

describe('a program whose memory and globals are its whole state', () => {
  test('gets its table and its mutable globals exported', async () => {
    const globals = '(global (mut i32) (i32.const 7)) (global i64 (i64.const 1)) (global (mut i32) (i32.const -9))';
    const found = await restorable(`${table} ${globals}`);
    expect(found.globals).toEqual(['zerocloud:global:0', 'zerocloud:global:2']);
    const memory = new engine.Memory({ initial: 1, maximum: 1 });
    const module = new engine.Module(found.bootBytes);
    const { exports } = new engine.Instance(module, { zerocloud: { memory } });
    expect((exports['zerocloud:global:2'] as { value: number }).value).toBe(-9);
    expect((exports[tableExport] as { length: number }).length).toBe(2);
  });

  test('starts with its data and is restored without', async () => {
    const found = await restorable(`${table} (data (i32.const 8) "hello")`);
    const memories = [found.bootBytes, found.sessionBytes].map((bytes) => {
      const memory = new engine.Memory({ initial: 1, maximum: 1 });
      new engine.Instance(new engine.Module(bytes), { zerocloud: { memory } });
      return Buffer.from(memory.buffer, 8, 5).toString('latin1');
    });
    expect(memories).toEqual(['hello', '\0\0\0\0\0']);
  });

  test('may use every kind of instruction that leaves nothing behind', async () => {
    const body = `(func (param i32) (result i32) (local v128 f64)
      (local.set 1 (v128.const i32x4 1 2 3 4)) (local.set 2 (f64.const 1.5))
      (drop (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 (local.get 1) (local.get 1)))
      (drop (i32x4.extract_lane 3 (local.get 1))) (drop (v128.load8_lane 3 (i32.const 0) (local.get 1)))
      (memory.copy (i32.const 0) (i32.const 4) (i32.const 4)) (memory.fill (i32.const 0) (i32.const 1) (i32.const 4))
      (drop (i32.trunc_sat_f64_s (local.get 2))) (drop (table.get 0 (i32.const 0)))
      (block (block (br_table 0 1 0 (local.get 0))))
      (drop (select (result i32) (i32.const 1) (i32.const 2) (local.get 0)))
      (if (result i32) (local.get 0) (then (i32.const 1)) (else (i32.const -100000))))`;
    expect((await restorable(`${table} ${body}`)).globals).toEqual([]);
  });
});

test.each([
  ['sets table entries', `${table} (func (table.set 0 (i32.const 0) (ref.null func)))`, 'table.set'],
  ['grows its table', `${table} (func (drop (table.grow 0 (ref.null func) (i32.const 1))))`, 'table.grow'],
  ['fills its table', `${table} (func (table.fill 0 (i32.const 0) (ref.null func) (i32.const 1)))`, 'table.fill'],
  ['copies table entries', `${table} (func (table.copy 0 0 (i32.const 0) (i32.const 1) (i32.const 1)))`, 'table.copy'],
  ['drops element segments', `${table} (elem $e func) (func (elem.drop $e))`, 'elem.drop'],
  [
    'loads passive data',
    `${table} (data $d "x") (func (memory.init $d (i32.const 0) (i32.const 0) (i32.const 1)))`,
    'memory.init',
  ],
  ['drops data', `${table} (data $d "x") (func (data.drop $d))`, 'data.drop'],
  ['has a start function', `${table} (func $s) (start $s)`, 'start function'],
  ['has a mutable global of another type', `${table} (global (mut i64) (i64.const 1))`, 'mutable global'],
  ['has no table', '', 'no table'],
])('refuses a program that %s', async (_what, body, reason) => {
  await expect(restorable(body)).rejects.toThrow(reason);
});
