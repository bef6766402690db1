import {
  type AccountRecord,
  type ContainerRecord,
  isStorageError,
  nullVersion,
  type ObjectPath,
  type ObjectRecord,
} from '@zerocloud/object-server';
import { authorizeTarget, isResellerAdminOf } from '../auth/authorize';
import type { Deps, SwiftContext } from '../context';
import { HttpError, htmlType } from '../errors';
import { findExcessiveLength } from '../http/name-length';
import { httpDate } from '../http/timestamp';
import { checkDynamicManifest } from '../large-objects/dynamic-object';
import { getUploadRoom } from '../quotas/upload-quota';
import { answerLinkPost } from '../symlinks/answer-post';
import { linkWithBody, makeLink, readLink, refuseLink } from '../symlinks/make-link';
import { restoreVersion } from '../versions/restore-version';
import { authorizeVersion, setVersionId } from '../versions/version-request';
import { findSentEtag, hasStar } from './conditions';
import { readContentType } from './content-type';
import { copyObject } from './copy-object';
import { readCopySource } from './copy-request';
import { readDeleteAt } from './expiry';
import { readMetadata } from './metadata-rules';
import { objectPath } from './object-path';
import { findRequiredObject } from './required-object';
import { refuseUncheckedConditions } from './unsupported';
import { UploadBody } from './upload-body';
import { validateProgram, wantsValidation } from './validate-program';

const noBytes = Buffer.alloc(0);

export async function putObject(ctx: SwiftContext, deps: Deps): Promise<void> {
  const { headers } = ctx.req;
  const { versionId, ...path } = objectPath(ctx);
  if (headers['x-copy-from']) {
    if (Number(headers['content-length'] ?? 0) > 0) throw new HttpError(400, 'Copy requests require a zero byte body');
    return copyObject(ctx, deps, { ...readCopySource(headers, path.account), versionId }, path);
  }
  return versionId === undefined ? uploadObject(ctx, deps, path) : restoreVersion(ctx, deps, { ...path, versionId });
}

async function uploadObject(ctx: SwiftContext, deps: Deps, path: ObjectPath): Promise<void> {
  const { headers } = ctx.req;
  const ifAbsent = readIfAbsent(ctx);
  const { container, account } = await authorizeUpload(ctx, deps, path);
  refuseUncheckedConditions(ctx);
  checkDynamicManifest(headers['x-object-manifest'] as string | undefined);
  const { maxFileSize } = deps.config.limits;
  const contentLength = readLength(ctx, maxFileSize);
  checkName(path, deps);
  const deleteAt = readDeleteAt(headers, ctx.state.timestamp);
  const asked = readLink(headers, path);
  if (asked && contentLength) throw linkWithBody();
  const link = asked && (await makeLink(ctx, deps, path, asked));
  const contentType = readContentType(headers, path.object, link?.contentType);
  const metadata = readMetadata(headers, deps.config.limits);
  if (link) Object.assign(metadata, link.metadata);
  const room = getUploadRoom(account, container, contentLength, maxFileSize);
  const body = new UploadBody(ctx.req, deps.config.timeouts);
  const stored = deps.node.putObject(path, body, {
    timestamp: ctx.state.timestamp,
    contentType,
    metadata,
    deleteAt,
    contentLength,
    maxBytes: link ? 0 : room,
    etag: findSentEtag(headers),
    ifAbsent,
    requires: findRequiredObject(headers),
  });
  const record = await (link ? stored.catch(asLinkWithBody) : stored);
  answerCreated(ctx, record);
  if (wantsValidation(ctx, contentType)) await validateProgram(ctx, deps, path, record);
}

/** A chunked body that was not empty. */
function asLinkWithBody(error: unknown): never {
  throw isStorageError(error, 'objectTooLarge') ? linkWithBody() : error;
}

export async function postObject(ctx: SwiftContext, deps: Deps): Promise<void> {
  const { headers } = ctx.req;
  const path = objectPath(ctx);
  if (path.versionId !== undefined) {
    const headers = { 'content-type': htmlType };
    throw new HttpError(400, 'POST to a specific version is not allowed', { headers });
  }
  await authorizeWrite(ctx, deps, path);
  refuseUncheckedConditions(ctx);
  refuseLink(headers);
  checkDynamicManifest(headers['x-object-manifest'] as string | undefined);
  const metadata = readMetadata(headers, deps.config.limits);
  const deleteAt = readDeleteAt(headers, ctx.state.timestamp);
  const contentType = headers['content-type'] ? readContentType(headers, path.object) : undefined;
  const record = await deps.node.updateObject(path, {
    timestamp: ctx.state.timestamp,
    metadata,
    contentType,
    deleteAt,
  });
  if (wantsValidation(ctx, contentType)) await validateProgram(ctx, deps, path, record);
  if (answerLinkPost(ctx, path, record)) return;
  ctx.status = 202;
  ctx.res.setHeader('Content-Type', htmlType);
  ctx.body = acceptedPage;
}

