import type { ObjectPath, ObjectRecord, OpenObject } from '@zerocloud/object-server';
import type { Deps, SwiftContext } from '../context';
import { Query } from '../http/query';
import type { RangeSelection } from '../objects/ranges';
import { openDynamic } from './dynamic-object';
import { openManifest } from './manifest-object';
import { demandOf } from './segment-reader';
import { openStatic, staticRecord } from './static-object';
import { isStatic } from './stored-manifest';

/** A large object as its readers see it: one body, made of many. Reading refuses with a `SegmentError`. */
export interface LargeObject extends OpenObject {
  readonly record: WholeRecord;
  /** What a Range header asks for. */
  select(rangeHeader: string | undefined): RangeSelection;
}

/** Length and etag are those of the whole; what is told besides stands among the metadata. */
export interface WholeRecord extends ObjectRecord {
  /** Etags that are no md5 of the body stand in quotes. */
  quotesEtag: boolean;
  /** There are more segments than one listing shows: `sizeBytes` is that of the first ones, the whole has no length. */
  isEndless?: boolean;
}

export function isLargeObject(object: OpenObject): object is LargeObject {
  return 'select' in object;
}

export function quotesEtag(record: ObjectRecord | WholeRecord): boolean {
  return 'quotesEtag' in record && record.quotesEtag;
}

/**
 * What a reader of a manifest gets: the whole that it stands for, or with `?multipart-manifest=get` itself. Closes what it
 * does not need any more.
 */
export async function viewOf(
  ctx: SwiftContext,
  deps: Deps,
  { account }: ObjectPath,
  manifest: OpenObject,
): Promise<OpenObject> {
  const query = new Query(ctx.req.url!);
  const isStaticOne = isStatic(manifest.record);
  if (query.get('multipart-manifest') === 'get') {
    return isStaticOne ? openManifest(manifest, query.get('format') === 'raw') : manifest;
  }
  try {
    return await (isStaticOne
      ? openStatic(deps, demandOf(ctx, deps), account, manifest, query.get('part-number'))
      : openDynamic(deps, demandOf(ctx, deps), account, manifest.record));
  } finally {
    manifest.close();
  }
}

/** What a HEAD tells of the whole. The manifest of a static one need not be read for that. */
export async function findWholeRecord(
  ctx: SwiftContext,
  deps: Deps,
  { account }: ObjectPath,
  record: ObjectRecord,
): Promise<WholeRecord> {
  return isStatic(record)
    ? staticRecord(record)
    : (await openDynamic(deps, demandOf(ctx, deps), account, record)).record;
}
