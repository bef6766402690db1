import type { ServerResponse } from 'node:http';
import { linkTargetName, type Metadata, type ObjectPath, type ObjectRecord } from '@zerocloud/object-server';
import type { SwiftContext } from '../context';
import { Query } from '../http/query';
import { encodePath } from '../objects/copy-request';
import { decodePercent } from '../swift-path';

/**
 * A symlink is an empty object whose system metadata say what it stands for, as in Swift
 * (swift/common/middleware/symlink.py): `<container>/<object>` percent-encoded, the account if it was named, and of a
 * static link the md5 and the size that its target has.
 */
export interface Link {
  target: ObjectPath;
  /** Of a static link: the only etag that the target may have. */
  etag?: string;
}

const names = {
  target: linkTargetName,
  account: `${linkTargetName}-account`,
  etag: `${linkTargetName}-etag`,
  bytes: `${linkTargetName}-bytes`,
  /** The etag of the large object behind a static link, for listings. */
  sloEtag: `${linkTargetName}-slo-etag`,
} as const;

/** What `?symlink=get` asks for: the link itself. */
export function wantsLink({ req }: SwiftContext): boolean {
  const url = req.url!;
  return url.includes('symlink=get') && new Query(url).get('symlink') === 'get';
}

export function isLink({ metadata }: Pick<ObjectRecord, 'metadata'>): boolean {
  return metadata[linkTargetName] !== undefined;
}

/** What the object at `path` stands for; `undefined` for an ordinary object. */
export function findLink({ account }: ObjectPath, { metadata }: Pick<ObjectRecord, 'metadata'>): Link | undefined {
  const text = metadata[names.target];
  if (text === undefined) return undefined;
  const target = decodePercent(text)!;
  const slash = target.indexOf('/');
  return {
    target: {
      account: decodePercent(metadata[names.account] ?? '') || account,
      container: target.slice(0, slash),
      object: target.slice(slash + 1),
    },
    etag: metadata[names.etag],
  };
}

/** What a link is made with. */
export interface LinkSource {
  /** `<container>/<object>`, percent-encoded. */
  target: string;
  /** Percent-encoded; absent: the account of the link, wherever it is copied. */
  account?: string;
  etag?: string;
}

/** What a link says of its target, as it is kept. */
export interface LinkText extends LinkSource {
  bytes?: number;
  sloEtag?: string;
}

export function linkMetadata({ target, account, etag, bytes, sloEtag }: LinkText): Metadata {
  const metadata: Metadata = { [names.target]: target };
  if (account !== undefined) metadata[names.account] = account;
  if (etag !== undefined) metadata[names.etag] = etag;
  if (bytes !== undefined) metadata[names.bytes] = String(bytes);
  if (sloEtag !== undefined) metadata[names.sloEtag] = sloEtag;
  return metadata;
}

/** What a link was made with, to make another one; `undefined` of an ordinary object. */
export function findLinkSource({ metadata }: Pick<ObjectRecord, 'metadata'>): LinkSource | undefined {
  if (metadata[names.target] === undefined) return undefined;
  return { target: metadata[names.target]!, account: metadata[names.account], etag: metadata[names.etag] };
}

/** Metadata without what makes a link, for the link that a copy makes. */
export function withoutLink(metadata: Metadata): Metadata {
  return Object.fromEntries(Object.entries(metadata).filter(([name]) => !name.startsWith(linkTargetName)));
}

/** X-Symlink-Target and the like, in the answer that shows a link itself. */
export function setLinkHeaders(res: ServerResponse, { metadata }: Pick<ObjectRecord, 'metadata'>): void {
  set(res, 'X-Symlink-Target', metadata[names.target]);
  set(res, 'X-Symlink-Target-Account', metadata[names.account]);
  set(res, 'X-Symlink-Target-Etag', metadata[names.etag]);
  set(res, 'X-Symlink-Target-Bytes', metadata[names.bytes]);
}

function set(res: ServerResponse, name: string, value: string | undefined): void {
  if (value !== undefined) res.setHeader(name, value);
}

/** Where a path is, as Content-Location and Location name it. */
export function locationOf({ account, container, object }: ObjectPath): string {
  return `/v1/${encodePath(account)}/${encodePath(`${container}/${object}`)}`;
}

/** What a JSON listing of the account's container says of a link; nothing of an ordinary object. */
export function linkColumns(
  account: string,
  { metadata }: Pick<ObjectRecord, 'metadata'>,
): { symlink_path: string; symlink_etag?: string; symlink_bytes?: number; slo_etag?: string } | undefined {
  const target = metadata[names.target];
  if (target === undefined) return undefined;
  const path = `/v1/${metadata[names.account] ?? encodePath(account)}/${target}`;
  const etag = metadata[names.etag];
  if (etag === undefined) return { symlink_path: path };
  const columns = { symlink_etag: etag, symlink_bytes: Number(metadata[names.bytes]), symlink_path: path };
  const sloEtag = metadata[names.sloEtag];
  return sloEtag === undefined ? columns : { ...columns, slo_etag: `"${sloEtag}"` };
}
