import { once } from 'node:events';
import { openSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { BlobStream, sendBodies } from '@zerocloud/object-server/store/blob-stream';
import { readAll, socketPair } from '../../../support/sockets';

const bytes = Buffer.from(Array.from({ length: 700_000 }, (_, i) => (i * 7) % 251));
let dir: string;
let file: string;
beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'send-bodies-'));
  file = path.join(dir, 'blob');
  await writeFile(file, bytes);
});
afterAll(() => rm(dir, { recursive: true }));

const blob = (end = bytes.length - 1) =>
  new BlobStream(openSync(file, 'r'), { start: 0, end, damaged: () => new Error('damaged') });

test('bodies of all kinds arrive in order, and the sink is ended', async () => {
  const [writer, reader] = await socketPair();
  const received = readAll(reader);
  const small = Buffer.from('small');
  await sendBodies([blob(), small, Readable.from([small, small]), blob(300_000), Buffer.alloc(0), blob(0)], writer);
  const expected = [bytes, small, small, small, bytes.subarray(0, 300_001), bytes.subarray(0, 1)];
  expect((await received).equals(Buffer.concat(expected))).toBe(true);
});

test('no bodies at all end the sink', async () => {
  const [writer, reader] = await socketPair();
  const received = readAll(reader);
  await sendBodies([], writer);
  expect(await received).toHaveLength(0);
});

test('what came before a body that fails is sent, and the sink is left open', async () => {
  const [writer, reader] = await socketPair();
  async function* bodies(): AsyncGenerator<Buffer> {
    yield bytes.subarray(0, 100_000);
    throw new Error('no such segment');
  }
  const first = once(reader, 'data');
  await expect(sendBodies(bodies(), writer)).rejects.toThrow('no such segment');
  expect((await first)[0][0]).toBe(bytes[0]);
  expect(writer.writableEnded).toBe(false);
  writer.destroy();
});

test('a reader that goes away ends the bodies', async () => {
  const [writer, reader] = await socketPair();
  let isReturned = false;
  const last: BlobStream[] = [];
  async function* bodies(): AsyncGenerator<BlobStream> {
    try {
      for (;;) {
        last[0] = blob();
        yield last[0];
      }
    } finally {
      isReturned = true;
    }
  }
  reader.once('data', () => reader.resetAndDestroy());
  await expect(sendBodies(bodies(), writer)).rejects.toThrow();
  expect(isReturned).toBe(true);
  expect(last[0]!.destroyed).toBe(true);
});
