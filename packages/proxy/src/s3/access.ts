import type { ContainerRecord } from '@zerocloud/object-server';
import { isOwner } from '../auth/authorize';
import { type Acl, bucketAclName, decodeAcl, isAllowed, type Permission } from './acl';
import { S3Error } from './errors';
import type { S3Request } from './request';

/** True for those who own the account with all that is in it. */
export function isAccountOwner(req: S3Request): boolean {
  return isOwner(req.ctx.state.identity, req.account);
}

/**
 * Refuses with `AccessDenied` unless the list gives the permission. What was not made through S3 has no list: it belongs
 * to the owners of the account, who would otherwise not reach by S3 what they stored by Swift or a job.
 */
export function checkAcl(req: S3Request, acl: Acl | undefined, permission: Permission | 'OWNER'): void {
  if (acl ? isAllowed(acl, req.user, permission) : isAccountOwner(req)) return;
  throw new S3Error('AccessDenied');
}

/** `NoSuchBucket`, `AccessDenied`. */
export async function getBucketFor(req: S3Request, permission: Permission | 'OWNER'): Promise<ContainerRecord> {
  const bucket = await req.getBucket();
  checkAcl(req, bucketAcl(bucket), permission);
  return bucket;
}

export function bucketAcl(bucket: ContainerRecord): Acl | undefined {
  return decodeAcl(bucket.metadata[bucketAclName]);
}

/** The id of the user to whom a bucket belongs; whoever may use one without a list is as good as its owner. */
export function bucketOwnerOf(req: S3Request, bucket: ContainerRecord): string {
  return bucketAcl(bucket)?.owner ?? req.user;
}
