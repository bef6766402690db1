import { respondEmpty } from '../../http/respond';
import { bucketAcl, getBucketFor, isAccountOwner } from '../access';
import { bucketAclName, encodeAcl, getAclOfHeaders, isAllowed } from '../acl';
import { answerXml } from '../answers';
import { segmentsOf } from '../bucket-name';
import { S3Error } from '../errors';
import type { S3Request } from '../request';
import { askSwift, callSwift, readListing, refusalOf } from '../swift';
import { removeSegments } from '../uploads/upload';
import { findText, parseXml, textElement, xmlDocument } from '../xml';

const maxConfigurationBytes = 10_240;

export async function headBucket(req: S3Request): Promise<void> {
  await getBucketFor(req, 'READ');
  respondEmpty(req.ctx, 200, { 'Content-Type': 'application/xml', 'x-amz-bucket-region': req.api.config.location });
}

export async function createBucket(req: S3Request): Promise<void> {
  const { location } = req.api.config;
  const body = await req.payload.read(maxConfigurationBytes, new S3Error('MalformedXML'));
  if (body.length > 0) {
    const configuration = parseXml(body, 'CreateBucketConfiguration');
    const constraint = findText(configuration, 'LocationConstraint');
    if (constraint === undefined || configuration.children.length !== 1) throw new S3Error('MalformedXML');
    if (constraint !== location && constraint !== location.toLowerCase()) {
      throw new S3Error('InvalidLocationConstraint');
    }
  }
  const acl = encodeAcl(getAclOfHeaders(req.headers, { bucketOwner: req.user }));
  if (!isAccountOwner(req)) throw new S3Error('AccessDenied');
  const { node } = req.api.deps;
  const path = { account: req.account, container: req.bucket };
  if (await node.findContainer(path)) throw await alreadyThere(req);
  const request = { method: 'PUT', headers: { 'x-storage-policy': req.header('x-storage-policy') } };
  const answer = await callSwift(req, request);
  if (answer.status === 202) throw await alreadyThere(req);
  if (answer.status !== 201) throw await refusalOf(req, request, answer);
  // Until then it belongs to the account's owners, of whom the caller is one.
  await node.updateContainer(path, { timestamp: req.ctx.state.timestamp, metadata: { [bucketAclName]: acl } });
  respondEmpty(req.ctx, 200, { Location: `/${req.bucket}` });
}

async function alreadyThere(req: S3Request): Promise<S3Error> {
  const acl = bucketAcl(await req.getBucket());
  const isOwn = !acl || isAllowed(acl, req.user, 'OWNER');
  return new S3Error(isOwn ? 'BucketAlreadyOwnedByYou' : 'BucketAlreadyExists', undefined, { BucketName: req.bucket });
}

export async function deleteBucket(req: S3Request): Promise<void> {
  const bucket = await getBucketFor(req, 'OWNER');
  if (bucket.objectCount > 0 || bucket.versionCount) {
    throw bucket.versioning
      ? new S3Error(
          'BucketNotEmpty',
          'The bucket you tried to delete is not empty. You must delete all versions in the bucket.',
        )
      : new S3Error('BucketNotEmpty');
  }
  // The bucket goes first, if it is empty still: parts of an object or of a version stand among those of unfinished uploads.
  await callSwift(req, { method: 'DELETE' });
  const untilMs = req.api.deps.now();
  await deleteSegments(req, untilMs).catch((err) => {
    req.api.deps.log.warn(
      { txn: req.ctx.state.transactionId, err, bucket: req.bucket },
      'parts of a bucket that is gone stay',
    );
  });
  respondEmpty(req.ctx, 204);
}

/** What unfinished uploads to the bucket left. Younger parts are those of a new bucket of that name. */
async function deleteSegments(req: S3Request, untilMs: number): Promise<void> {
  const container = segmentsOf(req.bucket);
  for (let marker = ''; ; ) {
    const page = { method: 'GET', container, query: { format: 'json', marker } };
    const answer = await askSwift(req, page);
    if (answer.status === 404) return;
    if (answer.status >= 400) throw await refusalOf(req, page, answer);
    const segments = readListing<{ name: string; last_modified: string }>(answer);
    if (segments.length === 0) break;
    const old = segments.filter(({ last_modified }) => Date.parse(`${last_modified}Z`) < untilMs);
    await removeSegments(
      req,
      container,
      old.map(({ name }) => name),
    );
    marker = segments.at(-1)!.name;
  }
  const { status } = await askSwift(req, { method: 'DELETE', container });
  // 409: a new bucket has uploads of its own.
  if (status >= 400 && status !== 404 && status !== 409) throw new S3Error('ServiceUnavailable');
}

export async function getLocation(req: S3Request): Promise<void> {
  await getBucketFor(req, 'READ');
  const { location } = req.api.config;
  const text = location === 'us-east-1' ? '' : location;
  // The text stands in the root itself.
  const body = xmlDocument('LocationConstraint', text === '' ? '' : textElement('x', text).slice(3, -4));
  answerXml(req.ctx, body);
}

/** There is no logging. */
export async function getLogging(req: S3Request): Promise<void> {
  if (req.key) throw new S3Error('NoLoggingStatusForKey');
  await getBucketFor(req, 'READ');
  answerXml(req.ctx, xmlDocument('BucketLoggingStatus'));
}
