import { linkTargetName } from '@zerocloud/object-server';
import { respondEmpty } from '../../http/respond';
import { bucketAcl, bucketOwnerOf, checkAcl, getBucketFor } from '../access';
import {
  type Acl,
  bucketAclName,
  decodeAcl,
  encodeAcl,
  findAclInHeaders,
  maxAclXmlBytes,
  objectAclName,
  readAclXml,
  renderAcl,
} from '../acl';
import { answerXml } from '../answers';
import { noSuchKey, notImplemented, S3Error } from '../errors';
import type { S3Request } from '../request';
import { callSwift, headerText } from '../swift';

/** GET `?acl` of a bucket or an object. */
export async function getAcl(req: S3Request): Promise<void> {
  const acl = req.key ? await getObjectAcl(req) : bucketAcl(await getBucketFor(req, 'READ_ACP'));
  // Without a list it belongs to the account's owners, of whom the caller is one.
  const shown = acl ?? { owner: req.user, grants: [{ permission: 'FULL_CONTROL' as const, grantee: req.user }] };
  answerXml(req.ctx, renderAcl(shown));
}

/** PUT `?acl`. */
export async function putAcl(req: S3Request): Promise<void> {
  if (req.key) await putObjectAcl(req);
  else await putBucketAcl(req);
  respondEmpty(req.ctx, 200);
}

async function putBucketAcl(req: S3Request): Promise<void> {
  const bucket = await getBucketFor(req, 'WRITE_ACP');
  const owner = bucketOwnerOf(req, bucket);
  const acl = await readAcl(req, { bucketOwner: owner }, owner);
  const path = { account: req.account, container: req.bucket };
  const metadata = { [bucketAclName]: encodeAcl(acl) };
  await req.api.deps.node.updateContainer(path, { timestamp: req.ctx.state.timestamp, metadata });
}

/** Changes the object in place: neither a byte nor a new version. */
async function putObjectAcl(req: S3Request): Promise<void> {
  if (req.params.has('versionId')) throw notImplemented('The list of an old version cannot be changed.');
  const { node } = req.api.deps;
  const bucket = await req.getBucket();
  const path = { account: req.account, container: req.bucket, object: req.key };
  const record = await node.findObject(path);
  if (!record) throw noSuchKey(req.key);
  const current = decodeAcl(record.metadata[objectAclName]);
  checkAcl(req, current, 'WRITE_ACP');
  // Reading follows a link of Swift's, so its own list would mean nothing.
  if (record.metadata[linkTargetName] !== undefined) throw notImplemented('A symlink has no list of its own.');
  const owner = current?.owner ?? req.user;
  const acl = await readAcl(req, { bucketOwner: bucketOwnerOf(req, bucket), objectOwner: owner }, owner);
  const own = Object.entries(record.metadata).filter(([name]) => !name.startsWith('x-object-sysmeta-'));
  await node.updateObject(path, {
    timestamp: req.ctx.state.timestamp,
    metadata: Object.fromEntries(own),
    deleteAt: record.deleteAt,
    systemMetadata: { [objectAclName]: encodeAcl(acl) },
    bodyId: record.bodyId,
  });
}

async function getObjectAcl(req: S3Request): Promise<Acl | undefined> {
  const query = { 'version-id': req.params.get('versionId') };
  const head = await callSwift(req, { method: 'HEAD', object: req.key, query });
  const acl = decodeAcl(headerText(head, objectAclName));
  checkAcl(req, acl, 'READ_ACP');
  return acl;
}

/** From the headers or the body, one of which there must be. The owner stays who he is. */
async function readAcl(
  req: S3Request,
  owners: { bucketOwner: string; objectOwner?: string },
  owner: string,
): Promise<Acl> {
  const inHeaders = findAclInHeaders(req.headers, owners);
  const body = await req.payload.read(maxAclXmlBytes, new S3Error('MalformedXML'));
  if (inHeaders && body.length > 0) throw new S3Error('UnexpectedContent');
  if (inHeaders) return inHeaders;
  if (body.length === 0) {
    throw new S3Error('MissingSecurityHeader', undefined, { MissingHeaderName: 'x-amz-acl' });
  }
  const acl = readAclXml(body);
  if (acl.owner !== owner) throw new S3Error('AccessDenied');
  return acl;
}
