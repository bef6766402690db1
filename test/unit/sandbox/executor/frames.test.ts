import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { encodeFrame, FrameDecoder, FrameSource, writeFrame } from '@zerocloud/sandbox/executor/frames';
import fc from 'fast-check';

const bytes = (data: Uint8Array) => ({ kind: 'bytes', data });
const program = { kind: 'module', cacheKey: 'key' };
const values = [
  { kind: 'small', text: 'Zürich \ud800', list: [1, -0.5, true, null] },
  { id: 1, program, channels: [{ name: 'a', source: bytes(Uint8Array.of(1, 2, 3)) }, { name: 'b' }], mounts: [] },
  {
    request: {
      program: { kind: 'module', source: bytes(new Uint8Array(300_000).fill(7)) },
      channels: [{ source: { kind: 'file', path: '/slot/in/1-0' } }],
      mounts: [{ source: bytes(new Uint8Array(0)) }, { source: bytes(Uint8Array.of(9)) }],
    },
  },
  { kind: 'done', outputs: [{ body: bytes(Uint8Array.of(4)) }, { body: { kind: 'file', path: 'x' } }] },
  { kind: 'last' },
];

/** `toEqual` needs seconds for arrays of this size. */
function same(a: unknown, b: unknown): boolean {
  return describeValue(a) === describeValue(b);
}

function describeValue(value: unknown): string {
  return JSON.stringify(value, (_, each) => {
    // Buffers make something else of themselves before the replacer sees them.
    const data = each?.kind === 'bytes' ? (each.data as Uint8Array) : undefined;
    return data ? `bytes ${Buffer.from(data).toString('hex')}` : each;
  });
}

test('hands out whole values however the stream is cut', () => {
  const stream = Buffer.concat(values.flatMap(encodeFrame));
  fc.assert(
    fc.property(fc.array(fc.nat(stream.length), { maxLength: 12 }), (cuts) => {
      const decoder = new FrameDecoder(1_000_000);
      const ends = [...cuts.sort((a, b) => a - b), stream.length];
      const got: unknown[] = [];
      let at = 0;
      for (const end of ends) {
        got.push(...decoder.push(stream.subarray(at, end)));
        at = end;
      }
      expect(same(got, values)).toBe(true);
    }),
    { numRuns: 50 },
  );
});

test('refuses a frame that announces more than its limit', () => {
  expect(() => new FrameDecoder(1000).push(Buffer.from([0xff, 0xff, 0xff, 0x7f]))).toThrow(RangeError);
});

test('refuses what is no frame', () => {
  const words = (...numbers: number[]) => Buffer.from(new Uint32Array(numbers).buffer);
  const text = Buffer.from('{"outputs":[{"body":{"kind":"part","part":1}}]}');
  for (const frame of [
    words(4, 1),
    words(8, 1, 0),
    Buffer.concat([words(9, 1, 0), Buffer.from('x')]),
    words(8, 0, 0xffffffff),
    Buffer.concat([words(13, 1, 1, 1), Buffer.from('1')]),
    Buffer.concat([words(12 + text.length, text.length, 1, 0), text]),
  ]) {
    expect(() => new FrameDecoder(1000).push(frame)).toThrow();
  }
});

test('leaves the value that it writes as it is', () => {
  const before = describeValue(values);
  values.forEach(encodeFrame);
  expect(describeValue(values)).toBe(before);
});

test('writes and reads frames over blocking descriptors', () => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'frames-'));
  const file = path.join(directory, 'stream');
  try {
    const out = openSync(file, 'w');
    for (const value of values) writeFrame(out, value);
    closeSync(out);
    const fd = openSync(file, 'r');
    const source = new FrameSource(fd);
    for (const value of values) expect(same(source.read(), value)).toBe(true);
    expect(source.read()).toBeUndefined();
    closeSync(fd);
    expect(readFileSync(file).length).toBeGreaterThan(300_000);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
