import type { ObjectPath, ObjectRecord, OpenObject } from '@zerocloud/object-server';
import { authorizeTarget } from '../auth/authorize';
import type { Deps, SwiftContext } from '../context';
import { HttpError } from '../errors';
import { setVersionId } from '../versions/version-request';
import { findLink, isLink, locationOf } from './link';

/** A target that is replaced again and again while it is being opened: after so many the client may try later. */
const maxAttempts = 5;

/** Where a chain of links ends. */
export interface LinkEnd {
  path: ObjectPath;
  /** Absent if there is no such object. */
  record?: ObjectRecord;
}

export interface FollowOptions {
  /** Links in a row. */
  maxLinks: number;
  /** The etag that the object at the start must have, or the link there stand for. */
  etag?: string;
  /** Stop at a link without etag, as if it were an ordinary object. */
  staticOnly?: boolean;
}

/** Looks at an object on behalf of the caller: refuses with an `HttpError` what he may not read. */
export type Look = (path: ObjectPath) => Promise<ObjectRecord | undefined>;

/**
 * Follows the object at `start`, if it is a link, to what it stands for: every hop is looked at with the caller's
 * rights. 409 for a static link whose target has changed, and for more links in a row than allowed. Errors name, as in
 * Swift, the place they happened at in Content-Location.
 */
export async function followLinks(look: Look, start: LinkEnd, options: FollowOptions): Promise<LinkEnd> {
  let { path, record } = start;
  let expected = options.etag;
  for (let links = 0; ; links++) {
    const link = record && findLink(path, record);
    if (!record || !link || (options.staticOnly && link.etag === undefined)) {
      if (record && expected !== undefined && expected !== record.etag) {
        throw conflict(
          `Object Etag '${record.etag}' does not match X-Symlink-Target-Etag header '${expected}'`,
          locationOf(path),
        );
      }
      return { path, record };
    }
    if (expected !== undefined && expected !== (link.etag ?? record.etag)) {
      throw conflict('X-Symlink-Target-Etag headers do not match', locationOf(path));
    }
    if (links >= options.maxLinks) {
      throw conflict(`Too many levels of symbolic links, maximum allowed is ${options.maxLinks}`);
    }
    expected = link.etag;
    path = link.target;
    record = await at(path, () => look(path));
  }
}

/** Looks with the rights of the request. */
export function lookFor(ctx: SwiftContext, deps: Deps): Look {
  return async (path) => {
    await authorizeTarget(ctx, deps, path, 'read');
    return deps.node.findObject(path);
  };
}

/** What the request's link at `path` stands for; Content-Location is set. `missing` makes the error if there is nothing. */
export async function findTarget(
  ctx: SwiftContext,
  deps: Deps,
  start: Required<LinkEnd>,
  missing: () => HttpError,
): Promise<Required<LinkEnd>> {
  const { path, record } = await followLinks(lookFor(ctx, deps), start, { maxLinks: deps.config.limits.symloopMax });
  const location = locationOf(path);
  if (!record) {
    const error = missing();
    error.headers['Content-Location'] = location;
    throw error;
  }
  ctx.res.setHeader('Content-Location', location);
  if (start.path.versionId === undefined) setVersionId(ctx.res, record.versionId);
  return { path, record };
}

/** The same, opened. */
export async function openTarget(
  ctx: SwiftContext,
  deps: Deps,
  start: Required<LinkEnd>,
  missing: () => HttpError,
): Promise<{ path: ObjectPath; open: OpenObject }> {
  for (let attempt = 1; ; attempt++) {
    const { path, record } = await findTarget(ctx, deps, start, missing);
    const open = await deps.node.openObject(path);
    // What is opened must be what was looked at: another body may not be what a static link promises, or a link.
    if (open?.record.bodyId === record.bodyId && !isLink(open.record)) return { path, open };
    open?.close();
    if (attempt === maxAttempts) throw new HttpError(503);
  }
}

async function at<T>(path: ObjectPath, look: () => Promise<T>): Promise<T> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof HttpError) error.headers['Content-Location'] = locationOf(path);
    throw error;
  }
}

function conflict(sentence: string, location?: string): HttpError {
  return new HttpError(409, sentence, location === undefined ? {} : { headers: { 'Content-Location': location } });
}
