import type { IncomingHttpHeaders } from 'node:http';
import { S3Error } from '../errors';

/** Content-MD5 in hex, as Swift's ETag. `InvalidDigest` for what is none. */
export function findContentMd5(headers: IncomingHttpHeaders): string | undefined {
  const value = headers['content-md5'];
  if (typeof value !== 'string') return undefined;
  const bytes = Buffer.from(value, 'base64');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(value) || bytes.length !== 16) {
    throw new S3Error('InvalidDigest', undefined, { ContentMd5: value });
  }
  return bytes.toString('hex');
}

/** The md5 that an upload must have: Content-MD5, or an ETag as Swift takes it. */
export function findExpectedMd5(headers: IncomingHttpHeaders): string | undefined {
  return findContentMd5(headers) ?? (headers.etag || undefined);
}
