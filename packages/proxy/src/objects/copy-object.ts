import type { ByteRange, ObjectPath, ObjectRecord, OpenObject } from '@zerocloud/object-server';
import { isStorageError } from '@zerocloud/object-server';
import type { Deps, SwiftContext } from '../context';
import { HttpError } from '../errors';
import { Query } from '../http/query';
import { isLargeObject, viewOf } from '../large-objects/large-object';
import { contentMetadata, isDynamic, isManifest } from '../large-objects/stored-manifest';
import { findTarget, openTarget } from '../symlinks/follow';
import { isLink, wantsLink } from '../symlinks/link';
import { authorizeVersion, tellVersion } from '../versions/version-request';
import { findRangeHeader, findSentEtag } from './conditions';
import { copyManifest } from './copy-manifest';
import { answerCopied, prepareTarget } from './copy-target';
import { selectRanges } from './ranges';
import { answersCondition, answerUnsatisfiable, objectMissing } from './read-object';
import { refuseNotes } from './unsupported';

/** A source that is replaced again and again while it is being copied: after so many the client may try later. */
const maxAttempts = 5;

/**
 * COPY and PUT with X-Copy-From. The source is read as by a GET with the same headers: its rights, conditions and
 * Range apply. The target is written as by a PUT with them. Without a Range no byte moves: the new object shares the
 * body of the old one. A large object becomes a plain one, unless `?multipart-manifest=get` asks for its manifest.
 */
export async function copyObject(ctx: SwiftContext, deps: Deps, source: ObjectPath, target: ObjectPath): Promise<void> {
  await authorizeVersion(ctx, deps, source, 'read');
  refuseNotes(ctx);
  for (let attempt = 1; ; attempt++) {
    try {
      if (ctx.req.headers.range === undefined) await copyWhole(ctx, deps, source, target);
      else await copyContent(ctx, deps, source, target);
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
  refuseMarker(ctx, source, record);
  let path = source;
  if (isLink(record) && !wantsLink(ctx)) {
    ({ path, record } = await findTarget(ctx, deps, { path, record }, () => objectMissing(ctx)));
    // Swift shows this of a read only.
    ctx.res.removeHeader('Content-Location');
  }
  if (isManifest(record)) {
    if (!wantsManifest(ctx)) return copyContent(ctx, deps, source, target);
    if (!isDynamic(record)) return copyManifest(ctx, deps, { source, path, record }, target);
  }
  if (answersCondition(ctx, record)) return;
  const options = await prepareTarget(ctx, deps, record, target);
  const copied = await deps.node.copyObject(path, target, { ...options, sourceBodyId: record.bodyId });
  answerCopied(ctx, source, record, options, copied);
}

/** 404 for a delete marker. Which version was copied is told by another header than that of a read. */
function refuseMarker(ctx: SwiftContext, source: ObjectPath, record: ObjectRecord): void {
  tellVersion(ctx, source, record);
  ctx.res.removeHeader('X-Object-Version-Id');
  ctx.res.removeHeader('Content-Location');
}

function wantsManifest({ req }: SwiftContext): boolean {
  return req.url!.includes('multipart-manifest=') && new Query(req.url!).get('multipart-manifest') === 'get';
}

/** A Range makes new content, and so does a large object: here bytes are read and written. */
async function copyContent(ctx: SwiftContext, deps: Deps, source: ObjectPath, target: ObjectPath): Promise<void> {
  let open = await deps.node.openObject(source);
  if (!open) throw objectMissing(ctx);
  refuseMarker(ctx, source, open.record);
  let path = source;
  if (isLink(open.record) && !wantsLink(ctx)) {
    open.close();
    ({ path, open } = await openTarget(ctx, deps, { path: source, record: open.record }, () => objectMissing(ctx)));
    ctx.res.removeHeader('Content-Location');
  }
  if (isManifest(open.record)) open = await viewOf(ctx, deps, path, open);
  try {
    const { record } = open;
    if (answersCondition(ctx, record)) return;
    const part = selectPart(ctx, open);
    if (!part) {
      answerUnsatisfiable(ctx, record);
      return;
    }
    if (part === 'whole') {
      await copyWhole(ctx, deps, source, target);
      return;
    }
    const sizeBytes = part.end - part.start + 1;
    const plain = { ...record, metadata: contentMetadata(record.metadata) };
    const options = await prepareTarget(ctx, deps, plain, target, sizeBytes);
    const copied = await deps.node.putObject(target, bytesOf(open, part), {
      ...options,
      contentLength: sizeBytes,
      maxBytes: deps.config.limits.maxFileSize,
      etag: findSentEtag(ctx.req.headers),
    });
    answerCopied(ctx, source, record, options, copied);
  } finally {
    open.close();
  }
}

/** What is copied; `whole` if that is the object as it is, `undefined` if there are no such bytes. */
function selectPart(ctx: SwiftContext, open: OpenObject): ByteRange | 'whole' | undefined {
  const { record } = open;
  const header = findRangeHeader(ctx.req.headers, record);
  const selection = isLargeObject(open) ? open.select(header) : selectRanges(header, record.sizeBytes);
  if (selection.kind === 'unsatisfiable') return undefined;
  if (selection.kind === 'parts') {
    if (selection.parts.length > 1) throw new HttpError(400, 'Only one range of an object can be copied');
    return selection.parts[0];
  }
  if (!isLargeObject(open)) return 'whole';
  if (open.record.isEndless) throw new HttpError(413);
  return { start: 0, end: record.sizeBytes - 1 };
}

async function* bytesOf(open: OpenObject, part: ByteRange): AsyncGenerator<Uint8Array> {
  const body = await open.read(part);
  if (Buffer.isBuffer(body)) yield body;
  else yield* body as AsyncIterable<Buffer>;
}
