import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Session, SessionResult } from '@zerocloud/sandbox';
import { randomFrom } from '../support/random';
import {
  childPids,
  compileGuest,
  compileGuestText,
  descendantPids,
  filesLeftIn,
  inputChannel,
  isAlive,
  outputChannel,
  sessionOf,
  signalAll,
  startTestSandbox,
  type TestSandbox,
  takeOutput,
} from '../support/sandbox';
import { until } from '../support/until';

let system: TestSandbox;
let sandbox: TestSandbox['sandbox'];

beforeAll(async () => {
  system = await startTestSandbox({ maxSessions: 3 });
  sandbox = system.sandbox;
});

afterAll(() => system.close());

/** An honest session, which must always be possible. */
async function expectHealthy(tenant = 'neighbour'): Promise<void> {
  const channels = [inputChannel('still here'), outputChannel()];
  const result = await sandbox.run(sessionOf(await compileGuest('copy-stdin-to-stdout'), { tenant, channels }));
  expect(String(await takeOutput(result))).toBe('still here');
}

async function timed(session: Session): Promise<{ result: SessionResult; tookMs: number }> {
  const start = performance.now();
  const result = await sandbox.run(session);
  return { result, tookMs: performance.now() - start };
}

/** Generous, because tests share the machine; the bound itself is 150 ms. */
const overshootMs = 1000;

describe('a guest that does not end', () => {
  test.each(['spin-forever', 'spin-in-start-function'])('is stopped when its time is over: %s', async (name) => {
    const guest = await compileGuest(name);
    const { result, tookMs } = await timed(sessionOf(guest, { timeoutMs: 200 }));
    expect(result.report).toMatchObject({ validation: 0, exitCode: 0, state: 'session timeout', code: 4 });
    expect(result.report.elapsedMs).toBeGreaterThanOrEqual(200);
    expect(result.report.accounting.userSeconds).toBeGreaterThan(0.01);
    expect(tookMs).toBeLessThan(200 + overshootMs);
    await expectHealthy();
  });

  test('keeps what it wrote and the counters of it', async () => {
    const channels = [inputChannel(), outputChannel('/dev/stdout', { etag: true }), outputChannel('/dev/stderr')];
    const guest = await compileGuest('write-then-spin');
    const result = await sandbox.run(sessionOf(guest, { timeoutMs: 200, channels }));
    expect(result.report).toMatchObject({ state: 'session timeout', accounting: { writes: 1, writeBytes: 6 } });
    expect(result.report.etags).toHaveLength(1);
    expect(String(await takeOutput(result))).toBe('before');
  });

  test('keeps what it wrote beyond the shared buffer too', async () => {
    const guest = await compileGuest('flood-stdout');
    const result = await sandbox.run(sessionOf(guest, { timeoutMs: 100 }));
    expect(result.report.state).toBe('session timeout');
    const { writes } = result.report.accounting;
    const output = await takeOutput(result);
    // The last write may have been under way.
    expect(output.length).toBeGreaterThanOrEqual(writes * 65_536);
    expect(output.length).toBeLessThanOrEqual((writes + 1) * 65_536);
  });

  test('has its time even if the executor has to be killed from outside', async () => {
    const before = descendantPids();
    const running = timed(sessionOf(await compileGuest('spin-forever'), { timeoutMs: 300, tenant: 'stuck' }));
    await until('the session runs', () => sandbox.load().running === 1);
    signalAll(before, 'SIGSTOP');
    const { result, tookMs } = await running;
    signalAll(before, 'SIGCONT');
    expect(result.report).toMatchObject({ state: 'session timeout', code: 4 });
    expect(result.outputs.map(({ name }) => name)).toEqual(['/dev/stdout', '/dev/stderr']);
    expect(tookMs).toBeLessThan(300 + overshootMs);
    await expectHealthy();
  });
});

describe('a guest that wants too much', () => {
  test('gets no more memory than its limit', async () => {
    const { report } = await sandbox.run(sessionOf(await compileGuest('grow-until-refused'), { memoryBytes: 2 ** 20 }));
    expect(report).toMatchObject({ state: 'ok', exitCode: 16 });
  });

  test.each(['recurse-forever', 'recurse-into-host'])('runs out of stack alone: %s', async (name) => {
    const { report } = await sandbox.run(sessionOf(await compileGuest(name)));
    expect(report.state).toMatch(/^(trap: call stack exhausted|Signal 11 from untrusted code)$/);
    expect(report.code).toBe(4);
    await expectHealthy();
  });

  test('fills no more than its quota of output', async () => {
    const limits = { reads: 0, readBytes: 0, writes: 1_000_000, writeBytes: 10_000_000 };
    const channels = [inputChannel(), outputChannel('/dev/stdout', { limits })];
    const result = await sandbox.run(sessionOf(await compileGuest('flood-stdout'), { channels }));
    const edquot = 19;
    expect(result.report).toMatchObject({ state: 'ok', exitCode: edquot, accounting: { writeBytes: 10_000_000 } });
    expect(await takeOutput(result)).toHaveLength(10_000_000);
  });

  test('traps when its data do not fit its memory', async () => {
    const { report } = await sandbox.run(sessionOf(await compileGuest('data-beyond-memory')));
    expect(report.state).toMatch(/^trap: .*data segment/);
    expect(report.code).toBe(4);
  });

  test('may have many functions, and not too many', async () => {
    const many = (count: number) => {
      return compileGuestText(
        `(module (memory (export "memory") 1) (func (export "_start")) ${'(func)'.repeat(count)})`,
      );
    };
    expect((await sandbox.run(sessionOf(await many(20_000)))).report.state).toBe('ok');
    const { report } = await sandbox.run(sessionOf(await many(200_000)));
    expect(report).toMatchObject({ validation: 1, detail: expect.stringContaining('too many functions') });
  });
});

