import { respondEmpty } from '../../http/respond';
import { encodePath } from '../../objects/copy-request';
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
import { S3Error } from '../errors';
import type { S3Request } from '../request';
import { callSwift, headerText } from '../swift';

/** GET `?acl` of a bucket or an object. */
export async function getAcl(req: S3Request): Promise<void> {
  const acl = req.key ? (await getObjectAcl(req, 'READ_ACP')).acl : bucketAcl(await getBucketFor(req, 'READ_ACP'));
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

/** System metadata change by a copy of the object onto itself; no byte moves. */
async function putObjectAcl(req: S3Request): Promise<void> {
  const bucket = await req.getBucket();
  const { acl: current, isLarge } = await getObjectAcl(req, 'WRITE_ACP');
  const owner = current?.owner ?? req.user;
  const acl = await readAcl(req, { bucketOwner: bucketOwnerOf(req, bucket), objectOwner: owner }, owner);
  await callSwift(req, {
    method: 'PUT',
    object: req.key,
    query: isLarge ? { 'multipart-manifest': 'get' } : {},
    headers: {
      'content-length': '0',
      'x-copy-from': encodePath(`${req.bucket}/${req.key}`),
      [objectAclName]: encodeAcl(acl),
    },
  });
}

async function getObjectAcl(
  req: S3Request,
  permission: 'READ_ACP' | 'WRITE_ACP',
): Promise<{ acl: Acl | undefined; isLarge: boolean }> {
  const query = { 'version-id': req.params.get('versionId') };
  const head = await callSwift(req, { method: 'HEAD', object: req.key, query });
  const acl = decodeAcl(headerText(head, objectAclName));
  checkAcl(req, acl, permission);
  return { acl, isLarge: head.headers['x-static-large-object']?.toLowerCase() === 'true' };
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
