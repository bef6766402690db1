import { type ByteRange, deleteMarkerType, nullVersion } from '@zerocloud/object-server';
import { respondEmpty } from '../../http/respond';
import type { SubAnswer } from '../../http/subrequest';
import { unquoteEtag } from '../../objects/conditions';
import { contentRange, selectRanges } from '../../objects/ranges';
import { bucketOwnerOf, checkAcl, getBucketFor } from '../access';
import { decodeAcl, encodeAcl, getAclOfHeaders, objectAclName } from '../acl';
import { S3Error } from '../errors';
import { readObjectHeaders, setObjectHeaders, setOverrides } from '../object-headers';
import { findExpectedMd5 } from '../payload/content-md5';
import type { S3Request } from '../request';
import { s3Etag, s3EtagName } from '../s3-etag';
import { askSwift, callSwift, dropBody, headerText, refusalOf } from '../swift';
import { findReplaced, removeReplaced } from '../uploads/replaced';

/** What S3 gives an object whose upload names no type. */
const defaultType = 'binary/octet-stream';

const conditionHeaders = ['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since'] as const;

/** GET and HEAD Object. */
export async function readObject(req: S3Request): Promise<void> {
  const { ctx, method } = req;
  const isHead = method === 'HEAD';
  const version = req.params.get('versionId');
  if (version !== undefined && version !== nullVersion && !(await req.getBucket()).versioning) {
    throw new S3Error('NoSuchVersion', undefined, { Key: req.key, VersionId: version });
  }
  const conditions = readConditions(req);
  const range = req.header('range');
  const request = {
    method,
    object: req.key,
    query: { 'version-id': version },
    headers: {
      ...conditions,
      range: isHead ? undefined : range,
      'if-range': isHead ? undefined : req.header('if-range'),
    },
  };
  const answer = await askSwift(req, request);
  if (answer.status !== 404) {
    try {
      checkAcl(req, decodeAcl(headerText(answer, objectAclName)), 'READ');
    } catch (error) {
      dropBody(answer);
      throw error;
    }
  }
  if (answer.status === 404) tellMarker(req, answer);
  if (answer.status >= 400) throw await refusalOf(req, request, answer);
  ctx.status = answer.status;
  ctx.body = answer.body;
  setObjectHeaders(ctx, answer);
  setOverrides(req);
  if (isHead && range !== undefined && answer.status === 200) answerHeadRange(req, range);
}

/** There is nothing to read, because it was deleted. */
function tellMarker({ ctx }: S3Request, { headers }: SubAnswer): void {
  const version = headers['x-object-version-id'];
  if (headers['content-type'] !== deleteMarkerType || version === undefined) return;
  ctx.res.setHeader('x-amz-delete-marker', 'true');
  ctx.res.setHeader('x-amz-version-id', version);
}

/**
 * Conditions as Swift understands them. It knows a multipart object by another entity tag than S3's clients, and a large
 * object of its own by the tag without `-N`.
 */
function readConditions(req: S3Request): Record<string, string> {
  const conditions: Record<string, string> = { 'x-backend-etag-is-at': s3EtagName };
  for (const name of conditionHeaders) {
    const value = req.header(name);
    if (value !== undefined) conditions[name] = name.endsWith('-match') ? withRealTags(value) : value;
  }
  return conditions;
}

function withRealTags(header: string): string {
  const tags = header.split(',').map((tag) => unquoteEtag(tag.trim()));
  return [header, ...tags.filter((tag) => tag.endsWith('-N')).map((tag) => tag.slice(0, -2))].join(', ');
}

/** Swift answers a HEAD with a Range as one without. */
function answerHeadRange({ ctx }: S3Request, range: string): void {
  const sizeBytes = Number(ctx.res.getHeader('content-length'));
  const selection = selectRanges(range, sizeBytes);
  if (selection.kind === 'unsatisfiable') throw new S3Error('InvalidRange');
  if (selection.kind !== 'parts' || selection.parts.length !== 1) return;
  const part = selection.parts[0] as ByteRange;
  ctx.status = 206;
  ctx.res.setHeader('Content-Range', contentRange(part, sizeBytes));
  ctx.res.setHeader('Content-Length', part.end - part.start + 1);
}

/** PUT Object, not a copy. */
export async function putObject(req: S3Request): Promise<void> {
  const etag = findExpectedMd5(req.headers);
  const bucket = await getBucketFor(req, 'WRITE');
  const owners = { bucketOwner: bucketOwnerOf(req, bucket), objectOwner: req.user };
  const acl = encodeAcl(getAclOfHeaders(req.headers, owners));
  const replaced = await findReplaced(req, bucket);
  const answer = await callSwift(req, {
    method: 'PUT',
    object: req.key,
    headers: {
      ...readObjectHeaders(req),
      'content-type': req.header('content-type') ?? defaultType,
      'content-length': lengthOf(req),
      etag,
      [objectAclName]: acl,
    },
    body: req.payload.stream(),
  });
  await removeReplaced(req, replaced, answer);
  answerPut(req, answer.headers);
}

/** The declared length of an upload; absent for a chunked one. */
export function lengthOf(req: S3Request): string | undefined {
  if (req.payload.sizeBytes === undefined) return undefined;
  if (req.headers['content-length'] === undefined && req.headers['transfer-encoding'] === undefined) {
    throw new S3Error('MissingContentLength');
  }
  return String(req.payload.sizeBytes);
}

/** 200 with what there is to tell of a stored body. */
export function answerPut(req: S3Request, headers: Record<string, string>): void {
  const answer: Record<string, string> = { ETag: `"${s3Etag(headers)}"` };
  if (headers['last-modified']) answer['Last-Modified'] = headers['last-modified'];
  if (headers['x-object-version-id']) answer['x-amz-version-id'] = headers['x-object-version-id'];
  const checksum = req.payload.findChecksumHeader();
  if (checksum) answer[checksum[0]] = checksum[1];
  respondEmpty(req.ctx, 200, answer);
}