describe('a program that is refused', () => {
  const parts = '(memory (export "memory") 1) (func (export "_start"))';

  test.each<[string, () => Promise<Uint8Array>, RegExp]>([
    ['nothing', async () => new Uint8Array(0), /not a WebAssembly module/],
    ['a shell script', async () => Buffer.from('#!/bin/sh\nrm -rf /\n'), /not a WebAssembly module/],
    ['a table of ten million entries', () => compileGuestText(`(module ${parts} (table 10000000 funcref))`), /table/],
    ['an import outside of WASI', () => compileGuestText(`(module (import "node" "fs" (func)) ${parts})`), /node\.fs/],
    ['no _start', () => compileGuestText('(module (memory (export "memory") 1))'), /_start/],
    ['more than 64 MiB', async () => Buffer.alloc(65 * 1024 ** 2, '\0asm'), /module of/],
    [
      'a body that does not validate',
      () => compileGuestText(`(module (memory (export "memory") 1) (func (export "_start")))`).then(breakBody),
      /Compiling function/,
    ],
  ])('%s', async (_what, compile, detail) => {
    const { report, outputs } = await sandbox.run(sessionOf(await compile()));
    expect(report).toMatchObject({ validation: 1, exitCode: 0, state: 'validation failed', code: 8 });
    expect(report.detail).toMatch(detail);
    expect(outputs.map(({ name, sizeBytes }) => [name, sizeBytes])).toEqual([
      ['/dev/stdout', 0],
      ['/dev/stderr', 0],
    ]);
  });

  /** The one body, `end`, becomes `drop`-less `i32.add`. */
  function breakBody(module: Uint8Array): Uint8Array {
    const broken = Uint8Array.from(module);
    broken[broken.length - 1] = 0x6a;
    return broken;
  }
});

/** More than fits into the memory that outputs begin in. */
const writeFileThenSpin = `(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 4)
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 64))
    (i32.store (i32.const 4) (i32.const 200000))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
    (loop $again (br $again))))`;

describe('the death of an executor process', () => {
  test('is one session’s report and leaves its neighbour of another tenant untouched', async () => {
    const before = new Set(childPids());
    const neighbour = sandbox.run(sessionOf(await compileGuest('count-down-then-write'), { tenant: 'calm' }));
    const victim = sandbox.run(sessionOf(await compileGuestText(writeFileThenSpin), { tenant: 'victim' }));
    await until('it has begun', () => filesLeftIn(system.workDir).length > 0);
    const given = system.events.findLast((event) => event.tenant === 'victim')!;
    expect(before.has(given.pid as number)).toBe(true);
    process.kill(given.pid as number, 'SIGKILL');
    const lost = await victim;
    expect(lost.report).toMatchObject({ state: 'sandbox process died', code: 4, exitCode: 0 });
    for (const output of lost.outputs) expect(output).toMatchObject({ sizeBytes: 0, isLost: true });
    const result = await neighbour;
    expect(result.report).toMatchObject({ state: 'ok', code: 0 });
    expect(String(await takeOutput(result))).toBe('done');
    await until('the death is logged', () => system.events.some(({ message }) => message.includes('died')));
    // What had begun is not begun again.
    expect(system.events.filter((event) => event.tenant === 'victim')).toHaveLength(1);
    await expectHealthy('victim');
  });

  test('while nothing runs costs the next session nothing, even before the server has noticed', async () => {
    signalAll(descendantPids(), 'SIGKILL');
    await expectHealthy();
  });
});

