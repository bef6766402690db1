import { decodeAwsChunked } from '@zerocloud/proxy/s3/payload/aws-chunked';
import fc from 'fast-check';

async function* inPieces(body: Buffer, sizes: number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (const size of sizes) {
    if (at >= body.length) return;
    yield body.subarray(at, at + size);
    at += size;
  }
  if (at < body.length) yield body.subarray(at);
}

async function decode(body: Buffer, sizes: number[], sizeBytes: number) {
  const trailers: [string, string][] = [];
  const chunks: Uint8Array[] = [];
  const onTrailer = (name: string, value: string) => trailers.push([name, value]);
  const options = { hasTrailer: true, sizeBytes, onTrailer };
  for await (const chunk of decodeAwsChunked(inPieces(body, sizes), options)) chunks.push(Buffer.from(chunk));
  return { content: Buffer.concat(chunks), trailers };
}

test('what is in the chunks comes out, however the network cuts them', async () => {
  const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 6 });
  const sizes = fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(chunks, sizes, fc.boolean(), async (parts, cuts, isLong) => {
      const encoded = parts.flatMap((part) => [
        Buffer.from(`${part.length.toString(16)}\r\n`),
        part,
        Buffer.from('\r\n'),
      ]);
      const end = Buffer.from(`0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n${isLong ? '\r\n' : ''}`);
      const content = Buffer.concat(parts);
      const decoded = await decode(Buffer.concat([...encoded, end]), cuts, content.length);
      expect(decoded.content.equals(content)).toBe(true);
      expect(decoded.trailers).toEqual([['x-amz-checksum-crc32', 'AAAAAA==']]);
    }),
  );
});

test.each([
  ['', 'IncompleteBody'],
  ['zz\r\n', 'IncompleteBody'],
  ['-1\r\n\r\n', 'IncompleteBody'],
  ['1000000000000000\r\n', 'IncompleteBody'],
  [`${'0'.repeat(2000)}\r\n`, 'IncompleteBody'],
  ['3\r\nabcX\r\n0\r\n\r\n', 'IncompleteBody'],
  ['3\r\nab', 'IncompleteBody'],
  ['3\r\nabc\r\n0\r\nno trailer\r\n\r\n', 'MalformedTrailerError'],
  [`3\r\nabc\r\n0\r\n${'a:b\r\n'.repeat(9)}\r\n`, 'MalformedTrailerError'],
  ['3\r\nabc\r\n0\r\n\r\nGET / HTTP/1.1\r\n', 'MalformedTrailerError'],
])('the body %j is refused with %s', async (body, code) => {
  await expect(decode(Buffer.from(body), [7], 3)).rejects.toMatchObject(
    // A line that is too long for what may stand there is told as a body that is not whole.
    code === 'MalformedTrailerError'
      ? { code: expect.stringMatching(/MalformedTrailerError|IncompleteBody/) }
      : { code },
  );
});
