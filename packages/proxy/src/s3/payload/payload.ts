import { createHash } from 'node:crypto';
import { StorageError } from '@zerocloud/object-server';
import type { Timeouts } from '../../config';
import type { SwiftContext } from '../../context';
import { readWholeBody } from '../../http/whole-body';
import { UploadBody } from '../../objects/upload-body';
import type { Credentials } from '../auth/credentials';
import { unsignedPayload } from '../auth/signature-v4';
import { invalidArgument, notImplemented, S3Error } from '../errors';
import { type ChunkKey, decodeAwsChunked } from './aws-chunked';
import { type AnnouncedChecksum, findChecksum } from './checksums';
import { findContentMd5 } from './content-md5';

interface PayloadForm {
  /** Hex, of the plain body. */
  sha256?: string;
  checksum?: AnnouncedChecksum;
  chunked?: { signing?: ChunkKey; hasTrailer: boolean };
  /** Of the body inside. Absent when nobody said. */
  sizeBytes?: number;
}

/** The body of a request, checked against all that its headers say of it while it is read. Can be read once. */
export class Payload {
  /** Why the reader was told that the body is bad. */
  failure?: S3Error;
  #checksumValue?: string;

  constructor(
    private readonly ctx: SwiftContext,
    private readonly timeouts: Timeouts,
    private readonly form: PayloadForm,
  ) {}

  get sizeBytes(): number | undefined {
    return this.form.sizeBytes;
  }

  /** True if a checksum other than Content-MD5 was announced: it was checked once the body was read. */
  get hasChecksum(): boolean {
    return this.form.checksum !== undefined;
  }

  /** Header and value of the checksum, for the answer; after the body was read. */
  findChecksumHeader(): [name: string, value: string] | undefined {
    return this.#checksumValue === undefined ? undefined : [this.form.checksum!.header, this.#checksumValue];
  }

  /** For a store: ends with a `StorageError`, and `failure` tells what it was. */
  async *stream(): AsyncGenerator<Uint8Array> {
    try {
      yield* this.#verified();
    } catch (error) {
      if (!(error instanceof S3Error)) throw error;
      this.failure = error;
      throw new StorageError('bodyAborted', error.message, { cause: error });
    }
  }

  /** All of it. `tooLarge` is thrown once there is more than `maxBytes`; `BadDigest`, `InvalidDigest` for another Content-MD5. */
  async read(maxBytes: number, tooLarge: S3Error): Promise<Buffer> {
    if ((this.sizeBytes ?? 0) > maxBytes) throw tooLarge;
    const body = await readWholeBody(this.#verified(), { maxBytes, tooLarge: () => tooLarge });
    const { headers } = this.ctx.req;
    const md5 = findContentMd5(headers);
    if (md5 !== undefined && md5 !== createHash('md5').update(body).digest('hex')) {
      throw new S3Error('BadDigest', undefined, { ContentMd5: String(headers['content-md5']) });
    }
    return body;
  }

  async *#verified(): AsyncGenerator<Uint8Array> {
    const { sha256, checksum } = this.form;
    const hash = sha256 === undefined ? undefined : createHash('sha256');
    for await (const chunk of this.#decoded()) {
      hash?.update(chunk);
      checksum?.checksum.update(chunk);
      yield chunk;
    }
    if (hash && hash.digest('hex') !== sha256) {
      throw new S3Error('BadDigest', 'The X-Amz-Content-SHA56 you specified did not match what we received.');
    }
    if (!checksum) return;
    if (checksum.expected === undefined) throw new S3Error('MalformedTrailerError');
    const value = checksum.checksum.digest();
    if (value !== checksum.expected) {
      const name = checksum.header.replace('x-amz-checksum-', '').toUpperCase();
      throw new S3Error('BadDigest', `The ${name} you specified did not match the calculated checksum.`);
    }
    this.#checksumValue = value;
  }

  #decoded(): AsyncIterable<Uint8Array> {
    const { chunked, checksum, sizeBytes } = this.form;
    const body = new UploadBody(this.ctx.req, this.timeouts);
    if (!chunked) return body;
    const onTrailer = (name: string, value: string) => {
      if (name === checksum?.header) checksum.expected = value;
    };
    return decodeAwsChunked(body, { ...chunked, sizeBytes: sizeBytes!, onTrailer });
  }
}

/** How the payload of a request is sent, from its headers. */
export function readPayload(ctx: SwiftContext, timeouts: Timeouts, credentials: Credentials, secret: string): Payload {
  const { headers } = ctx.req;
  const hash = (headers['x-amz-content-sha256'] as string | undefined) ?? unsignedPayload;
  const isChunked = /(?:^|,)\s*aws-chunked\s*(?:,|$)/i.test(String(headers['content-encoding'] ?? ''));
  const length = headers['content-length'];
  if (length !== undefined && !/^\d+$/.test(length)) throw invalidArgument('Content-Length', length);
  if (!hash.startsWith('STREAMING-')) {
    if (isChunked) throw notImplemented('aws-chunked bodies need a payload hash that begins with STREAMING-.');
    const sha256 = hash === unsignedPayload ? undefined : hash.toLowerCase();
    if (sha256 !== undefined && !/^[0-9a-f]{64}$/.test(sha256)) {
      throw invalidArgument(
        'x-amz-content-sha256',
        hash,
        'x-amz-content-sha256 must be UNSIGNED-PAYLOAD or a SHA-256.',
      );
    }
    const checksum = isOfWhole(ctx) ? undefined : findChecksum(headers, false);
    const sizeBytes = headers['transfer-encoding'] === undefined ? Number(length ?? 0) : undefined;
    return new Payload(ctx, timeouts, { sha256, checksum, sizeBytes });
  }
  const form = streamingForms[hash];
  if (!form) throw notImplemented(`The payload form ${hash} is not supported.`);
  const decodedLength = headers['x-amz-decoded-content-length'];
  if (typeof decodedLength !== 'string' || !/^\d{1,15}$/.test(decodedLength)) throw new S3Error('MissingContentLength');
  const { chunks } = credentials;
  if (form.isSigned && !chunks) throw notImplemented('Signed chunks need a signature of version 4.');
  const signing = form.isSigned ? { ...chunks!, key: chunks!.signingKey(secret) } : undefined;
  const chunked = { signing, hasTrailer: form.hasTrailer };
  const checksum = findChecksum(headers, form.hasTrailer);
  return new Payload(ctx, timeouts, { checksum, chunked, sizeBytes: Number(decodedLength) });
}

/** The checksum that completes a multipart upload is not that of the request's body. */
function isOfWhole({ method, req }: SwiftContext): boolean {
  return method === 'POST' && req.url!.includes('uploadId=');
}

const streamingForms: Record<string, { isSigned: boolean; hasTrailer: boolean }> = {
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD': { isSigned: true, hasTrailer: false },
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER': { isSigned: true, hasTrailer: true },
  'STREAMING-UNSIGNED-PAYLOAD-TRAILER': { isSigned: false, hasTrailer: true },
};