test('every session is settled when processes die and clients hang up at random', async () => {
  const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
  const random = randomFrom(seed);
  const copy = await compileGuest('copy-stdin-to-stdout');
  const spin = await compileGuest('spin-forever');
  const allowed = /^(ok|session timeout|sandbox process died)$/;
  const sessions = Array.from({ length: 120 }, async (_, i) => {
    const text = `${i}`.repeat(1 + Math.floor(random() * 30_000));
    const channels = [inputChannel(text), outputChannel()];
    const endless = random() < 0.15;
    const tenant = `tenant ${Math.floor(random() * 4)}`;
    const controller = new AbortController();
    if (random() < 0.2) setTimeout(() => controller.abort('hung up'), random() * 1500);
    const cacheKey = random() < 0.7 ? (endless ? 'spin' : 'copy') : undefined;
    const program = {
      kind: 'module' as const,
      source: { kind: 'bytes' as const, data: endless ? spin : copy },
      cacheKey,
    };
    const session = sessionOf(program, { tenant, channels, timeoutMs: endless ? 50 : 10_000 });
    const result = await sandbox.run(session, { signal: controller.signal }).catch((error) => error);
    if (result === 'hung up') return 'aborted';
    if (result instanceof Error) throw result;
    expect([seed, result.report.state]).toEqual([seed, expect.stringMatching(allowed)]);
    if (result.report.state === 'ok') expect(String(await takeOutput(result)) === text).toBe(true);
    else for (const { body } of result.outputs) if (body.kind === 'file') await rm(body.path);
    return result.report.state;
  });
  const killer = setInterval(() => {
    const all = childPids();
    // Mostly those at work: on a slow machine no process would come up if each was killed on its way.
    const given = system.events.map(({ pid }) => pid as number).filter((pid) => all.includes(pid));
    const pids = random() < 0.8 ? given : all;
    const pid = pids[Math.floor(random() * pids.length)];
    if (pid !== undefined) signalAll([pid], 'SIGKILL');
  }, 150);
  try {
    const ends = await Promise.all(sessions);
    expect(ends.filter((end) => end === 'ok').length).toBeGreaterThan(20);
  } finally {
    clearInterval(killer);
  }
  expect(sandbox.load()).toEqual({ running: 0, waiting: 0 });
  await until('no file is left', () => filesLeftIn(system.workDir).length === 0);
  await expectHealthy();
});

test.each(['/bin/false', '/nowhere/node', '/'])(
  'a host that cannot start executors (%s) is a clear failure',
  async (node) => {
    const directory = await mkdtemp(path.join(os.tmpdir(), 'sandbox-server-'));
    const script = `
    process.execPath = process.argv[2];
    const { createSandbox } = require('@zerocloud/sandbox');
    createSandbox({ workDir: process.argv[1], maxSessions: 2, systemImages: [], inlineOutputBytes: 1000 }).then(
      () => console.log('started'),
      (error) => console.log(error.code, require('node:fs').existsSync(process.argv[1])));`;
    const server = spawn(process.execPath, ['-e', script, path.join(directory, 'work'), node], { cwd: __dirname });
    const chunks: Buffer[] = [];
    server.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    await once(server, 'close');
    await rm(directory, { recursive: true, force: true });
    expect(String(Buffer.concat(chunks))).toBe('executor-failed false\n');
  },
);

test('executor processes die with their server, even in the middle of a session', async () => {
  const directory = await mkdtemp(path.join(os.tmpdir(), 'sandbox-server-'));
  const script = `
    const { createSandbox } = require('@zerocloud/sandbox');
    const { execFileSync } = require('node:child_process');
    const spin = Buffer.from(process.argv[2], 'base64');
    createSandbox({ workDir: process.argv[1], maxSessions: 2, systemImages: [], inlineOutputBytes: 1000 }).then((sandbox) => {
      const limits = { reads: 1, readBytes: 1, writes: 0, writeBytes: 0 };
      const channels = [{ name: '/dev/stdin', type: 0, limits, fileType: 'pipe', etag: false }];
      const program = { kind: 'module', source: { kind: 'bytes', data: spin } };
      const session = { tenant: 't', program, args: [], env: {}, channels, mounts: [], systemImages: [] };
      sandbox.run({ ...session, timeoutMs: 60000, memoryBytes: 1000000 });
      const children = '/proc/' + process.pid + '/task/' + process.pid + '/children';
      console.log(require('node:fs').readFileSync(children, 'utf8'));
    });`;
  const spin = Buffer.from(await compileGuest('spin-forever')).toString('base64');
  const server = spawn(process.execPath, ['-e', script, path.join(directory, 'work'), spin], {
    cwd: __dirname,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [line] = (await once(server.stdout, 'data')) as [Buffer];
    const starters = String(line).trim().split(/\s+/).map(Number);
    const pids = starters.flatMap((pid) => [pid, ...descendantPids(pid)]);
    expect(pids.length).toBeGreaterThan(0);
    expect(pids.every(isAlive)).toBe(true);
    server.kill('SIGKILL');
    await until('all executors are gone', () => !pids.some(isAlive));
  } finally {
    server.kill('SIGKILL');
    await rm(directory, { recursive: true, force: true });
  }
});
