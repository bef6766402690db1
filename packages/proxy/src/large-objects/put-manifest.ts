import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { withHeartbeat } from '../bulk/heartbeat';
import { type BulkFields, findReportType, renderReport, reportContentType, statusText } from '../bulk/report';
import type { Deps, SwiftContext } from '../context';
import { HttpError, htmlType, pageText } from '../errors';
import { pythonJson } from '../http/python-json';
import { isTrueValue, type Query } from '../http/query';
import type { SubAnswer, Subrequests } from '../http/subrequest';
import { readWholeBody } from '../http/whole-body';
import type { ListingType } from '../listing/format';
import { findSentEtag } from '../objects/conditions';
import { objectPath } from '../objects/object-path';
import { UploadBody } from '../objects/upload-body';
import { rawPathOf } from '../swift-path';
import { type CheckedManifest, checkSegments } from './check-segments';
import { wholeEtagName, wholeSizeName } from './stored-manifest';
import { readSubmitted, type Submitted } from './submitted-manifest';

/**
 * PUT of a static large object, `?multipart-manifest=put`: its segments are looked at, and what is known of them is
 * stored as an object, by a PUT behind this one, so that quotas, versions and rights apply. With `heartbeat=on` the
 * answer begins at once with 202, and its body says at the end what became of it.
 */
export async function putManifest(
  ctx: SwiftContext,
  deps: Deps,
  subrequests: Subrequests,
  query: Query,
): Promise<void> {
  const submitted = await readRequest(ctx, deps);
  const type = findReportType(ctx.req.headers.accept) ?? 'text/plain';
  const check = () => checkSegments(ctx, deps, ctx.state.path.account, submitted);
  if (isTrueValue(query.get('heartbeat'))) {
    ctx.status = 202;
    ctx.set('Content-Type', type);
    const work = check().then((manifest) => reportOf(ctx, subrequests, manifest, type));
    const everyMs = deps.config.largeObjects.yieldFrequencyS * 1000;
    const beats = withHeartbeat(guarded(ctx, deps, work, type), { everyMs, immediately: ' ', separator: '\r\n\r\n' });
    ctx.body = Readable.from(beats, { objectMode: false });
    return;
  }
  const manifest = await check();
  if (manifest.problems.length > 0) throw faultySegments(manifest, type);
  if (isOtherEtag(ctx, manifest)) throw new HttpError(422);
  answerAs(ctx, await store(ctx, subrequests, manifest), manifest);
}

/** A request of the server's own may have another limit: S3 counts the parts of an upload by itself. */
export const maxSegmentsName = 'x-backend-max-manifest-segments';

async function readRequest(ctx: SwiftContext, deps: Deps): Promise<Submitted[]> {
  const { headers } = ctx.req;
  const { maxManifestBytes, ...limits } = deps.config.largeObjects;
  const maxManifestSegments = Number(headers[maxSegmentsName] ?? limits.maxManifestSegments);
  if (headers['x-copy-from'] && Number(headers['content-length'] ?? 0) > 0) {
    throw new HttpError(400, 'Copy requests require a zero byte body');
  }
  if (headers['x-copy-from']) throw plain(405, 'Multipart Manifest PUTs cannot be COPY requests');
  if (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined) throw new HttpError(411);
  const tooLarge = () => plain(413, `Manifest File > ${maxManifestBytes} bytes`);
  if (Number(headers['content-length'] ?? 0) > maxManifestBytes) throw tooLarge();
  const body = new UploadBody(ctx.req, deps.config.timeouts);
  const manifest = await readWholeBody(body, { maxBytes: maxManifestBytes, tooLarge });
  const submitted = readSubmitted(manifest, objectPath(ctx));
  if (submitted.filter((segment) => 'path' in segment).length > maxManifestSegments) {
    throw plain(413, `Number of object-backed segments must be <= ${maxManifestSegments}`);
  }
  return submitted;
}

/** 400 with the list of what is wrong. */
export function faultySegments({ problems }: CheckedManifest, type: ListingType): HttpError {
  const body = renderReport(type, {}, problems, 'upload').toString();
  return new HttpError(400, body, { headers: { 'content-type': reportContentType(type) } });
}

/** The Etag that a client sends along is that of the whole, the md5 of all segments' etags. */
export function isOtherEtag(ctx: SwiftContext, { etag }: CheckedManifest): boolean {
  const sent = findSentEtag(ctx.req.headers);
  return sent !== undefined && sent !== etag;
}

/** Body and system metadata of the object that a manifest becomes. */
export function storedForm({ segments, etag, sizeBytes }: CheckedManifest) {
  const body = Buffer.from(pythonJson(segments));
  return { body, metadata: { [wholeEtagName]: etag, [wholeSizeName]: String(sizeBytes) } };
}

/** Headers of the request that are about the manifest as it was sent. */
const ownHeaders = ['content-length', 'transfer-encoding', 'expect', 'etag', 'connection', 'x-static-large-object'];

async function store(ctx: SwiftContext, subrequests: Subrequests, manifest: CheckedManifest): Promise<SubAnswer> {
  const { body, metadata } = storedForm(manifest);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(ctx.req.headers)) {
    if (!ownHeaders.includes(name)) headers[name] = String(value);
  }
  headers['content-length'] = String(body.length);
  headers.etag = createHash('md5').update(body).digest('hex');
  return subrequests.send(ctx, {
    method: 'PUT',
    url: rawPathOf(ctx.req.url!),
    headers: { ...headers, ...metadata },
    body: Readable.from([body], { objectMode: false }),
  });
}

function answerAs(ctx: SwiftContext, answer: SubAnswer, { etag }: CheckedManifest): void {
  ctx.status = answer.status;
  for (const name in answer.headers) ctx.set(name, answer.headers[name]!);
  if (isSuccess(answer)) ctx.set('Etag', `"${etag}"`);
  ctx.body = answer.body;
}

/** What happened, for a client that has its status already. */
async function reportOf(
  ctx: SwiftContext,
  subrequests: Subrequests,
  manifest: CheckedManifest,
  type: ListingType,
): Promise<Buffer> {
  const { problems, etag } = manifest;
  if (problems.length > 0) return renderReport(type, refusal(400), problems, 'upload');
  if (isOtherEtag(ctx, manifest)) return renderReport(type, refusal(422), [], 'upload');
  const answer = await store(ctx, subrequests, manifest);
  const fields: BulkFields = { 'Response Status': statusText(answer.status) };
  if (isSuccess(answer)) {
    fields.Etag = `"${etag}"`;
    fields['Last Modified'] = answer.headers['last-modified']!;
  }
  fields['Response Body'] = answer.body.toString();
  return renderReport(type, fields, [], 'upload');
}

/** A failure behind the 202 is told like any other outcome. */
async function guarded(ctx: SwiftContext, { log }: Deps, work: Promise<Buffer>, type: ListingType): Promise<Buffer> {
  try {
    return await work;
  } catch (err) {
    const status = err instanceof HttpError ? err.status : 500;
    if (status === 500 && !ctx.state.signal.aborted)
      log.error({ txn: ctx.state.transactionId, err }, 'a manifest could not be stored');
    return renderReport(type, refusal(status), [], 'upload');
  }
}

function refusal(status: number): BulkFields {
  return { 'Response Status': statusText(status), 'Response Body': pageText(status) };
}

function isSuccess({ status }: SubAnswer): boolean {
  return status >= 200 && status < 300;
}

function plain(status: number, sentence: string): HttpError {
  return new HttpError(status, sentence, { headers: { 'content-type': htmlType } });
}
