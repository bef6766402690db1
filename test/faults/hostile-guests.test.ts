import { readdirSync } from 'node:fs';
import path from 'node:path';
import type { Session, SessionResult } from '@zerocloud/sandbox';
import { errno } from '@zerocloud/sandbox/wasi/errno';
import { manyFunctions } from '../support/guests/many-functions';
import {
  compileGuest,
  descendantPids,
  filesLeftIn,
  inputChannel,
  isAlive,
  outputChannel,
  sessionOf,
  startTestSandbox,
  type TestSandbox,
  takeOutput,
} from '../support/sandbox';
import { until } from '../support/until';

const fileBytes = 8 * 1024 ** 2;

let system: TestSandbox;

beforeAll(async () => {
  system = await startTestSandbox({ maxSessions: 2, maxFileBytes: fileBytes });
});

afterAll(async () => {
  const pids = descendantPids();
  await system.close();
  await until('no process is left', () => !pids.some(isAlive));
});

/** Runs a hostile session while a session of another account is in the middle of its work, and sees to it that it gets done. */
async function runBesideNeighbour(guest: string | Uint8Array, changes: Partial<Session> = {}): Promise<SessionResult> {
  const module = typeof guest === 'string' ? await compileGuest(guest) : guest;
  const neighbour = system.sandbox.run(sessionOf(await compileGuest('count-down-then-write'), { tenant: 'neighbour' }));
  const result = await system.sandbox.run(sessionOf(module, { tenant: 'hostile', ...changes }));
  const calm = await neighbour;
  expect(calm.report).toMatchObject({ state: 'ok', code: 0 });
  expect(String(await takeOutput(calm))).toBe('done');
  return result;
}

afterEach(async () => {
  expect(system.sandbox.load()).toEqual({ running: 0, waiting: 0 });
  await until('no file is left', () => filesLeftIn(system.workDir).length === 0);
  expect(system.events.filter(({ message }) => message.includes('host failed'))).toEqual([]);
});

describe('a guest that wants descriptors', () => {
  test('gets no more than its table holds', async () => {
    const { report } = await runBesideNeighbour('open-until-refused', {
      channels: [inputChannel('x'), outputChannel()],
    });
    expect(report).toMatchObject({ state: 'ok', exitCode: errno.mfile });
  });

  test('finds no sockets among them', async () => {
    const { report } = await runBesideNeighbour('use-sockets');
    expect(report).toMatchObject({ state: 'ok', exitCode: errno.notsock });
  });
});

describe('a guest that looks for files of the host', () => {
  test.each([
    '/etc/passwd',
    'etc/passwd',
    '../../../../../../etc/passwd',
    'dev/../../etc/passwd',
    '/proc/self/environ',
    'proc/self/environ',
    'proc/1/mem',
    '../in/1-0',
    '../../slot-0/in/1-0',
    'dev/fd/4',
    'dev/null/../../../etc/passwd',
    '',
  ])('does not find %j', async (name) => {
    const { report } = await runBesideNeighbour('open-argument', { args: ['guest', name] });
    expect(report.state).toBe('ok');
    expect([errno.noent, errno.notcapable, errno.notdir]).toContain(report.exitCode);
  });

  test('does not find another slot under its real name', async () => {
    for (const entry of readdirSync(system.workDir)) {
      const { report } = await runBesideNeighbour('open-argument', {
        args: ['guest', path.join(system.workDir, entry)],
      });
      expect([errno.noent, errno.notcapable]).toContain(report.exitCode);
    }
  });

  test('finds its own standard input, as a check of these tests', async () => {
    const { report } = await runBesideNeighbour('open-argument', { args: ['guest', 'dev/stdin'] });
    expect(report).toMatchObject({ state: 'ok', exitCode: errno.success });
  });
});

