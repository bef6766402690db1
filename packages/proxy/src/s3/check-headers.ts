import type { SwiftContext } from '../context';
import { invalidArgument, notImplemented, S3Error } from './errors';

const conditions = ['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since'];

/** What no request may ask for, because nobody would do it. */
export function checkHeaders({ method, req }: SwiftContext): void {
  const { headers } = req;
  if (method !== 'GET' && method !== 'HEAD' && conditions.some((name) => headers[name] !== undefined)) {
    throw notImplemented(`Conditional object ${method}s are not supported.`);
  }
  const directive = headers['x-amz-metadata-directive'];
  if (directive !== undefined && directive !== 'COPY' && directive !== 'REPLACE') {
    throw invalidArgument('x-amz-metadata-directive', String(directive), 'Unknown metadata directive.');
  }
  const storageClass = headers['x-amz-storage-class'];
  if (storageClass !== undefined && storageClass !== 'STANDARD') throw new S3Error('InvalidStorageClass');
  const encryption = headers['x-amz-server-side-encryption'];
  if (encryption !== undefined && encryption !== 'aws:kms' && encryption !== 'AES256') {
    const message = 'The encryption method specified is not supported';
    throw invalidArgument('x-amz-server-side-encryption', String(encryption), message);
  }
  if (headers['x-amz-security-token'] !== undefined) throw new S3Error('InvalidToken');
  for (const name in headers) {
    if (!name.startsWith('x-amz-')) continue;
    const refused = refusals.find(([start]) => name.startsWith(start));
    if (refused) throw notImplemented(refused[1]);
  }
}

/** Beginnings of headers, and why not. */
const refusals = [
  ['x-amz-mfa', 'MFA Delete is not supported.'],
  ['x-amz-server-side-encryption', 'Server-side encryption is not supported.'],
  ['x-amz-copy-source-server-side-encryption', 'Server-side encryption is not supported.'],
  ['x-amz-website-redirect-location', 'Website redirection is not supported.'],
  ['x-amz-tagging', 'Object tagging is not supported.'],
  ['x-amz-object-lock', 'Object lock is not supported.'],
  ['x-amz-bucket-object-lock', 'Object lock is not supported.'],
  ['x-amz-bypass-governance-retention', 'Object lock is not supported.'],
  ['x-amz-object-ownership', 'Ownership of objects is that of access control lists.'],
  ['x-amz-write-offset-bytes', 'Appending is not supported.'],
  ['x-amz-if-match', 'Conditional deletes are not supported.'],
] as const;
