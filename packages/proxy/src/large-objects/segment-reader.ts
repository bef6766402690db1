import type { ObjectPath, ObjectRecord, OpenObject } from '@zerocloud/object-server';
import { authorizeTarget } from '../auth/authorize';
import type { Deps, SwiftContext } from '../context';
import { HttpError } from '../errors';
import { followLinks, lookFor } from '../symlinks/follow';
import { isLink } from '../symlinks/link';

/** The segments are not what the manifest says: 409 before the first byte, a broken answer behind it. */
export class SegmentError extends HttpError {
  constructor(sentence: string, cause?: unknown) {
    super(409, undefined, { cause: new Error(sentence, { cause }) });
    this.message = sentence;
  }
}

/** Opens segments with the rights of one request. */
export class SegmentReader {
  readonly #ctx: SwiftContext;
  readonly #deps: Deps;
  /** Containers whose objects the caller may read. */
  readonly #readable = new Set<string>();

  constructor(ctx: SwiftContext, deps: Deps) {
    this.#ctx = ctx;
    this.#deps = deps;
  }

  /** Opens the object, links followed. A `SegmentError` if it is not there or not for the caller. */
  async open(path: ObjectPath): Promise<OpenObject> {
    try {
      await this.#authorize(path);
      const open = await this.#deps.node.openObject(path);
      if (!open) throw new HttpError(404);
      if (!isLink(open.record)) return open;
      open.close();
      return await this.#openTarget(path, open.record);
    } catch (error) {
      if (!(error instanceof HttpError) || error.status >= 500) throw error;
      throw new SegmentError(`${error.status} for the segment /${path.container}/${path.object}`, error);
    }
  }

  /** What a HEAD by the caller would find. Refuses with 401, 403, 404, or 409 of a link. */
  async find(path: ObjectPath): Promise<ObjectRecord> {
    await this.#authorize(path);
    const record = await this.#deps.node.findObject(path);
    if (!record) throw new HttpError(404);
    return isLink(record) ? (await this.#follow(path, record)).record : record;
  }

  async #openTarget(path: ObjectPath, link: ObjectRecord): Promise<OpenObject> {
    const target = await this.#follow(path, link);
    const open = await this.#deps.node.openObject(target.path);
    if (open?.record.bodyId === target.record.bodyId) return open;
    open?.close();
    throw new HttpError(409);
  }

  async #follow(path: ObjectPath, link: ObjectRecord): Promise<{ path: ObjectPath; record: ObjectRecord }> {
    const maxLinks = this.#deps.config.limits.symloopMax;
    const { path: target, record } = await followLinks(
      lookFor(this.#ctx, this.#deps),
      { path, record: link },
      { maxLinks },
    );
    if (!record) throw new HttpError(404);
    return { path: target, record };
  }

  async #authorize(path: ObjectPath): Promise<void> {
    const { account, container } = path;
    const key = `${account}/${container}`;
    if (this.#readable.has(key)) return;
    await authorizeTarget(this.#ctx, this.#deps, path, 'read');
    // What a container allows for one object it allows for all; a grant may be about single objects.
    if (!this.#ctx.state.grant) this.#readable.add(key);
  }
}