describe('a guest that goes on behind its quotas', () => {
  const wide = 1_000_000;

  test.each([
    ['calls', { reads: 5, readBytes: wide }, { writes: 7, writeBytes: wide }, [5, 10, 7, 14]],
    ['bytes', { reads: wide, readBytes: 9 }, { writes: wide, writeBytes: 11 }, [5, 9, 6, 11]],
    ['one byte', { reads: wide, readBytes: 1 }, { writes: 1, writeBytes: 1 }, [1, 1, 1, 1]],
  ])('is held to them: %s', async (_what, input, output, [reads, readBytes, writes, writeBytes]) => {
    const channels = [
      inputChannel('y'.repeat(1000), { limits: { ...input, writes: 0, writeBytes: 0 } }),
      outputChannel('/dev/stdout', { limits: { ...output, reads: 0, readBytes: 0 } }),
    ];
    const result = await runBesideNeighbour('exceed-quotas', { channels });
    expect(result.report).toMatchObject({
      state: 'ok',
      exitCode: 256 * errno.dquot + errno.dquot,
      accounting: { reads, readBytes, writes, writeBytes },
    });
    expect(await takeOutput(result)).toHaveLength(writeBytes!);
  });
});

describe('a guest that fills the disk', () => {
  test('writes no file beyond the largest one, and may go on', async () => {
    const result = await runBesideNeighbour('flood-stdout');
    expect(result.report).toMatchObject({ state: 'ok', exitCode: errno.fbig, accounting: { writeBytes: fileBytes } });
    expect(await takeOutput(result)).toHaveLength(fileBytes);
  });

  test('cannot do it with a hole either', async () => {
    const channels = [inputChannel(), outputChannel('/dev/stdout', { type: 3 })];
    const result = await runBesideNeighbour('write-far-away', { channels });
    expect(result.report).toMatchObject({ state: 'ok', exitCode: errno.fbig });
    expect(result.outputs[0]!.sizeBytes).toBe(0);
  });

  test('has its outputs removed when the client is gone', async () => {
    const controller = new AbortController();
    const session = sessionOf(await compileGuest('write-then-spin'), { tenant: 'hostile', timeoutMs: 20_000 });
    const running = system.sandbox.run(session, { signal: controller.signal });
    await until('it runs', () => system.sandbox.load().running === 1);
    controller.abort(new Error('gone'));
    await expect(running).rejects.toThrow('gone');
  });
});

describe('a guest that wants all memory', () => {
  const allPages = 65_536;

  test('gets the 4 GiB it may have, less a step, without any of it being touched', async () => {
    const { report } = await runBesideNeighbour('grow-in-large-steps', { memoryBytes: 4 * 1024 ** 3 });
    expect(report).toMatchObject({ state: 'ok', exitCode: allPages - 1023 });
  });

  test('gets no more than one process may have, whatever its session says', async () => {
    const small = await startTestSandbox({ maxSessions: 1, maxMemoryBytes: 64 * 1024 ** 2 });
    try {
      if (['permissions', 'none'].includes(small.sandbox.jail)) return;
      const session = sessionOf(await compileGuest('grow-in-large-steps'), { memoryBytes: 4 * 1024 ** 3 });
      const { report } = await small.sandbox.run(session);
      expect(report.state).toBe('ok');
      expect(report.exitCode).toBeGreaterThan(1024);
      expect(report.exitCode).toBeLessThan(allPages / 1.5);
    } finally {
      await small.close();
    }
  });
});

describe('a module made to choke on', () => {
  test('of a million functions is refused before the engine sees it', async () => {
    const { report } = await runBesideNeighbour(manyFunctions(1_000_000));
    expect(report).toMatchObject({ validation: 1, code: 8, detail: expect.stringContaining('too many functions') });
  });

  test('of as many functions as are allowed runs', async () => {
    const { report } = await runBesideNeighbour(manyFunctions(200_000));
    expect(report).toMatchObject({ validation: 0, state: 'ok', code: 0 });
  });
});
