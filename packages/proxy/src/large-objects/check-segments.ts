import { createHash } from 'node:crypto';
import { isStorageError, type ObjectRecord } from '@zerocloud/object-server';
import { statusText } from '../bulk/report';
import type { Deps, SwiftContext } from '../context';
import { HttpError } from '../errors';
import { quoteText } from '../http/percent';
import { selectRanges } from '../objects/ranges';
import { findWholeRecord } from './large-object';
import { demandOf, SegmentReader } from './segment-reader';
import { segmentPath } from './static-parts';
import { isManifest, isStatic, type ObjectSegment, type Segment, segmentBytes } from './stored-manifest';
import type { Submitted, SubmittedSegment } from './submitted-manifest';

export interface CheckedManifest {
  segments: Segment[];
  /** Of the whole. */
  sizeBytes: number;
  etag: string;
  /** Percent-encoded path and what is wrong with it; the rest counts only if there are none. */
  problems: [path: string, problem: string][];
}

/** Look-ups at a time. In process they come from memory; from another server they wait for the network. */
const width = 16;

/**
 * Looks at all objects that a manifest of `account` names, with the caller's rights, and completes what it says of
 * them. The checks are those of `handle_multipart_put` in swift/common/middleware/slo.py.
 */
export async function checkSegments(
  ctx: SwiftContext,
  deps: Deps,
  account: string,
  submitted: Submitted[],
): Promise<CheckedManifest> {
  const looks = await lookAtAll(ctx, deps, account, submitted);
  const problems: CheckedManifest['problems'] = [];
  const segments: Segment[] = [];
  const hash = createHash('md5');
  let sizeBytes = 0;
  for (const [index, item] of submitted.entries()) {
    let segment: Segment = item as Segment;
    if ('path' in item) {
      const look = looks.get(item.path)!;
      const found = typeof look === 'string' ? [look] : checkSegment(item, look, index === submitted.length - 1);
      if (Array.isArray(found)) {
        for (const problem of found) problems.push([quoteText(item.path), problem]);
        continue;
      }
      segment = found;
    }
    segments.push(segment);
    sizeBytes += segmentBytes(segment);
    hash.update(etagOf(segment));
  }
  if (!Number.isSafeInteger(sizeBytes)) throw new HttpError(413);
  return { segments, sizeBytes, etag: hash.digest('hex'), problems };
}

function etagOf(segment: Segment): string {
  if ('data' in segment) return createHash('md5').update(Buffer.from(segment.data, 'base64')).digest('hex');
  return segment.range === undefined ? segment.hash : `${segment.hash}:${segment.range};`;
}

/** Every object once: its record, or the status that a HEAD would get. */
async function lookAtAll(
  ctx: SwiftContext,
  deps: Deps,
  account: string,
  submitted: Submitted[],
): Promise<Map<string, ObjectRecord | string>> {
  const reader = new SegmentReader(deps, demandOf(ctx, deps));
  const looks = new Map<string, ObjectRecord | string>();
  for (const item of submitted) if ('path' in item) looks.set(item.path, '');
  const paths = looks.keys();
  const worker = async () => {
    for (const path of paths) looks.set(path, await lookAt(path));
  };
  const lookAt = async (text: string): Promise<ObjectRecord | string> => {
    ctx.state.signal.throwIfAborted();
    if (!isName(text)) return statusText(412);
    const path = segmentPath(account, text);
    try {
      const record = await reader.find(path);
      return isManifest(record) ? await findWholeRecord(ctx, deps, path, record) : record;
    } catch (error) {
      if (error instanceof HttpError) return statusText(error.status);
      if (isStorageError(error)) return statusText(error.code === 'containerNotFound' ? 404 : 503);
      throw error;
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
  return looks;
}

/** JSON can say what no name can be: NUL, and halves of characters. */
function isName(text: string): boolean {
  return !/[\0\p{Surrogate}]/u.test(text);
}

/** The segment as it is kept, or what is wrong with it. */
function checkSegment(item: SubmittedSegment, record: ObjectRecord, isLast: boolean): ObjectSegment | string[] {
  const problems: string[] = [];
  const segment: ObjectSegment = {
    name: `/${item.path.replace(/^\/+/, '')}`,
    bytes: record.sizeBytes,
    hash: record.etag,
    content_type: record.contentType.split(';', 1)[0]!,
    last_modified: new Date(Math.ceil(Number(record.timestamp)) * 1000).toISOString().replace('Z', '000'),
  };
  if (item.range !== undefined) {
    const selection = selectRanges(`bytes=${item.range}`, record.sizeBytes);
    if (selection.kind === 'unsatisfiable') problems.push('Unsatisfiable Range');
    const part = selection.kind === 'parts' ? selection.parts[0]! : undefined;
    if (part && (part.start > 0 || part.end < record.sizeBytes - 1)) segment.range = `${part.start}-${part.end}`;
  }
  if (segmentBytes(segment) < 1 && !isLast) problems.push('Too small; each segment must be at least 1 byte.');
  if (item.size_bytes !== undefined && item.size_bytes !== record.sizeBytes) problems.push('Size Mismatch');
  if (item.etag !== undefined && item.etag !== record.etag) problems.push('Etag Mismatch');
  if (isStatic(record)) segment.sub_slo = true;
  return problems.length > 0 ? problems : segment;
}
