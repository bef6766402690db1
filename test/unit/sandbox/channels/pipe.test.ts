import { createHash } from 'node:crypto';
import { once } from 'node:events';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { ChannelSpec } from '@zerocloud/sandbox/channels/channel-spec';
import { collectOutput } from '@zerocloud/sandbox/channels/collect-output';
import { IoVectors } from '@zerocloud/sandbox/channels/io-vectors';
import { openChannel } from '@zerocloud/sandbox/channels/open-channel';
import { createRing, Ring, ringWords } from '@zerocloud/sandbox/channels/ring';
import { ChannelState, createChannelState } from '@zerocloud/sandbox/channels/state';
import { collectOutputs, summarise } from '@zerocloud/sandbox/executor/outcome';
import { errno } from '@zerocloud/sandbox/wasi/errno';
import fc from 'fast-check';
import { createWorld, inputSpec, outputSpec } from '../../../support/guest-world';
import { WasiCaller, writeRight } from '../../../support/wasi-caller';

interface Answer {
  /** Bytes moved. */
  done: number;
  /** What the last call returned. */
  last: number;
  md5: string;
  writes: number;
  reads: number;
}

interface EndOptions {
  limits?: Partial<ChannelSpec['limits']>;
  etag?: boolean;
}

const many = 1e9;
const readEnd = (pipe: SharedArrayBuffer, { limits, etag = false }: EndOptions = {}): ChannelSpec => {
  const { source: _, ...spec } = inputSpec('/dev/in/map', '');
  return { ...spec, etag, pipe, limits: { reads: many, readBytes: 1e12, writes: 0, writeBytes: 0, ...limits } };
};
const writeEnd = (pipe: SharedArrayBuffer, { limits, etag = false }: EndOptions = {}): ChannelSpec => {
  const all = { reads: 0, readBytes: 0, writes: many, writeBytes: 1e12, ...limits };
  return outputSpec('/dev/out/reduce', { etag, pipe, limits: all });
};

/** Both ends in this thread, for what does not wait. */
function openEnds({ capacityBytes = 64, read = {}, write = {} }: EndsOptions = {}) {
  const pipe = createRing(capacityBytes);
  const specs = [readEnd(pipe, read), writeEnd(pipe, write)] as const;
  const states = specs.map(() => new ChannelState(createChannelState({ writable: true }))) as [
    ChannelState,
    ChannelState,
  ];
  const reader = openChannel(specs[0], states[0]);
  const writer = openChannel(specs[1], states[1]);
  const memory = Buffer.alloc(256);
  const put = (text: string): number => {
    memory.write(text, 'latin1');
    return writer.write(memory, IoVectors.of(0, text.length), 0);
  };
  const take = (length: number): string | number => {
    const count = reader.read(memory, IoVectors.of(0, length), 0);
    return count < 0 ? count : memory.toString('latin1', 0, count);
  };
  return { pipe, specs, states, reader, writer, memory, put, take };
}

interface EndsOptions {
  capacityBytes?: number;
  read?: EndOptions;
  write?: EndOptions;
}

