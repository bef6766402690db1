import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { SessionResult } from '@zerocloud/sandbox';
import { GroupPool } from '@zerocloud/sandbox/executor/group-pool';
import { ExecutorPool } from '@zerocloud/sandbox/executor/pool';
import { createOpenJail, type Jail } from '@zerocloud/sandbox/jail/jail';
import { compileGuest, descendantPids, filesLeftIn, sessionOf, startTestSandbox, takeOutput } from '../support/sandbox';
import { until } from '../support/until';

/** Executors that a guest has taken over: they may lose their own sessions, and nothing else. */

const brokenExecutor = path.join(__dirname, '../support/broken-executor.cjs');
const setup = { systemImages: [], inlineOutputBytes: 65_536 };
let workDir: string;

beforeEach(async () => {
  workDir = await mkdtemp(path.join(os.tmpdir(), 'hostile-executors-'));
  await mkdir(path.join(workDir, 'outputs'));
});

afterEach(async () => {
  expect(descendantPids()).toEqual([]);
  expect(filesLeftIn(workDir)).toEqual([]);
  await rm(workDir, { recursive: true, force: true });
});

/** Its processes answer as they are told. */
function brokenJail(how: string): Jail {
  const jail = createOpenJail();
  return {
    ...jail,
    spawn: (program, stdio) => jail.spawn({ ...program, entry: brokenExecutor, args: [how] }, stdio),
  };
}

async function runAlone(how: string, timeoutMs = 10_000): Promise<SessionResult> {
  const pool = new ExecutorPool({ workDir, maxSessions: 1 }, setup, brokenJail(how));
  try {
    await pool.ready;
    return await pool.run(sessionOf(new Uint8Array(0), { timeoutMs }));
  } finally {
    await pool.close();
  }
}

async function runInGroup(how: string, timeoutMs = 10_000): Promise<SessionResult[]> {
  const pool = new GroupPool({ workDir, maxSessions: 2 }, setup, brokenJail(how));
  const session = sessionOf(new Uint8Array(0), { timeoutMs });
  try {
    return await pool.run([session, session], []);
  } finally {
    await pool.close();
  }
}

test('an honest one is heard', async () => {
  expect((await runAlone('honestly')).report.state).toBe('ok');
  expect((await runInGroup('honestly')).map(({ report }) => report.state)).toEqual(['ok', 'ok']);
});

describe.each([
  'with no report',
  'with a report of other things',
  'with counters that are none',
  'with a checksum that is none',
  'with an output of another size than its bytes',
  'with an output that is neither bytes nor file',
  'with text in the place of bytes',
  'with an etag that is none',
  'with outputs that were not asked for',
  'with a list that is none',
  'with a failure that there is not',
  'that it is ready',
  'with nothing',
  'what is no frame',
])('one that answers %s', (how) => {
  test('is taken for dead', async () => {
    const { report, outputs } = await runAlone(how);
    expect(report.state).toBe('sandbox process died');
    expect(outputs.map(({ isLost }) => isLost)).toEqual([true, true]);
  });

  test('is taken for dead with all of its group', async () => {
    const outcome = await runInGroup(how).then(
      (results) => results.map(({ report }) => report.state),
      (error) => error.code,
    );
    // The second if what is no frame came together with the first word of its process.
    expect([['sandbox process died', 'sandbox process died'], 'executor-failed']).toContainEqual(outcome);
  });
});

test('one that answers for another session is taken for dead', async () => {
  expect((await runAlone('for another session')).report.state).toBe('sandbox process died');
});

test('one that answers twice is not asked again', async () => {
  const given: unknown[] = [];
  const log = ({ pid, tenant }: Record<string, unknown>) => tenant !== undefined && given.push(pid);
  const pool = new ExecutorPool({ workDir, maxSessions: 1, log }, setup, brokenJail('twice'));
  try {
    await pool.ready;
    for (let i = 0; i < 3; i++) {
      expect((await pool.run(sessionOf(new Uint8Array(0)))).report.state).toBe('ok');
      await until('it is gone', () => !descendantPids().includes(given.at(-1) as number));
    }
    expect(new Set(given).size).toBe(3);
  } finally {
    await pool.close();
  }
});

