import type { SubAnswer } from '../../http/subrequest';
import { encodePath } from '../../objects/copy-request';
import { decodePercent } from '../../swift-path';
import { bucketOwnerOf, checkAcl, getBucketFor } from '../access';
import { decodeAcl, encodeAcl, getAclOfHeaders, objectAclName } from '../acl';
import { answerXml } from '../answers';
import { invalidArgument, S3Error } from '../errors';
import { readObjectHeaders } from '../object-headers';
import type { S3Request } from '../request';
import { s3Etag, s3EtagName } from '../s3-etag';
import { askSwift, callSwift, headerText, refusalOf } from '../swift';
import { findReplaced, removeReplaced } from '../uploads/replaced';
import { noInheritance } from '../uploads/upload';
import { textElement, xmlDocument } from '../xml';

/** The object of `x-amz-copy-source`, which the caller may read. */
export interface CopySource {
  bucket: string;
  key: string;
  versionId?: string;
  /** Its HEAD. */
  head: SubAnswer;
}

/** Looks at the source with its conditions. `NoSuchKey`, `AccessDenied`, `PreconditionFailed`. */
export async function getCopySource(req: S3Request): Promise<CopySource> {
  const { bucket, key, versionId } = readCopySource(req.header('x-amz-copy-source')!);
  const headers: Record<string, string | undefined> = { 'x-backend-etag-is-at': s3EtagName };
  for (const name of ['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since']) {
    headers[name] = req.header(`x-amz-copy-source-${name}`);
  }
  const request = { method: 'HEAD', container: bucket, object: key, query: { 'version-id': versionId }, headers };
  const head = await askSwift(req, request);
  if (head.status === 404) {
    const isThere = await req.api.deps.node.findContainer({ account: req.account, container: bucket });
    if (!isThere) throw new S3Error('NoSuchBucket', undefined, { BucketName: bucket });
    throw new S3Error('NoSuchKey', undefined, { Key: key });
  }
  checkAcl(req, decodeAcl(headerText(head, objectAclName)), 'READ');
  if (head.status === 304) throw new S3Error('PreconditionFailed');
  if (head.status >= 400) throw await refusalOf(req, request, head);
  return { bucket, key, versionId, head };
}

function readCopySource(header: string): { bucket: string; key: string; versionId?: string } {
  const question = header.indexOf('?');
  const rawPath = question < 0 ? header : header.slice(0, question);
  const path = decodePercent(rawPath);
  const match = /^\/?([^/]+)\/(.+)$/s.exec(path ?? '');
  if (!match || path!.includes('\0')) {
    const message = 'Copy Source must mention the source bucket and key: sourcebucket/sourcekey';
    throw invalidArgument('x-amz-copy-source', header, message);
  }
  const [, bucket, key] = match as unknown as [string, string, string];
  const query = question < 0 ? '' : header.slice(question + 1);
  if (query === '') return { bucket, key };
  const version = decodePercent(/^versionId=([^&]+)$/.exec(query)?.[1] ?? '');
  if (!version) throw invalidArgument('x-amz-copy-source', header, 'Unsupported copy source parameter.');
  return { bucket, key, versionId: version };
}

/** PUT Object with `x-amz-copy-source`. */
export async function copyObject(req: S3Request): Promise<void> {
  const directive = req.header('x-amz-metadata-directive') ?? 'COPY';
  const range = req.header('x-amz-copy-source-range');
  if (range !== undefined) throw invalidArgument('x-amz-copy-source-range', range, 'Illegal copy header');
  const bucket = await getBucketFor(req, 'WRITE');
  const source = await getCopySource(req);
  const isItself = source.bucket === req.bucket && source.key === req.key && !source.versionId;
  if (directive === 'COPY' && isItself) {
    throw new S3Error(
      'InvalidRequest',
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    );
  }
  const owners = { bucketOwner: bucketOwnerOf(req, bucket), objectOwner: req.user };
  const acl = encodeAcl(getAclOfHeaders(req.headers, owners));
  const own = directive === 'REPLACE' ? replacingHeaders(req) : {};
  // With new headers a multipart object may keep its parts; a copy must have its content for itself.
  const keepsParts = isItself && !bucket.versioning;
  const replaced = keepsParts ? undefined : await findReplaced(req, bucket);
  const answer = await callSwift(req, {
    method: 'PUT',
    object: req.key,
    query: { 'version-id': source.versionId, 'multipart-manifest': keepsParts ? 'get' : undefined },
    headers: { ...own, ...copyFrom(source, keepsParts), ...(keepsParts ? {} : noInheritance), [objectAclName]: acl },
  });
  await removeReplaced(req, replaced, answer);
  answerCopied(req, 'CopyObjectResult', source, answer);
}

function replacingHeaders(req: S3Request): Record<string, string> {
  const contentType = req.header('content-type') ?? 'binary/octet-stream';
  return { ...readObjectHeaders(req), 'content-type': contentType, 'x-fresh-metadata': 'true' };
}

/**
 * Headers of Swift that name the source, its manifest if there is one and that is meant. The look at it and the copy
 * must mean the same body.
 */
export function copyFrom({ bucket, key, head }: CopySource, isManifest = false): Record<string, string> {
  const etag = (isManifest && head.headers['x-manifest-etag']) || head.headers.etag;
  return {
    'content-length': '0',
    'x-copy-from': encodePath(`${bucket}/${key}`),
    ...(etag === undefined ? {} : { 'if-match': etag }),
  };
}

/** The answer of a copy, which is XML. */
export function answerCopied(req: S3Request, root: string, source: CopySource, { headers }: SubAnswer): void {
  const { ctx } = req;
  const time = Date.parse(headers['last-modified'] ?? '');
  const lastModified = `${new Date(time).toISOString().slice(0, 19)}.000Z`;
  if (headers['last-modified']) ctx.set('Last-Modified', headers['last-modified']);
  if (headers['x-object-version-id']) ctx.res.setHeader('x-amz-version-id', headers['x-object-version-id']);
  const sourceVersion = source.versionId ?? source.head.headers['x-object-version-id'];
  if (sourceVersion) ctx.res.setHeader('x-amz-copy-source-version-id', sourceVersion);
  answerXml(
    ctx,
    xmlDocument(root, textElement('LastModified', lastModified), textElement('ETag', `"${s3Etag(headers)}"`)),
  );
}