describe('a pipe', () => {
  it('gives what is there without waiting for more, into all buffers of the call', () => {
    const { put, reader, memory } = openEnds();
    put('abcdef');
    const vectors = IoVectors.of(100, 2);
    vectors.add(110, 3);
    vectors.add(120, 50);
    expect(reader.read(memory, vectors, 0)).toBe(6);
    expect([100, 110, 120].map((at, i) => memory.toString('latin1', at, at + [2, 3, 1][i]!))).toEqual([
      'ab',
      'cde',
      'f',
    ]);
  });

  it('joins the buffers of a write', () => {
    const { writer, take, memory } = openEnds();
    memory.write('abc', 100);
    memory.write('de', 200);
    const vectors = IoVectors.of(100, 3);
    vectors.add(200, 2);
    expect(writer.write(memory, vectors, 0)).toBe(5);
    expect(take(99)).toBe('abcde');
  });

  it('ends for its reader when the writer has ended, and counts that once', () => {
    const { put, take, writer, states } = openEnds();
    put('abc');
    writer.finish();
    expect([take(2), take(9), take(9), take(9)]).toEqual(['ab', 'c', '', '']);
    expect([states[0].reads, states[0].readBytes]).toEqual([3, 3]);
  });

  it('is broken for its writer when the reader is gone', () => {
    const { put, reader, states } = openEnds();
    expect(put('abc')).toBe(3);
    reader.finish();
    expect([put('d'), put('e')]).toEqual([-errno.pipe, -errno.pipe]);
    expect([states[1].writes, states[1].writeBytes]).toEqual([1, 3]);
  });

  it('keeps to the quotas of both ends: the last transfer is shortened, the next one fails', () => {
    const quota = -errno.dquot;
    const bytes = openEnds({ read: { limits: { readBytes: 4 } }, write: { limits: { writeBytes: 5 } } });
    expect([bytes.put('abc'), bytes.put('def'), bytes.put('g')]).toEqual([3, 2, quota]);
    expect([bytes.take(3), bytes.take(3), bytes.take(3)]).toEqual(['abc', 'd', quota]);
    const calls = openEnds({ read: { limits: { reads: 1 } }, write: { limits: { writes: 1 } } });
    expect([calls.put('abc'), calls.put('d'), calls.take(1), calls.take(1)]).toEqual([3, quota, 'a', quota]);
  });

  it('lets empty transfers pass for nothing, and goes one way only', () => {
    const { put, take, reader, writer, memory, states } = openEnds();
    expect([put(''), take(0)]).toEqual([0, '']);
    expect([states[0].reads, states[1].writes]).toEqual([0, 0]);
    expect(reader.write(memory, IoVectors.of(0, 1), 0)).toBe(-errno.dquot);
    expect(writer.read(memory, IoVectors.of(0, 1), 0)).toBe(-errno.dquot);
    expect([reader.seekable, writer.seekable]).toEqual([false, false]);
    expect([writer.truncate(1), writer.truncate(0)]).toEqual([errno.inval, errno.success]);
    const both = { ...outputSpec('/dev/x'), type: 3 as const, pipe: createRing(8) };
    both.limits = { reads: 1, readBytes: 1, writes: 1, writeBytes: 1 };
    expect(() => openChannel(both, new ChannelState(createChannelState({ writable: true })))).toThrow(
      'both directions',
    );
  });

  it('is counted as network, with an md5 at both ends', () => {
    const { specs, states, put, take, reader, writer } = openEnds({ read: { etag: true }, write: { etag: true } });
    put('hello ');
    put('world');
    take(99);
    writer.finish();
    reader.finish();
    const outputs = collectOutputs(specs, states, 1000);
    const md5 = createHash('md5').update('hello world').digest('hex');
    expect(outputs).toEqual([
      { name: '/dev/out/reduce', sizeBytes: 11, md5, body: { kind: 'bytes', data: new Uint8Array(0) } },
    ]);
    const cpu = { userSeconds: 0, systemSeconds: 0 };
    const { accounting, etags } = summarise(specs, states, outputs, { cpu, elapsedMs: 1 });
    expect(accounting).toMatchObject({ reads: 0, readBytes: 0, writes: 0, writeBytes: 0 });
    expect(accounting).toMatchObject({
      networkReads: 1,
      networkReadBytes: 11,
      networkWrites: 2,
      networkWriteBytes: 11,
    });
    expect(etags).toEqual(specs.map(({ name }) => ({ name, md5 })));
  });

  it('ends when a guest closes the last descriptor it writes to, and not before', () => {
    const pipe = createRing(64);
    const caller = new WasiCaller(createWorld([writeEnd(pipe)]));
    const ring = new Ring(pipe);
    const open = (): number => caller.open('dev/out/reduce', { rights: writeRight });
    const [first, second] = [open(), open()];
    expect(caller.write(first, 'abc')).toBe(3);
    expect(caller.call('fd_close', first)).toBe(0);
    expect(caller.write(second, 'def')).toBe(3);
    expect(caller.call('fd_close', second)).toBe(0);
    const target = Buffer.alloc(9);
    expect([ring.read(target, 0, 9), ring.read(target, 0, 9)]).toEqual([6, 0]);
    expect(caller.write(open(), 'ghi')).toBe(-errno.pipe);
  });

  it('stays open when a guest closes what it reads: it may open it again', () => {
    const pipe = createRing(64);
    const caller = new WasiCaller(createWorld([readEnd(pipe)]));
    const ring = new Ring(pipe);
    ring.write(Buffer.from('abcdef'), 0, 6);
    const first = caller.open('dev/in/map');
    expect(caller.read(first, 3)).toBe('abc');
    caller.call('fd_close', first);
    expect(caller.read(caller.open('dev/in/map'), 9)).toBe('def');
    expect(ring.write(Buffer.from('g'), 0, 1)).toBe(1);
  });
});

