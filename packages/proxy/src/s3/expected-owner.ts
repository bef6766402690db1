import { bucketAcl } from './access';
import { S3Error } from './errors';
import type { S3Request } from './request';

/**
 * `x-amz-expected-bucket-owner`, and the same of a copy's source: a client that would rather fail than use somebody
 * else's bucket. An owner is called by the id of the user, or by the account, with or without its prefix.
 */
export async function checkExpectedOwners(req: S3Request): Promise<void> {
  const expected = req.header('x-amz-expected-bucket-owner');
  if (expected !== undefined && req.bucket !== '' && !isAccount(req, expected)) {
    if (bucketAcl(await req.getBucket())?.owner !== expected) throw new S3Error('AccessDenied');
  }
  const source = req.header('x-amz-source-expected-bucket-owner');
  if (source !== undefined && !isAccount(req, source)) throw new S3Error('AccessDenied');
}

function isAccount({ account }: S3Request, name: string): boolean {
  return name === account || `AUTH_${name}` === account;
}
