import { archiveMembers } from '@zerocloud/proxy/bulk/archive-members';
import { pack } from 'tar-stream';

/** An archive that comes in small pieces, so that readers wait for them. */
async function* piecesOf(files: Record<string, Buffer>): AsyncGenerator<Uint8Array> {
  const archive = pack();
  for (const [name, data] of Object.entries(files)) archive.entry({ name }, data);
  archive.finalize();
  for await (const chunk of archive as AsyncIterable<Buffer>) {
    for (let at = 0; at < chunk.length; at += 512) {
      await new Promise((resolve) => setImmediate(resolve));
      yield chunk.subarray(at, at + 512);
    }
  }
}

describe('the members of an archive', () => {
  test('come whole to who reads them', async () => {
    const files = { a: Buffer.alloc(3000, 'a'), b: Buffer.alloc(0), c: Buffer.alloc(512, 'c') };
    const read: Record<string, Buffer> = {};
    for await (const { name, body } of archiveMembers(piecesOf(files), 'tar')) {
      const chunks: Uint8Array[] = [];
      for await (const chunk of body) chunks.push(chunk);
      read[name.toString()] = Buffer.concat(chunks);
    }
    expect(read).toEqual(files);
  });

  test('come all, even if who has lost interest in one goes on reading it', async () => {
    const files = { a: Buffer.alloc(20_000), b: Buffer.alloc(20_000), c: Buffer.alloc(1) };
    const names: string[] = [];
    for await (const { name, body } of archiveMembers(piecesOf(files), 'tar')) {
      names.push(name.toString());
      const chunks = body[Symbol.asyncIterator]();
      // An upload that failed: what it was given is thrown away, beside the archive's own passing over.
      const drain = () => void chunks.next().then(({ done }) => done || setImmediate(drain));
      setImmediate(drain);
    }
    expect(names).toEqual(['a', 'b', 'c']);
  });
});
