import type { ObjectPath, ObjectRecord, OpenObject } from '@zerocloud/object-server';
import { type AccessTarget, authorizeTarget } from '../auth/authorize';
import type { Deps, SwiftContext } from '../context';
import { HttpError } from '../errors';
import { followLinks } from '../symlinks/follow';
import { isLink } from '../symlinks/link';

/** The segments are not what the manifest says: 409 before the first byte, a broken answer behind it. */
export class SegmentError extends HttpError {
  constructor(sentence: string, cause?: unknown) {
    super(409, undefined, { cause: new Error(sentence, { cause }) });
    this.message = sentence;
    // Nothing is wrong with the server: the log needs no stack of it.
    this.stack = `SegmentError: ${sentence}`;
  }
}

/** Who reads: refuses with an `HttpError` what is not for him. Without `object` it is about a container's listing. */
export type Demand = (target: AccessTarget) => Promise<void>;

/** The rights of a request. What a container allows for one object it allows for all; a grant may be about single ones. */
export function demandOf(ctx: SwiftContext, deps: Deps): Demand {
  const readable = new Set<string>();
  return async (target) => {
    const { account, container, object } = target;
    const key = `${object === undefined} ${account}/${container}`;
    if (readable.has(key)) return;
    await authorizeTarget(ctx, deps, target, 'read');
    if (!ctx.state.grant) readable.add(key);
  };
}

/** Opens segments for one reader. */
export class SegmentReader {
  readonly #deps: Deps;
  readonly #demand: Demand;

  constructor(deps: Deps, demand: Demand) {
    this.#deps = deps;
    this.#demand = demand;
  }

  /** Opens the object, links followed. A `SegmentError` if it is not there or not for the caller. */
  async open(path: ObjectPath): Promise<OpenObject> {
    try {
      await this.#demand(path);
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
    await this.#demand(path);
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
    const look = async (target: ObjectPath) => {
      await this.#demand(target);
      return this.#deps.node.findObject(target);
    };
    const options = { maxLinks: this.#deps.config.limits.symloopMax };
    const { path: target, record } = await followLinks(look, { path, record: link }, options);
    if (!record) throw new HttpError(404);
    return { path: target, record };
  }
}
