import type { Metadata, ObjectPath, ObjectRecord, OpenObject } from '@zerocloud/object-server';
import { isStorageError } from '@zerocloud/object-server';
import { authorizeTarget } from '../auth/authorize';
import type { Deps, SwiftContext } from '../context';
import { HttpError } from '../errors';
import { checkMergedMetadata, setMetadataHeaders } from '../http/metadata';
import { httpDate } from '../http/timestamp';
import { getUploadRoom } from '../quotas/upload-quota';
import { findTarget, openTarget } from '../symlinks/follow';
import { findLinkSource, isLink, wantsLink, withoutLink } from '../symlinks/link';
import { linkWithBody, makeLink, readLink } from '../symlinks/make-link';
import { findRangeHeader, hasStar, unquoteEtag } from './conditions';
import { isTrue, readContentType } from './content-type';
import { encodePath } from './copy-request';
import { readDeleteAt } from './expiry';
import { readMetadata, userMetadataPrefix } from './metadata-rules';
import { selectRanges } from './ranges';
import { answersCondition, answerUnsatisfiable, objectMissing } from './read-object';
import { refuseNotes } from './unsupported';
import { answerCreated, authorizeUpload, checkName } from './write-object';

/** A source that is replaced again and again while it is being copied: after so many the client may try later. */
const maxAttempts = 5;

/**
 * COPY and PUT with X-Copy-From. The source is read as by a GET with the same headers: its rights, conditions and
 * Range apply. The target is written as by a PUT with them. Without a Range no byte moves: the new object shares the
 * body of the old one.
 */
export async function copyObject(ctx: SwiftContext, deps: Deps, source: ObjectPath, target: ObjectPath): Promise<void> {
  await authorizeTarget(ctx, deps, source, 'read');
  refuseNotes(ctx);
  for (let attempt = 1; ; attempt++) {
    try {
      if (ctx.req.headers.range === undefined) await copyWhole(ctx, deps, source, target);
      else await copySlice(ctx, deps, source, target);
      return;
    } catch (error) {
      // The body changed hands between the look and the copy: look again.
      if (!isStorageError(error, 'objectNotFound') || attempt === maxAttempts) throw error;
    }
  }
}

async function copyWhole(ctx: SwiftContext, deps: Deps, source: ObjectPath, target: ObjectPath): Promise<void> {
  let record = await deps.node.findObject(source);
  if (!record) throw objectMissing(ctx);
  let path = source;
  if (isLink(record) && !wantsLink(ctx)) {
    ({ path, record } = await findTarget(ctx, deps, { path, record }, () => objectMissing(ctx)));
    // Swift shows this of a read only.
    ctx.res.removeHeader('Content-Location');
  }
  if (answersCondition(ctx, record)) return;
  const options = await prepareTarget(ctx, deps, record, target);
  const copied = await deps.node.copyObject(path, target, { ...options, sourceBodyId: record.bodyId });
  answerCopied(ctx, source, record, options, copied);
}

/** A Range makes new content, so here bytes are read and written. */
async function copySlice(ctx: SwiftContext, deps: Deps, source: ObjectPath, target: ObjectPath): Promise<void> {
  let open = await deps.node.openObject(source);
  if (!open) throw objectMissing(ctx);
  if (isLink(open.record) && !wantsLink(ctx)) {
    open.close();
    ({ open } = await openTarget(ctx, deps, { path: source, record: open.record }, () => objectMissing(ctx)));
    ctx.res.removeHeader('Content-Location');
  }
  try {
    const { record } = open;
    if (answersCondition(ctx, record)) return;
    const selection = selectRanges(findRangeHeader(ctx.req.headers, record), record.sizeBytes);
    if (selection.kind === 'unsatisfiable') {
      answerUnsatisfiable(ctx, record);
      return;
    }
    if (selection.kind === 'whole') {
      await copyWhole(ctx, deps, source, target);
      return;
    }
    const [part] = selection.parts;
    if (selection.parts.length > 1) throw new HttpError(400, 'Only one range of an object can be copied');
    const options = await prepareTarget(ctx, deps, record, target, part!.end - part!.start + 1);
    const { etag } = ctx.req.headers;
    const copied = await deps.node.putObject(target, bytesOf(open, part!), {
      ...options,
      contentLength: part!.end - part!.start + 1,
      maxBytes: deps.config.limits.maxFileSize,
      etag: etag ? unquoteEtag(etag) : undefined,
    });
    answerCopied(ctx, source, record, options, copied);
  } finally {
    open.close();
  }
}

async function* bytesOf(open: OpenObject, part: { start: number; end: number }): AsyncGenerator<Uint8Array> {
  const body = await open.read(part);
  if (Buffer.isBuffer(body)) yield body;
  else yield* body as AsyncIterable<Buffer>;
}

interface TargetOptions {
  timestamp: string;
  contentType: string;
  metadata: Metadata;
  deleteAt?: number;
}

/** Rights, container, limits and headers of the target. What the request names replaces what the source has. */
async function prepareTarget(
  ctx: SwiftContext,
  deps: Deps,
  record: ObjectRecord,
  target: ObjectPath,
  sizeBytes = record.sizeBytes,
): Promise<TargetOptions> {
  const { headers } = ctx.req;
  const ifNoneMatch = headers['if-none-match'];
  if (ifNoneMatch !== undefined && !hasStar(ifNoneMatch)) throw new HttpError(400, 'If-None-Match only supports *');
  const { container, account } = await authorizeUpload(ctx, deps, target);
  const { limits } = deps.config;
  if (sizeBytes > limits.maxFileSize) throw new HttpError(413);
  getUploadRoom(account, container, sizeBytes, limits.maxFileSize);
  checkName(target, deps);
  const isFresh = isTrue(headers['x-fresh-metadata']);
  let inherited = isFresh ? systemMetadata(record.metadata) : record.metadata;
  const sent = readMetadata(headers, limits);
  const asked = readLink(headers, target, findLinkSource(record));
  if (asked) {
    if (sizeBytes > 0) throw linkWithBody();
    inherited = { ...withoutLink(inherited), ...(await makeLink(ctx, deps, target, asked)).metadata };
  }
  const metadata = { ...inherited, ...sent };
  const deleteAt = readDeleteAt(headers, ctx.state.timestamp) ?? (isFresh ? undefined : record.deleteAt);
  const contentType = readContentType(headers, target.object, record.contentType);
  checkMergedMetadata(inherited, sent, limits);
  return { timestamp: ctx.state.timestamp, contentType, metadata, deleteAt };
}

/** Metadata that belong to the content and not to the user go along even with X-Fresh-Metadata. */
function systemMetadata(metadata: Metadata): Metadata {
  return Object.fromEntries(Object.entries(metadata).filter(([name]) => name.startsWith('x-object-sysmeta-')));
}

function answerCopied(
  ctx: SwiftContext,
  source: ObjectPath,
  record: ObjectRecord,
  { metadata, deleteAt }: TargetOptions,
  copied: ObjectRecord,
): void {
  const { res } = ctx;
  answerCreated(ctx, copied);
  res.setHeader('X-Copied-From-Account', encodePath(source.account));
  res.setHeader('X-Copied-From', encodePath(`${source.container}/${source.object}`));
  res.setHeader('X-Copied-From-Last-Modified', httpDate(record.timestamp));
  const own = Object.entries(metadata).filter(([name]) => name.startsWith(userMetadataPrefix));
  setMetadataHeaders(res, Object.fromEntries(own));
  if (deleteAt !== undefined) res.setHeader('X-Delete-At', String(deleteAt));
}
