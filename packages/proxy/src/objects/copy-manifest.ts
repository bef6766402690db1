import type { ObjectPath, ObjectRecord } from '@zerocloud/object-server';
import { findReportType } from '../bulk/report';
import type { Deps, SwiftContext } from '../context';
import { HttpError } from '../errors';
import { checkSegments } from '../large-objects/check-segments';
import { faultySegments, isOtherEtag, storedForm } from '../large-objects/put-manifest';
import { contentMetadata, readSegments, type Segment } from '../large-objects/stored-manifest';
import type { Submitted } from '../large-objects/submitted-manifest';
import { answerCopied, prepareTarget } from './copy-target';
import { answersCondition, objectMissing } from './read-object';

export interface ManifestSource {
  /** As the request names it, and where it was found. */
  source: ObjectPath;
  path: ObjectPath;
  record: ObjectRecord;
}

/**
 * A static large object of the same segments, as a PUT of its manifest makes it: they are looked at again, in the account
 * of the target.
 */
export async function copyManifest(
  ctx: SwiftContext,
  deps: Deps,
  { source, path, record }: ManifestSource,
  target: ObjectPath,
): Promise<void> {
  if (answersCondition(ctx, record)) return;
  const submitted = (await readManifest(ctx, deps, path, record)).map(asSubmitted);
  const manifest = await checkSegments(ctx, deps, target.account, submitted);
  if (manifest.problems.length > 0)
    throw faultySegments(manifest, findReportType(ctx.req.headers.accept) ?? 'text/plain');
  if (isOtherEtag(ctx, manifest)) throw new HttpError(422);
  const { body, metadata } = storedForm(manifest);
  const plain = { ...record, metadata: contentMetadata(record.metadata) };
  const options = await prepareTarget(ctx, deps, plain, target, body.length);
  const copied = await deps.node.putObject(target, once(body), {
    ...options,
    metadata: { ...options.metadata, ...metadata },
    contentLength: body.length,
    maxBytes: body.length,
    ifAbsent: ctx.req.headers['if-none-match'] !== undefined,
  });
  answerCopied(ctx, source, record, options, copied);
  ctx.res.setHeader('Etag', `"${manifest.etag}"`);
}

async function readManifest(ctx: SwiftContext, deps: Deps, path: ObjectPath, seen: ObjectRecord): Promise<Segment[]> {
  const open = await deps.node.openObject(path);
  if (!open) throw objectMissing(ctx);
  try {
    if (open.record.bodyId !== seen.bodyId) throw new HttpError(503);
    return await readSegments(open);
  } finally {
    open.close();
  }
}

function asSubmitted(segment: Segment): Submitted {
  if ('data' in segment) return segment;
  const { name, bytes, hash, range } = segment;
  return { path: name, size_bytes: bytes, etag: hash, range };
}

async function* once(body: Buffer): AsyncGenerator<Buffer> {
  yield body;
}
