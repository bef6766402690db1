import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { ChannelSpec } from '@zerocloud/sandbox/channels/channel-spec';
import { collectOutput } from '@zerocloud/sandbox/channels/collect-output';
import { IoVectors } from '@zerocloud/sandbox/channels/io-vectors';
import { type OpenChannel, openChannel } from '@zerocloud/sandbox/channels/open-channel';
import { ChannelState, createChannelState } from '@zerocloud/sandbox/channels/state';
import { errno } from '@zerocloud/sandbox/wasi/errno';
import fc from 'fast-check';
import { inputSpec, outputSpec } from '../../../support/guest-world';
import { until } from '../../../support/until';

const both = { reads: 1000, readBytes: 1e9, writes: 1000, writeBytes: 1e9 };
let directory: string;
let spillPath: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'zerocloud-output-'));
  spillPath = join(directory, 'output');
});

afterEach(() => rmSync(directory, { recursive: true }));

function open(spec: ChannelSpec): { channel: OpenChannel; state: ChannelState } {
  const state = new ChannelState(createChannelState({ writable: true }));
  return { channel: openChannel(spec, state), state };
}

function write(channel: OpenChannel, data: string | Uint8Array, position = 0): number {
  const bytes = Buffer.from(data);
  return channel.write(bytes, IoVectors.of(0, bytes.length), position);
}

/** The output as bytes, wherever it came back. */
function collect(spec: ChannelSpec, state: ChannelState, inlineBytes = 1e9): { data: Buffer; md5?: string } {
  const output = collectOutput(spec, state, { inlineBytes });
  const data = output.body.kind === 'bytes' ? Buffer.from(output.body.data) : readFileSync(output.body.path);
  expect(output.sizeBytes).toBe(data.length);
  return { data, ...(output.md5 !== undefined && { md5: output.md5 }) };
}

function md5(data: Uint8Array): string {
  return createHash('md5').update(data).digest('hex');
}

function pattern(length: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) & 255));
}