describe('a pipe between two threads', () => {
  const threads: Worker[] = [];
  const flags = new Map<Worker, Int32Array>();

  function startThread(): Worker {
    const workerData = new SharedArrayBuffer(4);
    const worker = new Worker(path.join(__dirname, '../../../support/pipe-end.cjs'), { workerData });
    flags.set(worker, new Int32Array(workerData));
    threads.push(worker);
    return worker;
  }

  /** The thread does its part with an end of a pipe; the answer comes when it is done. */
  function play(worker: Worker, spec: ChannelSpec, chunks: number[], sizeBytes = Infinity) {
    const state = createChannelState({ writable: true });
    Atomics.store(flags.get(worker)!, 0, 0);
    const answer = once(worker, 'message').then(([message]) => message as Answer);
    // A thread that is terminated gives none.
    answer.catch(() => undefined);
    worker.postMessage({ spec, state, chunks, sizeBytes });
    return { answer, state: new ChannelState(state) };
  }

  async function until(condition: () => boolean): Promise<void> {
    const deadlineMs = performance.now() + 10_000;
    while (!condition()) {
      if (performance.now() > deadlineMs) throw new Error('the condition did not come true');
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  const word = (pipe: SharedArrayBuffer, index: number): number => Atomics.load(new Int32Array(pipe, 0, 128), index);

  afterAll(() => Promise.all(threads.map((worker) => worker.terminate())));

  it('carries every byte in order, whatever the sizes of ring and transfers', async () => {
    const [reader, writer] = [startThread(), startThread()];
    const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 200_000 })), {
      minLength: 1,
      maxLength: 6,
    });
    const total = fc.integer({ min: 0, max: 600_000 });
    const property = fc.asyncProperty(
      fc.integer({ min: 6, max: 17 }),
      sizes,
      sizes,
      total,
      async (bits, a, b, size) => {
        // Tiny transfers of much data take long and show nothing more.
        const sizeBytes = Math.min(size, 20_000 * Math.min(...a, ...b), 3000 * 2 ** bits);
        const pipe = createRing(2 ** bits);
        const [read, written] = await Promise.all([
          play(reader, readEnd(pipe), a).answer,
          play(writer, writeEnd(pipe), b, sizeBytes).answer,
        ]);
        expect(read).toMatchObject({ done: sizeBytes, last: 0, md5: written.md5 });
        expect(written.done).toBe(sizeBytes);
      },
    );
    await fc.assert(property, { numRuns: 60 });
  });

  it('loses no wake-up when both sides wait for each other all the time', async () => {
    const pipe = createRing(1);
    const [reader, writer] = [startThread(), startThread()];
    const read = play(reader, readEnd(pipe), [1]).answer;
    const written = await play(writer, writeEnd(pipe), [3], 30_000).answer;
    expect(await read).toMatchObject({ done: 30_000, md5: written.md5 });
  });

  it('ends for a reader that waits when its writer is terminated and the supervisor ends its side', async () => {
    const pipe = createRing(64);
    const [reader, writer] = [startThread(), startThread()];
    // The writer ends nothing by itself: it waits, because the ring is full.
    play(writer, writeEnd(pipe), [100]);
    await until(() => word(pipe, ringWords.spaceWanted) !== 0);
    await writer.terminate();
    const { answer } = play(reader, readEnd(pipe), [100]);
    await until(() => word(pipe, ringWords.readerWaits) !== 0);
    new Ring(pipe).endWriter();
    expect(await answer).toMatchObject({ done: 64, last: 0 });
  });

  it('breaks for a writer that waits when its reader is terminated and the supervisor ends its side', async () => {
    const pipe = createRing(64);
    const [reader, writer] = [startThread(), startThread()];
    play(reader, readEnd(pipe), [100]);
    await until(() => word(pipe, ringWords.readerWaits) !== 0);
    await reader.terminate();
    const { answer } = play(writer, writeEnd(pipe), [40]);
    await until(() => word(pipe, ringWords.spaceWanted) !== 0);
    new Ring(pipe).endReader();
    // Of the second write nothing was taken: half of the ring was not free.
    expect(await answer).toMatchObject({ done: 40, last: -errno.pipe, writes: 1 });
  });

  it('knows what a writer had transferred that was killed in the middle of a write', async () => {
    const pipe = createRing(64);
    const writer = startThread();
    const { state } = play(writer, writeEnd(pipe), [150]);
    await until(() => word(pipe, ringWords.spaceWanted) !== 0);
    await writer.terminate();
    expect([state.writes, state.writeBytes]).toEqual([1, 64]);
    expect(collectOutput(writeEnd(pipe), state, { inlineBytes: 10 }).sizeBytes).toBe(64);
  });
});
