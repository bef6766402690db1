import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChannelSpec } from '@zerocloud/sandbox/channels/channel-spec';
import { IoVectors } from '@zerocloud/sandbox/channels/io-vectors';
import { type OpenChannel, openChannel } from '@zerocloud/sandbox/channels/open-channel';
import { ChannelState, createChannelState } from '@zerocloud/sandbox/channels/state';
import fc from 'fast-check';
import { inputSpec } from '../../../support/guest-world';

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'zerocloud-input-'));
  path = join(directory, 'source');
});

afterEach(() => rmSync(directory, { recursive: true }));

function open(spec: ChannelSpec): { channel: OpenChannel; state: ChannelState } {
  const state = new ChannelState(createChannelState({ writable: false }));
  return { channel: openChannel(spec, state), state };
}

function read(channel: OpenChannel, length: number, position = 0): Buffer {
  const target = Buffer.alloc(length);
  return target.subarray(0, channel.read(target, IoVectors.of(0, length), position));
}

describe('an input from a file', () => {
  const content = Buffer.from(Array.from({ length: 400_000 }, (_, i) => (i * 7 + (i >> 8)) & 255));

  test('gives the same bytes whatever the pattern of reads', () => {
    writeFileSync(path, content);
    const { channel } = open(
      inputSpec('/dev/input', '', {
        type: 3,
        source: { kind: 'file', path },
        limits: { reads: 1e9, readBytes: 1e15, writes: 0, writeBytes: 0 },
      }),
    );
    const aRead = fc.record({
      position: fc.oneof(fc.constant(undefined), fc.integer({ min: 0, max: 410_000 })),
      length: fc.oneof(fc.integer({ min: 1, max: 9000 }), fc.integer({ min: 60_000, max: 200_000 })),
    });
    fc.assert(
      fc.property(fc.array(aRead, { maxLength: 20 }), (reads) => {
        let next = 0;
        for (const { position = next, length } of reads) {
          expect(read(channel, length, position).equals(content.subarray(position, position + length))).toBe(true);
          next = position + length;
        }
      }),
      { numRuns: 100 },
    );
    channel.finish();
  });

  test('is read to its end in small pieces', () => {
    writeFileSync(path, content);
    const { channel, state } = open(
      inputSpec('/dev/stdin', '', {
        source: { kind: 'file', path },
        etag: true,
        limits: { reads: 1e9, readBytes: 1e9, writes: 0, writeBytes: 0 },
      }),
    );
    const pieces: Buffer[] = [];
    for (let piece = read(channel, 999); piece.length > 0; piece = read(channel, 999)) pieces.push(piece);
    channel.finish();
    expect(Buffer.concat(pieces).equals(content)).toBe(true);
    expect(state.reads).toBe(Math.ceil(content.length / 999));
    expect(state.digest).toBe(createHash('md5').update(content).digest('hex'));
  });

  test('stays readable when its name is gone', () => {
    writeFileSync(path, 'kept');
    const { channel } = open(inputSpec('/dev/stdin', '', { source: { kind: 'file', path } }));
    unlinkSync(path);
    expect(read(channel, 10).toString()).toBe('kept');
    channel.finish();
  });

  test('of 1 GiB is read with constant memory', () => {
    writeFileSync(path, '');
    truncateSync(path, 1024 ** 3);
    const { channel, state } = open(
      inputSpec('/dev/stdin', '', {
        source: { kind: 'file', path },
        limits: { reads: 1e9, readBytes: 1e10, writes: 0, writeBytes: 0 },
      }),
    );
    const target = new Uint8Array(1024 * 1024);
    const vectors = IoVectors.of(0, target.length);
    const before = process.memoryUsage().rss;
    let total = 0;
    for (let count = channel.read(target, vectors, 0); count > 0; count = channel.read(target, vectors, 0)) {
      total += count;
    }
    channel.finish();
    expect(total).toBe(1024 ** 3);
    expect(state.readBytes).toBe(total);
    expect(process.memoryUsage().rss - before).toBeLessThan(32 * 1024 * 1024);
  });

  test.each([
    ['a missing file', () => path],
    ['a directory', () => directory],
  ])('is refused if it is %s', (_title, source) => {
    const spec = inputSpec('/dev/stdin', '', { source: { kind: 'file', path: source() } });
    expect(() => open(spec)).toThrow(expect.objectContaining({ code: 'source-not-found' }));
  });

  test('without a source is at its end', () => {
    const spec = { ...inputSpec('/dev/stdin', ''), source: undefined };
    expect(read(open(spec).channel, 10)).toHaveLength(0);
  });
});
