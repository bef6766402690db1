import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Channel, type Pipe, pythonImages, type Session } from '@zerocloud/sandbox';
import {
  compileGuest,
  descendantPids,
  filesLeftIn,
  inputChannel,
  outputChannel,
  pythonSession,
  sessionOf,
  signalAll,
  startTestSandbox,
  type TestSandbox,
  takeOutput,
} from '../support/sandbox';
import { until } from '../support/until';

const pipeError = 64;
/** From the output of one session of a group to the input of another. */
const joined = (from: number, to: number, output = '/dev/stdout', input = '/dev/stdin'): Pipe => {
  return { from: { session: from, channel: output }, to: { session: to, channel: input } };
};

let started: TestSandbox;
let sandbox: TestSandbox['sandbox'];
const guests = new Map<string, Uint8Array>();
const guestNames = [
  'flood-stdout',
  'copy-stdin-to-stdout',
  'count-stdin',
  'hit-unreachable',
  'exit-code',
  'spin-forever',
];

beforeAll(async () => {
  started = await startTestSandbox({ systemImages: pythonImages(), maxSessions: 4 });
  sandbox = started.sandbox;
  for (const name of guestNames) guests.set(name, await compileGuest(name));
});

afterAll(() => started.close());

afterEach(async () => {
  await until('nothing runs', () => sandbox.load().running === 0);
  expect(filesLeftIn(started.workDir)).toEqual([]);
});

const guest = (name: string, changes: Partial<Session> = {}): Session => sessionOf(guests.get(name)!, changes);
const pythonNode = (code: string, channels: Channel[], changes: Partial<Session> = {}): Session =>
  pythonSession(['-c', code], { channels, ...changes });

