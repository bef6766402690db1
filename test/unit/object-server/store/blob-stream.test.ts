import { once } from 'node:events';
import { closeSync, fstatSync, openSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { BlobStream, sendBody } from '@zerocloud/object-server/store/blob-stream';
import { readAll, socketPair } from '../../../support/sockets';

const bytes = Buffer.from(Array.from({ length: 1_500_000 }, (_, i) => (i * 7) % 251));
let dir: string;
let file: string;
beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'blob-stream-'));
  file = path.join(dir, 'blob');
  await writeFile(file, bytes);
});
afterAll(() => rm(dir, { recursive: true }));

const damaged = () => new Error('damaged');
function openStream(start: number, end: number): { fd: number; stream: BlobStream } {
  const fd = openSync(file, 'r');
  return { fd, stream: new BlobStream(fd, { start, end, damaged }) };
}
const isOpen = (fd: number) => {
  try {
    fstatSync(fd);
    return true;
  } catch {
    return false;
  }
};

const ranges: [number, number][] = [
  [0, bytes.length - 1],
  [0, 0],
  [1, 262_144],
  [262_143, 262_144],
  [700_001, 1_499_999],
];

test.each(ranges)('as a stream it gives the bytes %d to %d and closes the file', async (start, end) => {
  const { fd, stream } = openStream(start, end);
  expect((await readAll(stream)).equals(bytes.subarray(start, end + 1))).toBe(true);
  if (!stream.closed) await once(stream, 'close');
  expect(isOpen(fd)).toBe(false);
});

test.each(ranges)('sent to a socket it gives the bytes %d to %d and closes the file', async (start, end) => {
  const { stream } = openStream(start, end);
  const [writer, reader] = await socketPair();
  const received = readAll(reader);
  await sendBody(stream, writer);
  expect((await received).equals(bytes.subarray(start, end + 1))).toBe(true);
  if (!stream.closed) await once(stream, 'close');
});

test('several are sent at once without mixing their buffers', async () => {
  await Promise.all(
    Array.from({ length: 8 }, async (_, i) => {
      const [start, end] = [i * 100_000, 1_400_000 + i];
      const [writer, reader] = await socketPair();
      const received = readAll(reader);
      await sendBody(openStream(start, end).stream, writer);
      expect((await received).equals(bytes.subarray(start, end + 1))).toBe(true);
    }),
  );
});

test('a reader that goes away ends it, and the file is closed', async () => {
  const { stream } = openStream(0, bytes.length - 1);
  const [writer, reader] = await socketPair();
  const sent = sendBody(stream, writer);
  reader.resetAndDestroy();
  await expect(sent).rejects.toThrow();
  if (!stream.closed) await once(stream, 'close');
});

test('a reader that is gone already gets nothing', async () => {
  const [writer, reader] = await socketPair();
  reader.destroy();
  writer.destroy();
  const { stream } = openStream(0, 10);
  await expect(sendBody(stream, writer)).rejects.toThrow();
  if (!stream.closed) await once(stream, 'close');
});

test('a file that is shorter than its record says is an error in both ways', async () => {
  await expect(readAll(openStream(0, bytes.length + 10).stream)).rejects.toThrow('damaged');
  const [writer, reader] = await socketPair();
  reader.resume();
  await expect(sendBody(openStream(0, bytes.length + 10).stream, writer)).rejects.toThrow('damaged');
  writer.destroy();
});

test('any other stream is sent as well', async () => {
  const sink = new PassThrough();
  const received = readAll(sink);
  await sendBody(Readable.from([Buffer.from('abc')]), sink);
  expect((await received).toString()).toBe('abc');
});

test('a stream that was closed reads nothing more, whatever file has its number by now', async () => {
  const { fd, stream } = openStream(0, bytes.length - 1);
  const sink = new PassThrough();
  const closed = once(stream, 'close');
  sink.once('data', () => stream.destroy());
  const sent = expect(sendBody(stream, sink)).rejects.toMatchObject({ code: 'ERR_STREAM_PREMATURE_CLOSE' });
  await closed;
  const other = openSync(file, 'r');
  expect(other).toBe(fd);
  sink.resume();
  await sent;
  closeSync(other);
});
