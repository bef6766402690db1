import {
  type Metadata,
  type ObjectPath,
  type ObjectRecord,
  type RequiredObject,
  totalsOf,
} from '@zerocloud/object-server';
import type { Deps, SwiftContext } from '../context';
import { HttpError } from '../errors';
import { checkTotals, setMetadataHeaders } from '../http/metadata';
import { isTrueValue } from '../http/query';
import { httpDate } from '../http/timestamp';
import { checkDynamicManifest } from '../large-objects/dynamic-object';
import { dynamicName, isDynamic } from '../large-objects/stored-manifest';
import { getUploadRoom } from '../quotas/upload-quota';
import { findLinkSource, withoutLink } from '../symlinks/link';
import { linkWithBody, makeLink, readLink } from '../symlinks/make-link';
import { hasStar } from './conditions';
import { readContentType } from './content-type';
import { encodePath } from './copy-request';
import { readDeleteAt } from './expiry';
import { readMetadata, userMetadataPrefix } from './metadata-rules';
import { findRequiredObject } from './required-object';
import { answerCreated, authorizeUpload, checkName } from './write-object';

/** What a copy becomes besides its content. */
export interface TargetOptions {
  timestamp: string;
  contentType: string;
  metadata: Metadata;
  deleteAt?: number;
  requires?: RequiredObject;
}

/** Rights, container, limits and headers of the target. What the request names replaces what the source has. */
export async function prepareTarget(
  ctx: SwiftContext,
  deps: Deps,
  record: ObjectRecord,
  target: ObjectPath,
  sizeBytes = record.sizeBytes,
): Promise<TargetOptions> {
  const { headers } = ctx.req;
  checkDynamicManifest(headers['x-object-manifest'] as string | undefined);
  const ifNoneMatch = headers['if-none-match'];
  if (ifNoneMatch !== undefined && !hasStar(ifNoneMatch)) throw new HttpError(400, 'If-None-Match only supports *');
  const { container, account } = await authorizeUpload(ctx, deps, target);
  const { limits } = deps.config;
  if (sizeBytes > limits.maxFileSize) throw new HttpError(413);
  getUploadRoom(account, container, sizeBytes, limits.maxFileSize);
  checkName(target, deps);
  const isFresh = isTrueValue(headers['x-fresh-metadata']);
  let inherited = isFresh ? systemMetadata(record.metadata) : record.metadata;
  if (isDynamic(record)) inherited = { ...inherited, [dynamicName]: record.metadata[dynamicName]! };
  const sent = readMetadata(headers, limits);
  const asked = readLink(headers, target, findLinkSource(record));
  if (asked) {
    if (sizeBytes > 0) throw linkWithBody();
    inherited = { ...withoutLink(inherited), ...(await makeLink(ctx, deps, target, asked)).metadata };
  }
  const metadata = { ...inherited, ...sent };
  const deleteAt = readDeleteAt(headers, ctx.state.timestamp) ?? (isFresh ? undefined : record.deleteAt);
  const contentType = readContentType(headers, target.object, record.contentType);
  checkTotals(totalsOf(metadata), limits);
  const requires = findRequiredObject(headers);
  return { timestamp: ctx.state.timestamp, contentType, metadata, deleteAt, requires };
}

/** Metadata that belong to the content and not to the user go along even with X-Fresh-Metadata. */
function systemMetadata(metadata: Metadata): Metadata {
  return Object.fromEntries(Object.entries(metadata).filter(([name]) => name.startsWith('x-object-sysmeta-')));
}

/** 201, and where it came from. */
export function answerCopied(
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
  if (record.versionId !== undefined) res.setHeader('X-Copied-From-Version-Id', record.versionId);
  const own = Object.entries(metadata).filter(([name]) => name.startsWith(userMetadataPrefix));
  setMetadataHeaders(res, Object.fromEntries(own));
  if (deleteAt !== undefined) res.setHeader('X-Delete-At', String(deleteAt));
}
