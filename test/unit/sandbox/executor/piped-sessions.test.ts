import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { ChannelSpec } from '@zerocloud/sandbox/channels/channel-spec';
import { createRing, defaultRingBytes, Ring } from '@zerocloud/sandbox/channels/ring';
import { ChannelState, createChannelState } from '@zerocloud/sandbox/channels/state';
import { Control, createControl, phase } from '@zerocloud/sandbox/executor/control';
import { collectOutputs, reportKilled } from '@zerocloud/sandbox/executor/outcome';
import type { ExecutorReply, SessionRequest } from '@zerocloud/sandbox/executor/protocol';
import { errno } from '@zerocloud/sandbox/wasi/errno';
import { inputSpec, outputSpec } from '../../../support/guest-world';
import { compileGuest, compileGuestText } from '../../../support/sandbox';

type Reply = Extract<ExecutorReply, { kind: 'done' }>;

const many = 1e9;
const reading = { reads: many, readBytes: 1e12, writes: 0, writeBytes: 0 };
const writing = { reads: 0, readBytes: 0, writes: many, writeBytes: 1e12 };

const pipeIn = (pipe: SharedArrayBuffer): ChannelSpec => {
  const { source: _, ...spec } = inputSpec('/dev/stdin', '', { limits: reading, pipe });
  return spec;
};
const pipeOut = (pipe: SharedArrayBuffer, changes: Partial<ChannelSpec> = {}): ChannelSpec =>
  outputSpec('/dev/stdout', { limits: writing, pipe, ...changes });

const importUnknown = '(module (import "env" "x" (func)) (memory (export "memory") 1) (func (export "_start")))';

const nothing = { systemSeconds: 0, userSeconds: 0, reads: 0, readBytes: 0, writes: 0, writeBytes: 0 };
const noNetwork = { networkReads: 0, networkReadBytes: 0, networkWrites: 0, networkWriteBytes: 0 };

/** One session in a thread of its own, supervised as in an executor: whatever becomes of it, its sides of its pipes end. */
class Node {
  readonly reply: Promise<Reply>;
  readonly control = new Control(createControl());
  private readonly worker: Worker;
  private readonly states: SharedArrayBuffer[];

  constructor(
    program: Uint8Array,
    private readonly channels: ChannelSpec[],
  ) {
    const request: SessionRequest = {
      id: 1,
      program: { kind: 'module', source: { kind: 'bytes', data: program } },
      args: ['program'],
      env: {},
      channels,
      mounts: [],
      systemImages: [],
      memoryBytes: 64 * 1024 ** 2,
    };
    this.states = channels.map(() => createChannelState({ writable: true }));
    this.worker = new Worker(path.join(__dirname, '../../../support/session-thread.cjs'), {
      workerData: { request, control: this.control.shared, states: this.states },
    });
    this.reply = new Promise<Reply>((resolve, reject) => {
      this.worker.once('message', resolve);
      this.worker.once('error', reject);
    });
    this.worker.once('exit', () => this.endPipes());
  }