describe('an output', () => {
  test('touches no file while it is small', () => {
    const spec = outputSpec('/dev/out', { spillPath });
    const { channel, state } = open(spec);
    for (let i = 0; i < 100; i++) write(channel, `line ${i}\n`);
    channel.finish();
    expect(collect(spec, state).data.toString()).toMatch(/^line 0\nline 1\n.*line 99\n$/s);
    expect(existsSync(spillPath)).toBe(false);
  });

  test('that nobody wrote is empty', () => {
    const spec = outputSpec('/dev/out', { spillPath, etag: true });
    const { channel, state } = open(spec);
    channel.finish();
    expect(collect(spec, state)).toEqual({ data: Buffer.alloc(0), md5: 'd41d8cd98f00b204e9800998ecf8427e' });
  });

  test('comes back as the file it spilled to when it is large', () => {
    const spec = outputSpec('/dev/out', { spillPath, etag: true });
    const { channel, state } = open(spec);
    const data = pattern(300_000);
    for (let at = 0; at < data.length; at += 7000) write(channel, data.subarray(at, at + 7000));
    channel.finish();
    const output = collectOutput(spec, state, { inlineBytes: 65536 });
    expect(output).toEqual({
      name: '/dev/out',
      sizeBytes: 300_000,
      md5: md5(data),
      body: { kind: 'file', path: spillPath },
    });
    expect(readFileSync(spillPath).equals(data)).toBe(true);
  });

  test('comes back as a file when it is larger than the inline limit, though it never left the buffer', () => {
    const spec = outputSpec('/dev/out', { spillPath });
    const { channel, state } = open(spec);
    write(channel, 'four');
    channel.finish();
    expect(collectOutput(spec, state, { inlineBytes: 3 }).body).toEqual({ kind: 'file', path: spillPath });
    expect(readFileSync(spillPath, 'utf8')).toBe('four');
  });

  test.each([1000, 65_535, 65_536, 200_000])('of %d bytes survives the death of its writer', (size) => {
    const spec = outputSpec('/dev/out', { spillPath, etag: true });
    const { channel, state } = open(spec);
    const data = pattern(size);
    for (let at = 0; at < size; at += 999) write(channel, data.subarray(at, at + 999));
    // No finish(): the worker was terminated. Only the shared memory and the file are left.
    const survivor = new ChannelState(state.shared);
    expect(survivor.writes).toBe(Math.ceil(size / 999));
    expect(survivor.writeBytes).toBe(size);
    expect(collect(spec, survivor)).toEqual({ data, md5: md5(data) });
    channel.finish();
  });

  test('is not in the file twice if the writer died between flushing and saying so', () => {
    const spec = outputSpec('/dev/out', { spillPath });
    const { channel, state } = open(spec);
    const data = pattern(100_000);
    for (let at = 0; at < data.length; at += 1000) write(channel, data.subarray(at, at + 1000));
    const { windowStart, windowLength, buffer } = state;
    const file = Buffer.concat([readFileSync(spillPath), buffer.subarray(0, windowLength)]);
    expect(file.length).toBe(windowStart + windowLength);
    writeFileSync(spillPath, file);
    expect(collect(spec, state).data.equals(data)).toBe(true);
    channel.finish();
  });

  test('written at random has zeros in its holes', () => {
    const spec = outputSpec('/dev/out', { type: 3, spillPath, etag: true });
    const { channel, state } = open(spec);
    write(channel, 'end', 70_000);
    write(channel, 'begin', 0);
    channel.finish();
    const expected = Buffer.concat([Buffer.from('begin'), Buffer.alloc(69_995), Buffer.from('end')]);
    expect(collect(spec, state)).toEqual({ data: expected, md5: md5(expected) });
  });

  test('that begins with a hole has zeros there even in the buffer', () => {
    const spec = outputSpec('/dev/out', { type: 3, spillPath });
    const { channel, state } = open(spec);
    write(channel, 'x', 3);
    expect([...collect(spec, state).data]).toEqual([0, 0, 0, 120]);
    channel.finish();
  });

  test('of an appending channel continues behind the source and leaves the source alone', () => {
    const spec = inputSpec('/dev/log', 'one\n', { type: 1, limits: both, spillPath });
    const { channel, state } = open(spec);
    write(channel, 'two\n', 0);
    const memory = Buffer.alloc(8);
    expect(channel.read(memory, IoVectors.of(0, 8), 0)).toBe(8);
    expect(memory.toString()).toBe('one\ntwo\n');
    channel.finish();
    expect(collect(spec, state).data.toString()).toBe('one\ntwo\n');
  });

  test.each(['bytes', 'file'] as const)('of a random channel starts as a copy of its large source (%s)', (kind) => {
    const original = pattern(150_000);
    const path = join(directory, 'source');
    writeFileSync(path, original);
    const source = kind === 'bytes' ? { kind, data: original } : { kind, path };
    const spec = inputSpec('/dev/rw', '', { type: 3, limits: both, source, spillPath, etag: true });
    const { channel, state } = open(spec);
    write(channel, 'changed', 100_000);
    channel.finish();
    const expected = Buffer.from(original);
    expected.write('changed', 100_000);
    expect(collect(spec, state)).toEqual({ data: expected, md5: md5(expected) });
    expect(readFileSync(path).equals(original)).toBe(true);
  });

  test.each(['bytes', 'file'] as const)('of a large channel (%s) that was only read is its source', (kind) => {
    const original = pattern(150_000);
    const path = join(directory, 'source');
    writeFileSync(path, original);
    const source = kind === 'bytes' ? { kind, data: original } : { kind, path };
    const spec = inputSpec('/dev/rw', '', { type: 3, limits: both, source, spillPath });
    const { channel, state } = open(spec);
    channel.finish();
    expect(collect(spec, state, 1000).data.equals(original)).toBe(true);
  });

  test.each([100, 150_000])('of a channel that was never opened is its source of %d bytes', (size) => {
    const source = { kind: 'bytes' as const, data: pattern(size) };
    const spec = inputSpec('/dev/rw', '', { type: 3, limits: both, source, spillPath, etag: true });
    const state = new ChannelState(createChannelState({ writable: true }));
    expect(collect(spec, state)).toEqual({ data: source.data, md5: md5(source.data) });
  });

  test('is whole up to the moment when its worker is terminated', async () => {
    const spec = outputSpec('/dev/out', {
      spillPath,
      limits: { reads: 0, readBytes: 0, writes: 1e9, writeBytes: 1e12 },
    });
    const state = new ChannelState(createChannelState({ writable: true }));
    const modules = ['open-channel', 'state', 'io-vectors'].map((name) =>
      require.resolve(`@zerocloud/sandbox/channels/${name}`),
    );
    const worker = new Worker(
      `const { workerData } = require('node:worker_threads');
      const [{ openChannel }, { ChannelState }, { IoVectors }] = workerData.modules.map((path) => require(path));
      const channel = openChannel(workerData.spec, new ChannelState(workerData.shared));
      const memory = new Uint8Array(1000);
      for (let i = 0; ; i++) channel.write(memory.fill(i), IoVectors.of(0, 1000), 0);`,
      { eval: true, workerData: { modules, spec, shared: state.shared } },
    );
    await until('much is written', () => state.writeBytes >= 300_000);
    await worker.terminate();
    const { data } = collect(spec, state, 0);
    // Killed between a write and its counting, the last write is there without being counted.
    expect([0, 1000]).toContain(data.length - state.writeBytes);
    expect(data.length).toBeGreaterThanOrEqual(300_000);
    for (let at = 0; at < data.length; at += 500) expect(data[at]).toBe(Math.floor(at / 1000) & 255);
  });

  test('keeps what it has when its file cannot be made', () => {
    const spec = outputSpec('/dev/out', { spillPath: join(directory, 'missing/output') });
    const { channel, state } = open(spec);
    write(channel, pattern(60_000));
    expect(() => write(channel, pattern(10_000))).toThrow(expect.objectContaining({ code: 'ENOENT' }));
    expect(() => write(channel, pattern(100_000))).toThrow(expect.objectContaining({ code: 'ENOENT' }));
    channel.finish();
    expect([state.writes, state.writeBytes]).toEqual([1, 60_000]);
    expect(collect(spec, state).data.equals(pattern(60_000))).toBe(true);
  });

  test('that is discarded is counted and gone', () => {
    const spec = outputSpec('/dev/null-out', { discard: true });
    const { channel, state } = open(spec);
    write(channel, pattern(100_000));
    write(channel, 'more');
    channel.finish();
    expect(state.writeBytes).toBe(100_004);
    expect(collectOutput(spec, state, { inlineBytes: 10 })).toEqual({
      name: '/dev/null-out',
      sizeBytes: 100_004,
      body: { kind: 'bytes', data: new Uint8Array(0) },
    });
  });

  test('of a sequential channel cannot change its size, a random one within its limit can', () => {
    const sequential = open(outputSpec('/dev/out', { spillPath })).channel;
    expect(sequential.truncate(0)).toBe(errno.success);
    write(sequential, 'abc');
    expect(sequential.truncate(0)).toBe(errno.inval);
    expect(sequential.truncate(3)).toBe(errno.success);
    const random = open(outputSpec('/dev/out', { type: 3, spillPath, limits: { ...both, reads: 0, writeBytes: 10 } }));
    expect(random.channel.truncate(10)).toBe(errno.success);
    expect(random.channel.truncate(11)).toBe(errno.inval);
    expect(random.state.sizeBytes).toBe(10);
  });

  test('reuses its shared memory for another session as if it were new', () => {
    const spec = outputSpec('/dev/out', { spillPath, etag: true });
    const first = open(spec);
    write(first.channel, 'secret');
    first.channel.finish();
    first.state.reset();
    expect(collect(spec, new ChannelState(first.state.shared))).toEqual({
      data: Buffer.alloc(0),
      md5: 'd41d8cd98f00b204e9800998ecf8427e',
    });
  });

  type Step = { position: number; length: number; kind: 'write' | 'truncate' | 'read' };
  const step = fc.record<Step>({
    position: fc.integer({ min: 0, max: 200_000 }),
    length: fc.oneof(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 60_000, max: 140_000 })),
    kind: fc.constantFrom('write', 'write', 'write', 'truncate', 'read'),
  });

  test('holds what a plain buffer would hold, after any history and either end', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 12 }),
        fc.boolean(),
        fc.constantFrom<0 | 1000 | 100_000>(0, 1000, 100_000),
        (steps, killed, sourceBytes) => {
          rmSync(spillPath, { force: true });
          const spec = inputSpec('/dev/rw', pattern(sourceBytes), { type: 3, limits: both, spillPath, etag: true });
          const { channel, state } = open(spec);
          let model = pattern(sourceBytes);
          steps.forEach(({ position, length, kind }, i) => {
            if (kind === 'write') {
              const data = Buffer.alloc(length, i + 1);
              expect(write(channel, data, position)).toBe(length);
              const next = Buffer.alloc(Math.max(model.length, position + length));
              model.copy(next);
              data.copy(next, position);
              model = next;
            } else if (kind === 'truncate') {
              expect(channel.truncate(position)).toBe(errno.success);
              const next = Buffer.alloc(position);
              model.copy(next);
              model = next;
            } else {
              const target = Buffer.alloc(length, 255);
              const count = channel.read(target, IoVectors.of(0, length), position);
              expect(target.subarray(0, count).equals(model.subarray(position, position + length))).toBe(true);
            }
          });
          if (!killed) channel.finish();
          const { data, md5: sum } = collect(spec, state, 50_000);
          expect(data.equals(model)).toBe(true);
          expect(sum).toBe(md5(model));
          if (killed) channel.finish();
        },
      ),
      { numRuns: 150 },
    );
  });
});