describe('a group of sessions', () => {
  it('passes bytes from session to session and reports each by itself', async () => {
    const sizeBytes = 20_000_000;
    const limits = { reads: 0, readBytes: 0, writes: 1e9, writeBytes: sizeBytes };
    const source = guest('flood-stdout', { channels: [outputChannel('/dev/stdout', { limits, etag: true })] });
    const results = await sandbox.runGroup(
      [source, guest('copy-stdin-to-stdout'), guest('count-stdin')],
      [joined(0, 1), joined(1, 2)],
    );
    expect(results.map(({ report }) => [report.state, report.exitCode])).toEqual([
      ['ok', 19],
      ['ok', 0],
      ['ok', 0],
    ]);
    expect((await takeOutput(results[2]!)).readBigUInt64LE()).toBe(BigInt(sizeBytes));
    expect(results[0]!.outputs[0]).toMatchObject({ sizeBytes, md5: expect.stringMatching(/^[0-9a-f]{32}$/) });
    expect(results[1]!.report.accounting).toMatchObject({ networkReadBytes: sizeBytes, networkWriteBytes: sizeBytes });
    const cpu = results.map(({ report }) => report.accounting.userSeconds);
    expect(cpu.every((seconds) => seconds >= 0 && seconds < 10)).toBe(true);
  });

  it('reads files, and leaves large outputs of several sessions as files', async () => {
    const file = path.join(started.directory, 'input');
    await writeFile(file, Buffer.alloc(300_000, 'x'));
    const input = inputChannel(undefined, { source: { kind: 'file', path: file, sizeBytes: 300_000 } });
    const channels = [input, outputChannel()];
    const results = await sandbox.runGroup(
      [1, 2].map(() => guest('copy-stdin-to-stdout', { channels })),
      [],
    );
    for (const result of results) {
      expect(result.outputs[0]!.body.kind).toBe('file');
      expect((await takeOutput(result)).equals(Buffer.alloc(300_000, 'x'))).toBe(true);
    }
  });

  it('joins Python programs in both directions: closing a pipe ends it while both still run', async () => {
    const code = (own: string) => `
import sys
with open('/dev/out/peer', 'w') as out: out.write('from ${own}' * 100000)
print(len(open('/dev/in/peer').read()))`;
    const channels = [inputChannel(undefined, { name: '/dev/in/peer' }), outputChannel('/dev/out/peer')];
    const nodes = ['a', 'b'].map((own) =>
      pythonNode(code(own), [...channels, outputChannel(), outputChannel('/dev/stderr')]),
    );
    const pipes = [joined(0, 1, '/dev/out/peer', '/dev/in/peer'), joined(1, 0, '/dev/out/peer', '/dev/in/peer')];
    for (const result of await sandbox.runGroup(nodes, pipes)) {
      expect(String(await takeOutput(result, '/dev/stderr'))).toBe('');
      expect(String(await takeOutput(result))).toBe('600000\n');
    }
  });

  it('goes on when one of its sessions traps or ends: readers see the end, writers a broken pipe', async () => {
    const [trapped, sink, source, leaver] = await sandbox.runGroup(
      ['hit-unreachable', 'count-stdin', 'flood-stdout', 'exit-code'].map((name) => guest(name)),
      [joined(0, 1), joined(2, 3)],
    );
    expect(trapped!.report.state).toMatch(/^trap/);
    expect((await takeOutput(sink!)).readBigUInt64LE()).toBe(0n);
    expect(source!.report).toMatchObject({ state: 'ok', exitCode: pipeError });
    expect(leaver!.report).toMatchObject({ state: 'ok', exitCode: 42 });
  });

  it('goes on when one of its programs is refused', async () => {
    const [refused, sink] = await sandbox.runGroup(
      [sessionOf(Buffer.from('no module')), guest('count-stdin')],
      [joined(0, 1)],
    );
    expect(refused!.report).toMatchObject({ state: 'validation failed', code: 8, validation: 1 });
    expect((await takeOutput(sink!)).readBigUInt64LE()).toBe(0n);
  });

  it('kills the session whose time is over, and no other', async () => {
    const [late, sink] = await sandbox.runGroup(
      [guest('spin-forever', { timeoutMs: 300 }), guest('count-stdin')],
      [joined(0, 1)],
    );
    expect(late!.report).toMatchObject({ state: 'session timeout', code: 4 });
    expect(late!.report.elapsedMs).toBeGreaterThanOrEqual(300);
    expect(late!.report.elapsedMs).toBeLessThan(2_000);
    expect(sink!.report.state).toBe('ok');
  });

  it('ends by timeout when its sessions wait for each other', async () => {
    const nodes = [1, 2].map(() => guest('copy-stdin-to-stdout', { timeoutMs: 300 }));
    const results = await sandbox.runGroup(nodes, [joined(0, 1), joined(1, 0)]);
    const states = results.map(({ report }) => report.state);
    // The first that is killed ends the other's input, unless that is over time as well.
    expect(states).toContain('session timeout');
    expect(results.every(({ report }) => report.elapsedMs < 2_000)).toBe(true);
  });

  it('gets all of its places together or waits for those of groups before it, whatever single sessions do', async () => {
    const order: string[] = [];
    const note = (name: string) => () => order.push(name);
    const spin = guest('spin-forever', { timeoutMs: 400 });
    const first = sandbox.runGroup([spin, spin], []).then(note('spinning'));
    const group = sandbox
      .runGroup(
        ['exit-code', 'exit-code', 'exit-code'].map((name) => guest(name)),
        [],
      )
      .then(note('group'));
    const single = sandbox.run(guest('exit-code')).then(note('single'));
    expect(sandbox.load()).toEqual({ running: 3, waiting: 3 });
    await Promise.all([first, group, single]);
    expect(order).toEqual(['single', 'spinning', 'group']);
    expect(sandbox.load()).toEqual({ running: 0, waiting: 0 });
  });

  it('finds a process waiting after the first one, and does not see what that one left', async () => {
    const code = `
import os
print(os.path.exists('/tmp/left'), sorted(os.listdir('/dev/in')))
open('/tmp/left', 'w').close()`;
    const input = inputChannel(undefined, { name: '/dev/in/peer' });
    const channels = [input, outputChannel(), outputChannel('/dev/stderr')];
    const nodes = [guest('exit-code'), pythonNode(code, channels)];
    const given = () => started.events.filter(({ message }) => message.startsWith('a process for groups was given'));
    const before = given().length;
    for (let round = 0; round < 4; round++) {
      const results = await sandbox.runGroup(nodes, [joined(0, 1, '/dev/stdout', '/dev/in/peer')]);
      expect(String(await takeOutput(results[1]!))).toBe("False ['peer']\n");
    }
    expect(given().length - before).toBeLessThanOrEqual(1);
  });

  it('never shares a process with another tenant', async () => {
    for (const tenant of ['x', 'y', 'x', 'y']) {
      const nodes = Array.from({ length: 2 }, () => guest('exit-code', { tenant }));
      await Promise.all([sandbox.runGroup(nodes, []), sandbox.runGroup([guest('exit-code')], [])]);
    }
    const given = started.events.filter(({ message }) => message === 'a process for groups was given to a tenant');
    expect(new Set(given.map(({ tenant }) => tenant)).size).toBe(3);
    expect(new Set(given.map(({ pid }) => pid)).size).toBe(given.length);
  });

  it('is gone at once when it is aborted, running or waiting', async () => {
    const reason = new Error('the client left');
    const controller = new AbortController();
    const four = Array.from({ length: 4 }, () => guest('spin-forever'));
    const running = sandbox.runGroup(four, [], { signal: controller.signal });
    const waiting = sandbox.runGroup(four, [], { signal: controller.signal });
    const ends = Promise.allSettled([running, waiting]);
    await until('the group', () => sandbox.load().running === 4);
    controller.abort(reason);
    expect((await ends).map((end) => end.status === 'rejected' && end.reason)).toEqual([reason, reason]);
    await expect(sandbox.runGroup(four, [], { signal: controller.signal })).rejects.toBe(reason);
    expect(sandbox.load()).toEqual({ running: 0, waiting: 0 });
  });

  it('reports every session when its process is killed', async () => {
    const limits = { reads: 0, readBytes: 0, writes: 1e9, writeBytes: 2e9 };
    const flood = guest('flood-stdout', { channels: [outputChannel('/dev/stdout', { limits })] });
    const pipe = [joined(1, 2)];
    const running = sandbox.runGroup([flood, guest('spin-forever'), guest('count-stdin')], pipe);
    await until('a guest writes', () => filesLeftIn(started.workDir).length > 0);
    signalAll(descendantPids(), 'SIGKILL');
    const results = await running;
    expect(results.map(({ report }) => report.state)).toEqual(Array(3).fill('sandbox process died'));
    expect(results[1]!.outputs.map(({ name }) => name)).toEqual(['/dev/stdout', '/dev/stderr']);
  });

  it('fails as a whole when a source or an image member is not there', async () => {
    const gone = inputChannel(undefined, { source: { kind: 'file', path: '/nowhere/at/all', sizeBytes: 1 } });
    const group = sandbox.runGroup(
      [guest('exit-code'), guest('count-stdin', { channels: [gone, outputChannel()] })],
      [],
    );
    await expect(group).rejects.toMatchObject({ code: 'source-not-found' });
    const missing = sessionOf({ kind: 'system-image', image: 'python', path: 'no-such-member' });
    await expect(sandbox.runGroup([guest('spin-forever'), missing], [])).rejects.toMatchObject({
      code: 'program-not-found',
    });
  });

  const impossible: [string, () => [Session[], Pipe[]]][] = [
    ['no sessions', () => [[], []]],
    ['more sessions than may run at once', () => [Array.from({ length: 5 }, () => guest('exit-code')), []]],
    ['two tenants', () => [[guest('exit-code'), guest('exit-code', { tenant: 'other' })], []]],
    ['a session that is not there', () => [[guest('exit-code')], [joined(0, 1)]]],
    ['a channel that is not there', () => [[guest('exit-code'), guest('exit-code')], [joined(0, 1, '/dev/x')]]],
    [
      'a channel of the wrong direction',
      () => [[guest('exit-code'), guest('exit-code')], [joined(0, 1, '/dev/stdin')]],
    ],
    [
      'two pipes on a channel',
      () => [
        [guest('exit-code'), guest('exit-code')],
        [joined(0, 1), joined(0, 1)],
      ],
    ],
    [
      'a pipe on a channel with a source',
      () => [[guest('exit-code'), guest('exit-code', { channels: [inputChannel('x')] })], [joined(0, 1)]],
    ],
    [
      'a pipe on a channel that is not sequential',
      () => [
        [guest('exit-code'), guest('exit-code', { channels: [inputChannel(undefined, { type: 1 })] })],
        [joined(0, 1)],
      ],
    ],
  ];

  it.each(impossible)('cannot have %s', async (_, make) => {
    await expect(sandbox.runGroup(...make())).rejects.toBeInstanceOf(RangeError);
  });

  it('ends with the sandbox', async () => {
    const own = await startTestSandbox();
    const group = own.sandbox.runGroup([guest('spin-forever'), guest('spin-forever')], []);
    const waiting = own.sandbox.runGroup([guest('spin-forever'), guest('spin-forever')], []);
    const ends = Promise.allSettled([group, waiting]);
    await own.close();
    expect((await ends).map((end) => end.status === 'rejected' && end.reason.code)).toEqual(['closed', 'closed']);
    expect(existsSync(own.workDir)).toBe(false);
  });
});
