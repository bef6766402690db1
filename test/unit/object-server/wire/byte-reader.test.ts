import { once } from 'node:events';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { ByteReader } from '@zerocloud/object-server/wire/byte-reader';

/** A stream of single pieces, as a network might deliver them. */
function pieces(...parts: string[]): Readable {
  return Readable.from(
    parts.map((part) => Buffer.from(part)),
    { objectMode: false },
  );
}

describe('a byte reader', () => {
  test('takes exact sizes over the borders of chunks', async () => {
    const reader = new ByteReader(pieces('ab', 'cde', 'f', 'ghi'));
    expect(String(await reader.take(1))).toBe('a');
    expect(String(await reader.take(0))).toBe('');
    expect(String(await reader.take(6))).toBe('bcdefg');
    expect(String(await reader.take(2))).toBe('hi');
  });

  test('throws when the stream ends early', async () => {
    await expect(new ByteReader(pieces('abc')).take(4)).rejects.toThrow('within an answer');
  });

  test('splits the rest into streams', async () => {
    const reader = new ByteReader(pieces('--ab', 'cdef', 'ghij'));
    await reader.take(2);
    const [first, empty, last] = reader.split([3, 0, 7]);
    expect(await text(first!)).toBe('abc');
    expect(await text(empty!)).toBe('');
    expect(await text(last!)).toBe('defghij');
  });

  test('skips a stream that was destroyed, read or not', async () => {
    const [first, second, third] = new ByteReader(pieces('aaa', 'bbbb', 'bbcc')).split([3, 6, 2]);
    first!.destroy();
    for await (const chunk of second!) {
      expect(String(chunk)).toBe('bbbb');
      break;
    }
    expect(await text(third!)).toBe('cc');
  });

  test('destroys its input when the rest is not wanted', async () => {
    const input = new PassThrough();
    const streams = new ByteReader(input).split([10, 10]);
    for (const stream of streams) {
      stream.destroy();
    }
    await once(input, 'close');
    expect(input.destroyed).toBe(true);
  });

  test('reads its input to the end when all was read, so that its connection can be used again', async () => {
    const input = pieces('abc');
    const [only] = new ByteReader(input).split([3]);
    const ended = once(input, 'end');
    expect(await text(only!)).toBe('abc');
    await ended;
  });

  test('a stream fails when the input does', async () => {
    const [first, second] = new ByteReader(pieces('abc')).split([2, 2]);
    expect(await text(first!)).toBe('ab');
    await expect(text(second!)).rejects.toThrow('within an answer');
  });
});
