import { Ahead, type World } from '@zerocloud/sandbox/executor/ahead';
import { instantiate, runGuest } from '@zerocloud/sandbox/executor/guest';
import type { ReadyModule } from '@zerocloud/sandbox/executor/module-cache';
import { admitModule } from '@zerocloud/sandbox/module/admission';
import { type CompiledModule, engine } from '@zerocloud/sandbox/module/engine';
import { rewriteModule } from '@zerocloud/sandbox/module/rewrite';
import { assembleWat } from '../../../support/wat';

jest.mock('@zerocloud/sandbox/executor/guest', () => {
  const guest = jest.requireActual('@zerocloud/sandbox/executor/guest');
  return { ...guest, instantiate: jest.fn(guest.instantiate) };
});

const made = instantiate as jest.MockedFunction<typeof instantiate>;
const memoryBytes = 4 * 65_536;

async function moduleOf(text: string, changes: Partial<ReadyModule> = {}): Promise<ReadyModule> {
  const bytes = await assembleWat(`(module (memory (export "memory") 1) ${text})`);
  const admission = admitModule(bytes);
  if (!admission.admitted) throw new Error(admission.reason);
  const module: CompiledModule = new engine.Module(rewriteModule(admission.module));
  return { module, minPages: 1, maxPages: 65_536, hasStartFunction: false, sizeBytes: bytes.length, ...changes };
}

/** Traps unless its memory and its global are as its module says, and changes both. */
const fresh = `(global $runs (mut i32) (i32.const 0)) (data (i32.const 8) "A")
  (func (export "_start")
    (if (i32.or (global.get $runs) (i32.ne (i32.load (i32.const 8)) (i32.const 65))) (then unreachable))
    (if (i32.load (i32.const 100)) (then unreachable))
    (global.set $runs (i32.const 1)) (i32.store (i32.const 8) (i32.const 7)) (i32.store (i32.const 100) (i32.const 7)))`;

/** One session: returns how many instances were made while somebody waited for it. */
function session(ahead: Ahead, module: ReadyModule, { limit = memoryBytes, state = 'ok' } = {}): number {
  made.mockClear();
  const world: World = ahead.takeWorld();
  world.host.begin({ args: [], env: {}, channels: [] });
  const { run } = ahead.takeStart(module, limit, world.host);
  expect(runGuest(run).state).toBe(state);
  const waitedFor = made.mock.calls.length;
  ahead.settle();
  return waitedFor;
}

test('a program that runs again and again finds its instance made, as new each time', async () => {
  const ahead = new Ahead();
  const module = await moduleOf(fresh);
  expect([1, 2, 3, 4, 5].map(() => session(ahead, module))).toEqual([1, 1, 0, 0, 0]);
});

test('an instance made ahead is for its module and its limit of memory only', async () => {
  const ahead = new Ahead();
  const [one, other] = [await moduleOf(fresh), await moduleOf(fresh)];
  for (let i = 0; i < 3; i++) session(ahead, one);
  expect(session(ahead, other)).toBe(1);
  for (let i = 0; i < 3; i++) session(ahead, one);
  expect(session(ahead, one, { limit: 2 * memoryBytes })).toBe(1);
});

test('calls of an instance made ahead go to the host of its session', async () => {
  const ahead = new Ahead();
  const bytes =
    await assembleWat(`(module (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32))) (memory (export "memory") 1)
    (func (export "_start") (drop (call $sizes (i32.const 0) (i32.const 4))) (call $exit (i32.load (i32.const 0)))))`);
  const admission = admitModule(bytes);
  if (!admission.admitted) throw new Error(admission.reason);
  const module = await moduleOf('(func (export "_start"))', {
    module: new engine.Module(rewriteModule(admission.module)),
  });
  const exitCodes = [1, 2, 3, 4].map((count) => {
    made.mockClear();
    const { host } = ahead.takeWorld();
    host.begin({ args: Array(count).fill('a'), env: {}, channels: [] });
    const { exitCode } = runGuest(ahead.takeStart(module, memoryBytes, host).run);
    const waitedFor = made.mock.calls.length;
    ahead.settle();
    return [exitCode, waitedFor];
  });
  expect(exitCodes).toEqual([
    [1, 1],
    [2, 1],
    [3, 0],
    [4, 0],
  ]);
});

test('what no session took is there for the next one', async () => {
  const ahead = new Ahead();
  const module = await moduleOf(fresh);
  for (let i = 0; i < 3; i++) session(ahead, module);
  ahead.settle();
  expect(session(ahead, module)).toBe(0);
});

test('guest code never runs between sessions', async () => {
  const ahead = new Ahead();
  const text = '(func $begin unreachable) (start $begin) (func (export "_start"))';
  const module = await moduleOf(text, { hasStartFunction: true });
  for (let i = 0; i < 4; i++) expect(session(ahead, module, { state: 'trap: unreachable' })).toBe(1);
});

test('what cannot be instantiated fails in its session', async () => {
  const ahead = new Ahead();
  const module = await moduleOf('(data (i32.const 65536) "A") (func (export "_start"))');
  const first = ahead.takeWorld();
  const ending = runGuest(ahead.takeStart(module, memoryBytes, first.host).run);
  expect(ending.state).toMatch(/^trap: .*data segment/);
  ahead.settle();
  for (let i = 0; i < 3; i++) session(ahead, module, { state: ending.state });
});
