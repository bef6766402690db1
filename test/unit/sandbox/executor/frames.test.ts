import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';
import { encodeFrame, FrameDecoder, FrameSource, writeFrame } from '@zerocloud/sandbox/executor/frames';
import fc from 'fast-check';

const values = [
  { kind: 'small', text: 'Zürich', list: [1, Infinity, undefined] },
  { kind: 'bytes', data: new Uint8Array([1, 2, 3]) },
  { kind: 'large', data: new Uint8Array(300_000).fill(7) },
  { kind: 'last' },
];

/** `toEqual` needs seconds for arrays of this size. */
function same(a: unknown, b: unknown): boolean {
  return describeValue(a) === describeValue(b);
}

function describeValue(value: unknown): string {
  const bytes = (data: unknown) => (ArrayBuffer.isView(data) ? Buffer.from(data as Uint8Array).toString('hex') : data);
  const all = Array.isArray(value) ? value : [value];
  return inspect(
    all.map((one) => ({ ...one, data: bytes(one.data) })),
    { maxStringLength: null, depth: null },
  );
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

test('refuses what is no structured clone', () => {
  expect(() => new FrameDecoder(1000).push(Buffer.from([4, 0, 0, 0, 1, 2, 3, 4]))).toThrow();
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
