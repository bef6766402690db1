import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import type { ByteRange, OpenObject } from '@zerocloud/object-server';
import { contentRange } from './ranges';

/** A body of several ranges: its type, its exact length, and the bytes, made as they are read. */
export interface MultipartBody {
  contentType: string;
  sizeBytes: number;
  stream: Readable;
}

/**
 * A `multipart/byteranges` body as Swift writes it, down to the line ends. The first part is opened before it resolves, so
 * that what cannot be read is refused and not broken off.
 */
export async function multipartBody(open: OpenObject, parts: ByteRange[]): Promise<MultipartBody> {
  const boundary = randomBytes(16).toString('hex');
  const { contentType, sizeBytes } = open.record;
  const heads = parts.map((part) =>
    Buffer.from(
      `--${boundary}\r\nContent-Type: ${contentType}\r\nContent-Range: ${contentRange(part, sizeBytes)}\r\n\r\n`,
    ),
  );
  const lineEnd = Buffer.from('\r\n');
  const end = Buffer.from(`--${boundary}--`);

  const first = await open.read(parts[0]);
  async function* bytes(): AsyncGenerator<Uint8Array> {
    for (const [i, part] of parts.entries()) {
      yield heads[i]!;
      const body = i === 0 ? first : await open.read(part);
      if (Buffer.isBuffer(body)) yield body;
      else yield* body as AsyncIterable<Buffer>;
      yield lineEnd;
    }
    yield end;
  }

  const partsBytes = parts.reduce((sum, part, i) => sum + heads[i]!.length + part.end - part.start + 1 + 2, 0);
  return {
    contentType: `multipart/byteranges;boundary=${boundary}`,
    sizeBytes: partsBytes + end.length,
    stream: Readable.from(bytes(), { objectMode: false }),
  };
}
