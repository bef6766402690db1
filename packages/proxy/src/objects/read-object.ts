import type { Readable } from 'node:stream';
import type { ByteRange, ObjectPath, ObjectRecord, OpenObject } from '@zerocloud/object-server';
import type { Deps, SwiftContext } from '../context';
import { HttpError, htmlType, reasonOf } from '../errors';
import { respondBytes } from '../http/respond';
import { findWholeRecord, isLargeObject, quotesEtag, viewOf, type WholeRecord } from '../large-objects/large-object';
import { isManifest } from '../large-objects/stored-manifest';
import { findTarget, openTarget } from '../symlinks/follow';
import { isLink, setLinkHeaders, wantsLink } from '../symlinks/link';
import { authorizeVersion, tellVersion } from '../versions/version-request';
import { demandsExistence, evaluateConditions, findRangeHeader } from './conditions';
import { multipartBody } from './multipart-body';
import { objectPath } from './object-path';
import { contentRange, selectRanges } from './ranges';
import { setObjectHeaders } from './response-headers';
import { setValidity } from './validate-program';

const noBytes = Buffer.alloc(0);

export async function headObject(ctx: SwiftContext, deps: Deps): Promise<void> {
  const path = objectPath(ctx);
  await authorizeVersion(ctx, deps, path, 'read');
  let record = await deps.node.findObject(path);
  if (!record) throw objectMissing(ctx);
  tellVersion(ctx, path, record);
  let target = path;
  if (isLink(record)) {
    if (wantsLink(ctx)) setLinkHeaders(ctx.res, record);
    else ({ path: target, record } = await findTarget(ctx, deps, { path, record }, () => objectMissing(ctx)));
  }
  if (isManifest(record)) return headLarge(ctx, deps, target, record);
  if (answersCondition(ctx, record)) return;
  setObjectHeaders(ctx.res, record);
  setValidity(ctx, record);
  ctx.status = 200;
  // Without a body Koa would send the status text; the length of the object goes out with the head.
  ctx.body = noBytes;
  ctx.res.setHeader('Content-Length', record.sizeBytes);
}

export async function getObject(ctx: SwiftContext, deps: Deps): Promise<void> {
  const path = objectPath(ctx);
  await authorizeVersion(ctx, deps, path, 'read');
  let open = await deps.node.openObject(path);
  if (!open) throw objectMissing(ctx);
  tellVersion(ctx, path, open.record);
  let target = path;
  if (isLink(open.record)) {
    if (wantsLink(ctx)) {
      setLinkHeaders(ctx.res, open.record);
    } else {
      open.close();
      ({ path: target, open } = await openTarget(ctx, deps, { path, record: open.record }, () => objectMissing(ctx)));
    }
  }
  if (isManifest(open.record)) open = await viewOf(ctx, deps, target, open);
  let isStreaming = false;
  try {
    if (answersCondition(ctx, open.record)) return;
    setHeaders(ctx, open.record);
    setValidity(ctx, open.record);
    isStreaming = await answerWithBody(ctx, open);
  } finally {
    if (!isStreaming) open.close();
  }
}

/** HEAD of what a manifest stands for, or of what the query asks for instead. */
async function headLarge(ctx: SwiftContext, deps: Deps, path: ObjectPath, manifest: ObjectRecord): Promise<void> {
  if (!ctx.req.url!.includes('?')) {
    answerHead(ctx, await findWholeRecord(ctx, deps, path, manifest));
    return;
  }
  const stored = await deps.node.openObject(path);
  if (!stored) throw objectMissing(ctx);
  const open = isManifest(stored.record) ? await viewOf(ctx, deps, path, stored) : stored;
  try {
    // Only a part number makes one of a request without Range.
    const selection = isLargeObject(open) ? open.select(undefined) : undefined;
    answerHead(ctx, open.record, selection?.kind === 'parts' ? selection.parts[0] : undefined);
  } finally {
    open.close();
  }
}