describe.each([
  'frames without end',
  'one frame without end',
  'words about time without end',
  'a word without end on the line',
  'nonsense on the line',
])('one that writes %s', (how) => {
  const maxGrowthBytes = 64 * 1024 ** 2;

  async function expectBounded(run: () => Promise<unknown>): Promise<void> {
    const before = process.memoryUsage();
    let most = 0;
    const timer = setInterval(() => {
      const { external, arrayBuffers } = process.memoryUsage();
      most = Math.max(most, external + arrayBuffers - before.external - before.arrayBuffers);
    }, 20);
    try {
      await run();
    } finally {
      clearInterval(timer);
    }
    expect(most).toBeLessThan(maxGrowthBytes);
  }

  test('ends when its time is over at the latest, and costs the server no memory', () =>
    expectBounded(async () => {
      const { report } = await runAlone(how, 300);
      expect(report.state).toMatch(/^(session timeout|sandbox process died)$/);
    }));
});

test('a server that has no descriptors left goes on when there are some again', async () => {
  const script = `
    const { openSync, closeSync } = require('node:fs');
    const { createSandbox } = require('@zerocloud/sandbox');
    const program = { kind: 'module', source: { kind: 'bytes', data: Buffer.from(process.argv[2], 'base64') } };
    const limits = { reads: 1, readBytes: 1, writes: 0, writeBytes: 0 };
    const channels = [{ name: '/dev/stdin', type: 0, limits, fileType: 'pipe', etag: false }];
    const session = { tenant: 't', program, args: [], env: {}, channels, mounts: [], systemImages: [], timeoutMs: 20000, memoryBytes: 1e6 };
    const failed = new Promise((resolve) => { globalThis.failed = resolve; });
    const log = (event, message) => { if (message === 'an executor process could not be started') globalThis.failed(); };
    createSandbox({ workDir: process.argv[1], maxSessions: 2, systemImages: [], inlineOutputBytes: 1000, jail: 'none', log }).then(async (sandbox) => {
      console.log('started');
      const fds = [];
      try { for (;;) fds.push(openSync('/dev/null', 'r')); } catch {}
      const first = sandbox.run({ ...session, tenant: 'a' });
      const second = sandbox.run({ ...session, tenant: 'b' }).catch(() => undefined);
      await failed;
      await new Promise((resolve) => setTimeout(resolve, 100));
      for (const fd of fds) closeSync(fd);
      await first, await second;
      console.log((await sandbox.run(session)).report.exitCode);
      await sandbox.close();
    });`;
  const program = Buffer.from(await compileGuest('exit-code')).toString('base64');
  const command = 'ulimit -n 300; exec "$0" "$@"';
  const server = spawn('sh', ['-c', command, process.execPath, '-e', script, path.join(workDir, 'served'), program], {
    cwd: __dirname,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [server.stdout, server.stderr]) {
    stream.on('data', (chunk) => {
      said += chunk;
    });
  }
  await once(server, 'close');
  expect(said).toBe('started\n42\n');
});

test('many busy neighbours of a session whose time is over go on, and what it wrote is kept', async () => {
  const { sandbox, close } = await startTestSandbox({ maxSessions: 14 });
  try {
    const spin = await compileGuest('spin-forever');
    const writer = sessionOf(await compileGuest('write-then-spin'), { timeoutMs: 400 });
    const neighbours = Array.from({ length: 11 }, () => sessionOf(spin, { timeoutMs: 2500 }));
    const last = sessionOf(await compileGuest('write-then-spin'), { timeoutMs: 2500 });
    const results = await sandbox.runGroup([writer, last, ...neighbours], []);
    expect(results.map(({ report }) => report.state)).toEqual(results.map(() => 'session timeout'));
    expect(results.flatMap(({ outputs }) => outputs.filter(({ isLost }) => isLost))).toEqual([]);
    for (const result of results.slice(0, 2)) expect(String(await takeOutput(result))).toBe('before');
    expect(results[1]!.report.elapsedMs).toBeGreaterThanOrEqual(2500);
  } finally {
    await close();
  }
});
