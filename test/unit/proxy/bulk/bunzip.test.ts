import { readFileSync } from 'node:fs';
import path from 'node:path';
import { BzipError, bunzip } from '@zerocloud/proxy/bulk/bzip2/bunzip';

const file = readFileSync(path.join(__dirname, '../../../support/files-f0-f29.tar.bz2'));

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function sizeOf(chunks: AsyncIterable<Uint8Array>): Promise<number> {
  let sizeBytes = 0;
  for await (const chunk of chunks) sizeBytes += chunk.length;
  return sizeBytes;
}

test.each([1, 7, 100_000])('inflates streams behind each other, from pieces of %d bytes', async (size) => {
  expect(await sizeOf(bunzip(inPieces(file, size)))).toBe(829_440);
});

test('nothing inflates to nothing', async () => {
  expect(await sizeOf(bunzip(inPieces(Buffer.alloc(0), 1)))).toBe(0);
});

test.each([
  ['something else', Buffer.from('no bzip2 at all')],
  ['a damaged block', Buffer.concat([file.subarray(0, 60), Buffer.from('xxxx'), file.subarray(64)])],
  ['an early end', file.subarray(0, 300)],
])('says that %s is none', async (_, bytes) => {
  await expect(sizeOf(bunzip(inPieces(bytes, 1000)))).rejects.toThrow(BzipError);
});

test('an error of the source is its own', async () => {
  async function* broken(): AsyncGenerator<Buffer> {
    yield file.subarray(0, 100);
    throw new Error('the client is gone');
  }
  await expect(sizeOf(bunzip(broken()))).rejects.toThrow('the client is gone');
});

test('a reader that stops ends the source and the process', async () => {
  let isEnded = false;
  async function* source(): AsyncGenerator<Buffer> {
    try {
      yield* inPieces(file, 100);
    } finally {
      isEnded = true;
    }
  }
  for await (const chunk of bunzip(source())) {
    expect(chunk.length).toBeGreaterThan(0);
    break;
  }
  expect(isEnded).toBe(true);
});

test('what inflates a thousandfold is not inflated ahead of its reader', async () => {
  const copies = 20_000;
  let takenBytes = 0;
  async function* many(): AsyncGenerator<Buffer> {
    for (let copy = 0; copy < copies; copy++) {
      takenBytes += file.length;
      yield file;
    }
  }
  const chunks = bunzip(many());
  await chunks.next();
  // The pipes are full now: time does not make it go on.
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(takenBytes).toBeLessThan((copies * file.length) / 2);
  await chunks.return(undefined);
});

test('readers that stop wherever they like leave the process that reads alive', async () => {
  // As threads these would end while V8 compiles for them, which Node 20 answers by aborting.
  for (let round = 0; round < 8; round++) {
    let leftBytes = round * 100_000;
    for await (const chunk of bunzip(inPieces(file, 1000))) {
      leftBytes -= chunk.length;
      if (leftBytes < 0) break;
    }
  }
});