function answerHead(ctx: SwiftContext, record: ObjectRecord | WholeRecord, part?: ByteRange): void {
  if (answersCondition(ctx, record)) return;
  setHeaders(ctx, record);
  ctx.status = part ? 206 : 200;
  ctx.body = noBytes;
  if (part) ctx.res.setHeader('Content-Range', contentRange(part, record.sizeBytes));
  if (part) ctx.res.setHeader('Content-Length', part.end - part.start + 1);
  else if (isEndless(record)) ctx.res.removeHeader('Content-Length');
  else ctx.res.setHeader('Content-Length', record.sizeBytes);
}

function isEndless(record: ObjectRecord | WholeRecord): boolean {
  return 'isEndless' in record && record.isEndless === true;
}

function setHeaders(ctx: SwiftContext, record: ObjectRecord): void {
  setObjectHeaders(ctx.res, record);
  if (quotesEtag(record)) ctx.res.setHeader('Etag', `"${record.etag}"`);
}

/** 404, or 412 for a client that insisted on some version of the object. */
export function objectMissing(ctx: SwiftContext): HttpError {
  return demandsExistence(ctx.req.headers)
    ? new HttpError(412, '', { headers: { 'content-type': htmlType } })
    : new HttpError(404);
}

/** Answers 304 or 412 if the request's conditions say so. */
export function answersCondition(ctx: SwiftContext, record: ObjectRecord): boolean {
  const status = evaluateConditions(ctx.req.headers, record);
  if (status === undefined) return false;
  setHeaders(ctx, record);
  ctx.status = status;
  if (status === 412) {
    ctx.res.setHeader('Content-Type', htmlType);
    ctx.res.removeHeader('Accept-Ranges');
    ctx.body = noBytes;
  }
  return true;
}

/** 416 with the length the object has, so that a client can ask again. */
export function answerUnsatisfiable(ctx: SwiftContext, record: ObjectRecord): void {
  setHeaders(ctx, record);
  ctx.res.setHeader('Content-Range', `bytes */${record.sizeBytes}`);
  ctx.status = 416;
  ctx.message = reasonOf(416);
  ctx.body = Buffer.from(new HttpError(416).body);
}

/** True if the body is a stream; the object is closed with the response then. */
async function answerWithBody(ctx: SwiftContext, open: OpenObject): Promise<boolean> {
  const { sizeBytes } = open.record;
  const header = findRangeHeader(ctx.req.headers, open.record);
  const selection = isLargeObject(open) ? open.select(header) : selectRanges(header, sizeBytes);
  if (selection.kind === 'unsatisfiable') {
    answerUnsatisfiable(ctx, open.record);
    return false;
  }
  if (selection.kind === 'whole') {
    const body = await open.read();
    const isStreaming = send(ctx, open, 200, body, sizeBytes);
    if (isEndless(open.record)) ctx.res.removeHeader('Content-Length');
    return isStreaming;
  }
  const [first] = selection.parts;
  if (selection.parts.length === 1) {
    ctx.res.setHeader('Content-Range', contentRange(first!, sizeBytes));
    return send(ctx, open, 206, await open.read(first), first!.end - first!.start + 1);
  }
  const body = await multipartBody(open, selection.parts);
  ctx.res.setHeader('Content-Type', body.contentType);
  return send(ctx, open, 206, body.stream, body.sizeBytes);
}

function send(
  ctx: SwiftContext,
  open: OpenObject,
  status: number,
  body: Buffer | Readable,
  sizeBytes: number,
): boolean {
  respondBytes(ctx, status, body, sizeBytes);
  if (Buffer.isBuffer(body)) return false;
  // Fires after the last byte as well as when the client hangs up; Koa ends the stream in both cases.
  if (ctx.res.destroyed) open.close();
  else ctx.res.once('close', () => open.close());
  return true;
}
