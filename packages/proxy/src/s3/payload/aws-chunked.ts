import { createHash, createHmac } from 'node:crypto';
import { isSameSecret } from '../../auth/users';
import type { ChunkSigning } from '../auth/credentials';
import { S3Error } from '../errors';
import { ByteReader } from './byte-reader';

/** The secret side of signed chunks. */
export interface ChunkKey extends ChunkSigning {
  key: Buffer;
}

export interface AwsChunkedOptions {
  /** Absent: the chunks are not signed. */
  signing?: ChunkKey;
  hasTrailer: boolean;
  /** Size of the body inside, as announced. */
  sizeBytes: number;
  /** Called with each trailer before the body ends. */
  onTrailer(name: string, value: string): void;
}

const maxHeadBytes = 1024;
const maxTrailerBytes = 8192;
const maxTrailers = 8;
const chunkHead = /^([0-9a-f]{1,15})(?:;chunk-signature=([0-9a-f]{64}))?$/i;
const hashOfNothing = createHash('sha256').digest('hex');

/**
 * The body inside an `aws-chunked` one: `<hex size>[;chunk-signature=…]\r\n<bytes>\r\n`, … a chunk of size 0, trailers.
 * Bytes are handed on before their chunk's signature is known; whoever takes them must not count on them before the
 * end, which is only reached when everything was good. `SignatureDoesNotMatch`, `IncompleteBody`,
 * `MalformedTrailerError`.
 */
export async function* decodeAwsChunked(
  source: AsyncIterable<Uint8Array>,
  { signing, hasTrailer, sizeBytes, onTrailer }: AwsChunkedOptions,
): AsyncGenerator<Uint8Array> {
  const reader = new ByteReader(source);
  const signatures = signing && chainOf(signing);
  let left = sizeBytes;
  try {
    for (;;) {
      const match = chunkHead.exec((await reader.readLine(maxHeadBytes)) ?? '');
      if (!match) throw new S3Error('IncompleteBody');
      const size = Number.parseInt(match[1]!, 16);
      left -= size;
      if (left < 0) throw new S3Error('IncompleteBody');
      const hash = signatures && createHash('sha256');
      for await (const piece of reader.readBytes(size)) {
        hash?.update(piece);
        yield piece;
      }
      if (signatures) signatures.check(match[2], 'PAYLOAD', [hashOfNothing, hash!.digest('hex')]);
      if (size === 0) break;
      if ((await reader.readLine(2)) !== '') throw new S3Error('IncompleteBody');
    }
    if (left !== 0) throw new S3Error('IncompleteBody');
    await readTrailers(reader, hasTrailer, signatures, onTrailer);
  } finally {
    await reader.close();
  }
}

async function readTrailers(
  reader: ByteReader,
  hasTrailer: boolean,
  signatures: SignatureChain | undefined,
  onTrailer: (name: string, value: string) => void,
): Promise<void> {
  let canonical = '';
  let signature: string | undefined;
  for (let count = 0; ; count++) {
    const line = await reader.readLine(maxTrailerBytes);
    if (!line) break;
    const match = /^([^:\s]+)\s*:\s*(.*?)\s*$/.exec(line);
    if (!match || !hasTrailer || count === maxTrailers) throw new S3Error('MalformedTrailerError');
    const [, name, value] = match as unknown as [string, string, string];
    if (name.toLowerCase() === 'x-amz-trailer-signature') {
      signature = value;
    } else {
      canonical += `${name.toLowerCase()}:${value}\n`;
      onTrailer(name.toLowerCase(), value);
    }
  }
  if (signatures && hasTrailer) {
    signatures.check(signature, 'TRAILER', [createHash('sha256').update(canonical, 'latin1').digest('hex')]);
  }
  // Some clients end with one line end more.
  for (let line = await reader.readLine(2); line !== undefined; line = await reader.readLine(2)) {
    if (line !== '') throw new S3Error('MalformedTrailerError');
  }
}

interface SignatureChain {
  check(shown: string | undefined, kind: 'PAYLOAD' | 'TRAILER', hashes: string[]): void;
}

/** Each signature is over the one before, so that no chunk can be left out, or moved. */
function chainOf({ amzDate, scope, seed, key }: ChunkKey): SignatureChain {
  let previous = seed;
  return {
    check(shown, kind, hashes) {
      const text = [`AWS4-HMAC-SHA256-${kind}`, amzDate, scope, previous, ...hashes].join('\n');
      previous = createHmac('sha256', key).update(text).digest('hex');
      if (shown === undefined || !isSameSecret(shown, previous)) throw new S3Error('SignatureDoesNotMatch');
    },
  };
}
