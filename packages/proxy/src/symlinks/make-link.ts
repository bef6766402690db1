import type { IncomingHttpHeaders } from 'node:http';
import type { Metadata, ObjectPath } from '@zerocloud/object-server';
import type { Deps, SwiftContext } from '../context';
import { HttpError, htmlType } from '../errors';
import { unquoteEtag } from '../objects/conditions';
import { accountName, encodePath } from '../objects/copy-request';
import { decodePercent } from '../swift-path';
import { followLinks, lookFor } from './follow';
import { type LinkSource, linkMetadata, locationOf } from './link';

/** What a PUT stores besides its own metadata to be a link. */
export interface NewLink {
  metadata: Metadata;
  /** Of an object whose request names no type. */
  contentType: string;
}

const linkType = 'application/symlink';
const form = 'X-Symlink-Target header must be of the form <container name>/<object name>';

/**
 * The link that a PUT asks for by X-Symlink-Target; `undefined` without it. A copy of a link makes one like `original`, but
 * for what the headers say.
 */
export function readLink(
  headers: IncomingHttpHeaders,
  path: ObjectPath,
  original?: LinkSource,
): LinkSource | undefined {
  const target = headers['x-symlink-target'];
  if (target === undefined && !original) return undefined;
  const account = headers['x-symlink-target-account'];
  const etag = headers['x-symlink-target-etag'];
  return {
    target: target === undefined ? original!.target : encodePath(readTarget(String(target))),
    account: account === undefined ? original?.account : encodePath(accountName(String(account)) || path.account),
    etag: (etag === undefined ? original?.etag : unquoteEtag(String(etag))) || undefined,
  };
}

/** 400 for a link that comes with a body. */
export function linkWithBody(): HttpError {
  return new HttpError(400, 'Symlink requests require a zero byte body');
}

/**
 * Checks a link that is to be stored at `path`. The target of a static one must be there, readable for the caller, and
 * have that etag: 409, 401, 403.
 */
export async function makeLink(ctx: SwiftContext, deps: Deps, path: ObjectPath, text: LinkSource): Promise<NewLink> {
  const { etag } = text;
  const [container, object] = splitOnce(decodePercent(text.target)!);
  const target = { account: decodePercent(text.account ?? '') || path.account, container, object };
  if (target.account === path.account && container === path.container && object === path.object) {
    throw new HttpError(400, 'Symlink cannot target itself');
  }
  if (etag === undefined) return { metadata: linkMetadata(text), contentType: linkType };
  if (/[;"\\]/.test(etag)) throw new HttpError(400, 'Bad X-Symlink-Target-Etag format');
  const look = lookFor(ctx, deps);
  const start = { path: target, record: await look(target) };
  const options = { maxLinks: deps.config.limits.symloopMax, etag, staticOnly: true };
  const { path: end, record } = await followLinks(look, start, options);
  if (!record) {
    throw new HttpError(409, 'X-Symlink-Target does not exist', { headers: { 'Content-Location': locationOf(end) } });
  }
  const bytes = Number(record.metadata['x-object-sysmeta-slo-size'] ?? record.sizeBytes);
  const sloEtag = record.metadata['x-object-sysmeta-slo-etag'];
  return { metadata: linkMetadata({ ...text, bytes, sloEtag }), contentType: record.contentType };
}

/** Refuses a POST that would make a link. */
export function refuseLink(headers: IncomingHttpHeaders): void {
  if (headers['x-symlink-target'] !== undefined) {
    throw new HttpError(400, 'A PUT request is required to set a symlink target');
  }
}

function readTarget(value: string): string {
  const text = decodePercent(value);
  if (text === undefined || text.includes('\0')) throw new HttpError(412, 'Invalid UTF8 or contains NULL');
  const [container, object] = splitOnce(text);
  if (text.startsWith('/')) throw new HttpError(412, form);
  if (container === '' || object === '') throw new HttpError(412, form, { headers: { 'content-type': htmlType } });
  return text;
}

function splitOnce(text: string): [string, string] {
  const slash = text.indexOf('/');
  return slash < 0 ? [text, ''] : [text.slice(0, slash), text.slice(slash + 1)];
}