  /** What a supervisor does when the time is over, once the guest has written so much. */
  async kill(writtenBytes = 0) {
    const startedAt = performance.now();
    const output = new ChannelState(this.states.at(-1)!);
    while (this.control.phase !== phase.running || output.writeBytes < writtenBytes) {
      if (performance.now() - startedAt > 10_000) throw new Error('the guest did not start');
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(this.control.advance(phase.running, phase.killed)).toBe(true);
    await this.worker.terminate();
    const views = this.states.map((state) => new ChannelState(state));
    const outputs = collectOutputs(this.channels, views, 1000);
    return reportKilled(this.channels, views, outputs, { cpu: { userSeconds: 0, systemSeconds: 0 }, elapsedMs: 1 });
  }

  private endPipes(): void {
    for (const { pipe, limits } of this.channels) {
      if (pipe === undefined) continue;
      if (limits.writes > 0) new Ring(pipe).endWriter();
      else new Ring(pipe).endReader();
    }
  }
}

const counted = (reply: Reply): number => {
  const { body } = reply.outputs[0]!;
  if (body.kind !== 'bytes') throw new Error('the count is short');
  return Number(Buffer.from(body.data).readBigUInt64LE());
};

describe('sessions that are joined by pipes', () => {
  const countTo = (pipe: SharedArrayBuffer) => [pipeIn(pipe), outputSpec('/dev/stdout', { limits: writing })];
  const guests = new Map<string, Uint8Array>();

  beforeAll(async () => {
    const names = ['flood-stdout', 'copy-stdin-to-stdout', 'count-stdin', 'hit-unreachable', 'write-then-spin'];
    for (const name of [...names, 'exit-code']) guests.set(name, await compileGuest(name));
    guests.set('import-unknown', await compileGuestText(importUnknown));
  });

  const start = (name: string, channels: ChannelSpec[]): Node => new Node(guests.get(name)!, channels);

  it('pass everything on from the first to the last, and count it as network', async () => {
    const sizeBytes = 48 * 1024 ** 2 + 5;
    const [first, second] = [createRing(), createRing()];
    const limits = { ...writing, writeBytes: sizeBytes };
    const source = start('flood-stdout', [pipeOut(first, { limits })]);
    const filter = start('copy-stdin-to-stdout', [pipeIn(first), pipeOut(second)]);
    const sink = start('count-stdin', countTo(second));
    const [a, b, c] = await Promise.all([source.reply, filter.reply, sink.reply]);
    expect([a, b, c].map(({ report }) => [report.state, report.exitCode])).toEqual([
      ['ok', errno.dquot],
      ['ok', 0],
      ['ok', 0],
    ]);
    expect(counted(c)).toBe(sizeBytes);
    const { userSeconds: _, systemSeconds: __, ...accounting } = a.report.accounting;
    const writes = Math.ceil(sizeBytes / 65_536);
    expect(accounting).toMatchObject({ reads: 0, writes: 0, networkWrites: writes, networkWriteBytes: sizeBytes });
    expect(b.report.accounting).toMatchObject({ networkReadBytes: sizeBytes, networkWriteBytes: sizeBytes, writes: 0 });
    expect(c.report.accounting).toMatchObject({ networkReadBytes: sizeBytes, networkWrites: 0, writes: 1 });
    expect(b.outputs).toEqual([{ name: '/dev/stdout', sizeBytes, body: { kind: 'bytes', data: new Uint8Array(0) } }]);
  });

  it.each([
    ['traps', 'hit-unreachable', /^trap: /],
    ['exits', 'exit-code', /^ok$/],
    ['is refused', 'import-unknown', /^validation failed$/],
  ])('see the end of their input when its writer %s', async (_, name, state) => {
    const pipe = createRing();
    const sink = start('count-stdin', countTo(pipe));
    const { report } = await start(name, [pipeOut(pipe)]).reply;
    expect(report.state).toMatch(state);
    expect(counted(await sink.reply)).toBe(0);
  });

  it('get a broken pipe when the reader ends first', async () => {
    const pipe = createRing();
    const source = start('flood-stdout', [pipeOut(pipe)]);
    await start('exit-code', [pipeIn(pipe)]).reply;
    const { report } = await source.reply;
    expect(report).toMatchObject({ state: 'ok', exitCode: errno.pipe });
    expect(report.accounting.networkWriteBytes).toBeLessThanOrEqual(defaultRingBytes);
  });

  it('go on when another one is killed that spins, and get what it wrote', async () => {
    const pipe = createRing();
    const sink = start('count-stdin', countTo(pipe));
    const report = await start('write-then-spin', [pipeOut(pipe)]).kill('before'.length);
    expect(report.state).toBe('session timeout');
    expect(report.accounting.networkWriteBytes).toBe(6);
    expect(counted(await sink.reply)).toBe(6);
  });

  it('are killed while they wait for each other', async () => {
    const [there, back] = [createRing(), createRing()];
    const one = start('copy-stdin-to-stdout', [pipeIn(back), pipeOut(there)]);
    const other = start('copy-stdin-to-stdout', [pipeIn(there), pipeOut(back)]);
    const report = await one.kill();
    expect(report.accounting).toEqual({ ...nothing, ...noNetwork });
    expect((await other.reply).report).toMatchObject({ state: 'ok', exitCode: 0 });
  });
});