const acceptedPage = Buffer.from('<html><h1>Accepted</h1><p>The request is accepted for processing.</p></html>');

export async function deleteObject(ctx: SwiftContext, deps: Deps): Promise<void> {
  const path = objectPath(ctx);
  await authorizeVersion(ctx, deps, path, 'write');
  refuseUncheckedConditions(ctx);
  const { existed, markerId, currentVersionId } = await deps.node.deleteObject(path, {
    timestamp: ctx.state.timestamp,
  });
  if (!existed) throw new HttpError(404, undefined, { headers: { 'X-Object-Version-Id': markerId! } });
  setVersionId(ctx.res, markerId);
  if (path.versionId !== undefined && path.versionId !== nullVersion) {
    setVersionId(ctx.res, path.versionId);
    ctx.res.setHeader('X-Object-Current-Version-Id', currentVersionId ?? nullVersion);
  }
  ctx.status = 204;
  ctx.res.setHeader('Content-Type', htmlType);
  ctx.res.setHeader('Content-Length', 0);
}

/** 401 or 403 without the right to write, then 404 without the container. */
export async function authorizeWrite(ctx: SwiftContext, deps: Deps, path: ObjectPath): Promise<ContainerRecord> {
  const container = await deps.node.findContainer(path);
  await authorizeTarget(ctx, deps, path, 'write', container);
  if (!container) throw new HttpError(404);
  return container;
}

/**
 * The same for a request that adds bytes, with the records that say how many may come. An account's quota does not hold
 * for reseller admins, as in Swift, so they get no record of it.
 */
export async function authorizeUpload(
  ctx: SwiftContext,
  deps: Deps,
  path: ObjectPath,
): Promise<{ container: ContainerRecord; account: AccountRecord | undefined }> {
  const [container, account] = await Promise.all([
    authorizeWrite(ctx, deps, path),
    isResellerAdminOf(ctx.state.identity, path.account) ? undefined : deps.node.findAccount(path.account),
  ]);
  return { container, account };
}

export function checkName({ object }: ObjectPath, { config }: Deps): void {
  const max = config.limits.maxObjectNameLength;
  const length = findExcessiveLength(object, max);
  if (length !== undefined) throw new HttpError(400, `Object name length of ${length} longer than ${max}`);
}

export function answerCreated(ctx: SwiftContext, record: ObjectRecord): void {
  const { res } = ctx;
  ctx.status = 201;
  res.setHeader('Content-Type', htmlType);
  res.setHeader('Etag', record.etag);
  res.setHeader('Last-Modified', httpDate(record.timestamp));
  setVersionId(res, record.versionId);
  ctx.body = noBytes;
}

/** `If-None-Match: *`, the only form of this header that a write may have. */
export function readIfAbsent(ctx: SwiftContext): boolean {
  const header = ctx.req.headers['if-none-match'];
  if (header === undefined) return false;
  if (!hasStar(header)) throw new HttpError(400, 'If-None-Match only supports *');
  return true;
}

/** Declared length of the upload, `undefined` for a chunked one. Node's parser has refused malformed headers before. */
function readLength(ctx: SwiftContext, maxBytes: number): number | undefined {
  const { headers } = ctx.req;
  const coding = headers['transfer-encoding'];
  if (coding !== undefined) {
    if (coding.includes(',')) {
      const text = 'Unsupported Transfer-Coding header value specified in Transfer-Encoding header';
      throw new HttpError(501, text);
    }
    if (coding.trim().toLowerCase() !== 'chunked') throw new HttpError(400, 'Invalid Transfer-Encoding header value');
    return undefined;
  }
  const length = headers['content-length'];
  if (length === undefined) throw new HttpError(411, 'Missing Content-Length header.');
  if (!/^\d+$/.test(length)) throw new HttpError(400, 'Invalid Content-Length header value');
  const sizeBytes = Number(length);
  if (sizeBytes > maxBytes) throw new HttpError(413, 'Your request is too large.');
  return sizeBytes;
}
