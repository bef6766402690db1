import type { ChannelSpec } from '@zerocloud/sandbox/channels/channel-spec';
import { IoVectors } from '@zerocloud/sandbox/channels/io-vectors';
import { openChannel } from '@zerocloud/sandbox/channels/open-channel';
import { ChannelState, createChannelState } from '@zerocloud/sandbox/channels/state';
import { errno } from '@zerocloud/sandbox/wasi/errno';
import { inputSpec, outputSpec } from '../../../support/guest-world';

const memory = new Uint8Array(256 * 1024);

/** `[length, position?]` in order; the channel's answers and its counters come back. */
function play(spec: ChannelSpec, direction: 'read' | 'write', calls: [length: number, position?: number][]) {
  const state = new ChannelState(createChannelState({ writable: spec.limits.writes > 0 }));
  const channel = openChannel(spec, state);
  const results = calls.map(([length, position = 0]) => channel[direction](memory, IoVectors.of(0, length), position));
  const { reads, readBytes, writes, writeBytes } = state;
  return { results, counters: direction === 'read' ? [reads, readBytes] : [writes, writeBytes] };
}

function reading(type: 0 | 1 | 2 | 3, content: string, reads: number, readBytes: number): ChannelSpec {
  return inputSpec('/dev/in', content, { type, limits: { reads, readBytes, writes: 0, writeBytes: 0 } });
}

function writing(type: 0 | 1 | 2 | 3, writes: number, writeBytes: number): ChannelSpec {
  return outputSpec('/dev/out', { type, limits: { reads: 0, readBytes: 0, writes, writeBytes } });
}

const quota = -errno.dquot;
const text = 'x'.repeat(58);

describe('the quota of a channel', () => {
  const readCases: [string, ChannelSpec, [number, number?][], number[], number[]][] = [
    ['shortens the last permitted read', reading(0, text, 9, 58), [[30], [30], [30]], [30, 28, quota], [2, 58]],
    ['ends reads by their number', reading(0, text, 2, 58), [[5], [5], [5]], [5, 5, quota], [2, 10]],
    ['tells a full quota from the end', reading(0, 'abc', 9, 3), [[3], [3]], [3, quota], [1, 3]],
    ['counts a read at the end once', reading(0, 'abc', 9, 9), [[3], [3], [3]], [3, 0, 0], [2, 3]],
    ['knows the end from a short read', reading(0, 'abc', 1, 9), [[9], [9]], [3, 0], [1, 3]],
    ['lets empty reads pass for nothing', reading(0, text, 1, 58), [[0], [5], [0], [5]], [0, 5, 0, quota], [1, 5]],
    [
      'ignores the position of a stream',
      reading(0, text, 9, 58),
      [
        [10, 50],
        [58, 0],
      ],
      [10, 48],
      [2, 58],
    ],
    [
      'reads at random for type 1',
      reading(1, text, 9, 100),
      [
        [9, 50],
        [9, 0],
      ],
      [8, 9],
      [2, 17],
    ],
    [
      'reads in order for type 2',
      reading(2, text, 9, 100),
      [
        [50, 9],
        [50, 0],
      ],
      [50, 8],
      [2, 58],
    ],
    [
      'gives 0 free at the end of random content',
      reading(3, 'abc', 1, 3),
      [
        [3, 0],
        [3, 3],
      ],
      [3, 0],
      [1, 3],
    ],
    ['gives 0 free beyond random content', reading(3, 'abc', 1, 3), [[3, 1e12]], [0], [0, 0]],
    [
      'shortens random reads too',
      reading(3, text, 9, 20),
      [
        [15, 0],
        [15, 0],
        [15, 0],
      ],
      [15, 5, quota],
      [2, 20],
    ],
    ['refuses to read an output', writing(0, 9, 9), [[0], [1]], [0, quota], [0, 0]],
    ['refuses to read a random output', writing(3, 9, 9), [[0], [1]], [0, quota], [0, 0]],
  ];

  test.each(readCases)('%s', (_title, spec, calls, results, counters) => {
    expect(play(spec, 'read', calls)).toEqual({ results, counters });
  });

  const writeCases: [string, ChannelSpec, [number, number?][], number[], number[]][] = [
    ['shortens the last permitted write', writing(0, 9, 50), [[30], [30], [30]], [30, 20, quota], [2, 50]],
    ['ends writes by their number', writing(0, 2, 50), [[5], [5], [5]], [5, 5, quota], [2, 10]],
    ['lets empty writes pass for nothing', writing(0, 1, 50), [[0], [5], [0], [5]], [0, 5, 0, quota], [1, 5]],
    [
      'counts bytes written twice at one place twice',
      writing(3, 9, 8),
      [
        [5, 0],
        [5, 0],
        [5, 0],
      ],
      [5, 3, quota],
      [2, 8],
    ],
    [
      'refuses random offsets beyond the limit',
      writing(3, 9, 50),
      [
        [5, 51],
        [5, 50],
      ],
      [-errno.inval, 5],
      [1, 5],
    ],
    [
      'checks the number of writes before the offset',
      writing(3, 1, 50),
      [
        [5, 0],
        [5, 51],
      ],
      [5, quota],
      [1, 5],
    ],
    ['refuses to write an input', reading(0, text, 9, 9), [[0], [1]], [0, quota], [0, 0]],
  ];

  test.each(writeCases)('%s', (_title, spec, calls, results, counters) => {
    expect(play(spec, 'write', calls)).toEqual({ results, counters });
  });

  test('counts one call whatever the number of buffers', () => {
    const state = new ChannelState(createChannelState({ writable: false }));
    const channel = openChannel(reading(0, 'abcdefgh', 1, 100), state);
    const vectors = new IoVectors();
    vectors.add(0, 3);
    vectors.add(100, 2);
    vectors.add(200, 2);
    expect(channel.read(memory, vectors, 0)).toBe(7);
    expect(Buffer.from(memory.subarray(100, 102)).toString()).toBe('de');
    expect(channel.read(memory, vectors, 0)).toBe(quota);
    expect(state.reads).toBe(1);
  });

  test('bounds the offset of a channel with both directions by its size and what may still be written', () => {
    const spec = inputSpec('/dev/rw', 'abcdef', {
      type: 3,
      limits: { reads: 9, readBytes: 99, writes: 9, writeBytes: 4 },
    });
    const { results } = play(spec, 'write', [
      [1, 11],
      [1, 10],
    ]);
    expect(results).toEqual([-errno.inval, 1]);
  });

  test('leaves the other direction alone when one is used up', () => {
    const spec = inputSpec('/dev/rw', 'abcdef', {
      type: 3,
      limits: { reads: 1, readBytes: 99, writes: 1, writeBytes: 9 },
    });
    const channel = openChannel(spec, new ChannelState(createChannelState({ writable: true })));
    expect(channel.read(memory, IoVectors.of(0, 6), 0)).toBe(6);
    expect(channel.read(memory, IoVectors.of(0, 6), 0)).toBe(quota);
    expect(channel.write(memory, IoVectors.of(0, 6), 0)).toBe(6);
    expect(channel.write(memory, IoVectors.of(0, 6), 0)).toBe(quota);
  });

  test.each([
    [0, 'sequential channels cannot have r/w access'],
    [2, 'sequential read / random write channels not supported'],
  ] as const)('refuses both directions for type %d', (type, sentence) => {
    const spec = inputSpec('/dev/rw', '', { type, limits: { reads: 1, readBytes: 1, writes: 1, writeBytes: 1 } });
    expect(() => openChannel(spec, new ChannelState(createChannelState({ writable: true })))).toThrow(sentence);
  });
});
