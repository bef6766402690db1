import { type ContainerRecord, deleteMarkerType, nullVersion } from '@zerocloud/object-server';
import { respondEmpty } from '../../http/respond';
import type { SubAnswer } from '../../http/subrequest';
import { readWholeBody } from '../../http/whole-body';
import { promoteNewest } from '../../versions';
import { getBucketFor } from '../access';
import { segmentsOf } from '../bucket-name';
import { S3Error } from '../errors';
import type { S3Request } from '../request';
import { askSwift, refusalOf, type SwiftRequest } from '../swift';
import { removeReplaced } from '../uploads/replaced';
import { uploadMetadata } from '../uploads/upload';

/** DELETE Object: 204 also when there was none. */
export async function deleteObject(req: S3Request): Promise<void> {
  const bucket = await getBucketFor(req, 'WRITE');
  const version = req.params.get('versionId') || undefined;
  const deleted = await removeObject(req, bucket, req.key, version);
  respondEmpty(req.ctx, 204, {
    ...(deleted.versionId !== undefined && { 'x-amz-version-id': deleted.versionId }),
    ...(deleted.isMarker && { 'x-amz-delete-marker': 'true' }),
  });
}

export interface Deleted {
  /** The version that was deleted, or the delete marker that was added. */
  versionId?: string;
  /** It is, or was, a delete marker. */
  isMarker: boolean;
}

/**
 * Deletes one object, or one version of it, with the parts it is made of. What a bucket keeps as a version keeps its
 * parts.
 */
export async function removeObject(
  req: S3Request,
  { versioning, archive }: ContainerRecord,
  key: string,
  version?: string,
): Promise<Deleted> {
  // Where there never were versions, there is nothing to delete.
  if (version !== undefined && version !== nullVersion && !versioning) return { versionId: version, isMarker: false };
  const selection = version === undefined ? {} : { 'version-id': version };
  const head = await askSwift(req, { method: 'HEAD', object: key, query: { ...selection, symlink: 'get' } });
  // A version that stays keeps its parts.
  const isNull = head.headers['x-object-version-id'] === nullVersion;
  const isGone = version !== undefined || !(versioning || archive) || (versioning === 'suspended' && isNull);
  const uploadId = isGone && isStatic(head) ? head.headers[uploadMetadata.id] : undefined;
  const isLarge = isGone && isStatic(head) && !uploadId;
  const manifest = isLarge ? { 'multipart-manifest': 'delete' } : {};
  const request: SwiftRequest = {
    method: 'DELETE',
    object: key,
    query: { ...selection, ...manifest, symlink: version === undefined ? undefined : 'get' },
    headers: { accept: 'application/json' },
  };
  const answer = await askSwift(req, request);
  if (answer.status >= 400 && answer.status !== 404) throw await refusalOf(req, request, answer);
  if (isLarge && answer.status === 200) await checkParts(answer.body);
  if (uploadId) {
    const parts = { container: segmentsOf(req.bucket), name: `${key}/${uploadId}` };
    await removeReplaced(req, parts, version === undefined ? answer : nothingKept);
  }
  if (version !== undefined && versioning) await promote(req, key);
  const added = version === undefined ? answer.headers['x-object-version-id'] : undefined;
  return {
    versionId: version ?? added,
    isMarker: added !== undefined || head.headers['content-type'] === deleteMarkerType,
  };
}

/** A version that is named goes for good. */
const nothingKept = { headers: {} };

function isStatic({ headers }: SubAnswer): boolean {
  return headers['x-static-large-object']?.toLowerCase() === 'true';
}

/** Below a deleted version the one before appears. */
async function promote(req: S3Request, object: string): Promise<void> {
  const path = { account: req.account, container: req.bucket, object };
  await promoteNewest(req.api.deps.node, path, req.ctx.state.timestamp);
}

/** The report on the parts of a large object that Swift made. */
async function checkParts(body: AsyncIterable<Uint8Array> | Buffer): Promise<void> {
  const report = JSON.parse((await readWholeBody(body)).toString('utf8')) as {
    'Response Status': string;
    Errors: [string, string][];
  };
  if (report.Errors.length === 0) return;
  const lines = report.Errors.map(([name, status]) => `${name}: ${status}`);
  throw new S3Error('InternalError', [report['Response Status'], ...lines].join('\n'));
}
