import type { ObjectPath } from '@zerocloud/object-server';
import type { Deps, SwiftContext } from '../context';
import { HttpError } from '../errors';
import { decodePercent } from '../swift-path';
import { notSupported } from './errors';
import { JobObjects } from './job-object';
import { KnownDescriptions } from './known-descriptions';
import { openByType } from './open-object';
import { type ParsedJob, parseJob } from './parse';
import { findPayload, type Payload } from './payload';
import { findEndpoint, Rights } from './rights';
import { findJobUrl } from './urls';

/** One job to run for a client: the one of its request, or one chained to it. */
export interface JobRequest {
  ctx: SwiftContext;
  parsed: ParsedJob;
  rights: Rights;
  /** The request's body, when the job is none of it. */
  payload?: Payload;
  /** X-Zerovm-Execute, as programs see it. */
  execute: string;
  /** URL of the object that the job comes from. */
  source?: string;
  /** Another job's answer asked for it. */
  isChained?: boolean;
  /** Called when everything that can be refused was found right, and all data are here: the job is about to run. */
  onAccepted?(): void;
}

/** True for requests that run the object, or the container's application, in their URL. */
export function isRestJob(execute: string): boolean {
  return execute === 'open/1.0' || execute === 'api/1.0';
}

const methods = new Set(['GET', 'HEAD', 'PUT', 'POST', 'DELETE']);

/**
 * Finds out what a request wants to run, with the sentences and in the order of ZeroCloud: the object that holds the job
 * is read with the caller's rights, then the account must let the caller run jobs, then the body is read.
 */
export class Admission {
  readonly #deps: Deps;
  readonly #objects: JobObjects;
  readonly #descriptions = new KnownDescriptions();

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#objects = new JobObjects(deps);
  }

  admit(ctx: SwiftContext): Promise<JobRequest> {
    const { path } = ctx.state;
    const execute = (ctx.req.headers['x-zerovm-execute'] as string | undefined) ?? `${path.version}/1.0`;
    const isOpen = execute === 'open/1.0';
    const isApi = execute === 'api/1.0';
    if ((isOpen && !(path.container && path.object)) || (isApi && !path.container)) throw new HttpError(412, 'Bad URL');
    if (!methods.has(ctx.method)) throw new HttpError(412, 'Bad HTTP method');
    if (isOpen) return this.#open(ctx, execute, path as ObjectPath);
    if (isApi) return this.#api(ctx, execute, path.container!);
    if (ctx.method !== 'POST') throw new HttpError(501);
    const source = ctx.req.headers['x-zerovm-source'] as string | undefined;
    return source === undefined ? this.#posted(ctx, execute) : this.#sourced(ctx, execute, source);
  }

  async #posted(ctx: SwiftContext, execute: string): Promise<JobRequest> {
    const rights = new Rights(ctx, this.#deps);
    await rights.demandExecution(ctx.state.path.account, undefined);
    return { ctx, rights, execute, parsed: await parseJob(ctx, this.#deps, this.#descriptions) };
  }

  async #sourced(ctx: SwiftContext, execute: string, header: string): Promise<JobRequest> {
    const { account, container, object } = ctx.state.path;
    const source = decodePercent(header);
    const path = source === undefined ? undefined : findObjectUrl(source, account);
    if (!path) throw new HttpError(412, 'X-Zerovm-Source format is swift://account/container/object');
    const rights = new Rights(ctx, this.#deps);
    await rights.admitApplication(source!, path);
    await rights.demandExecution(account, path);
    const stdinUrl = object === undefined ? undefined : `swift://${account}/${container}/${object}`;
    const parsed = await this.#objects.getJob(path, { account, stdinUrl });
    if (parsed.ownObject !== undefined) await rights.demandOwn(ctx.state.path as ObjectPath, 'read');
    return { ctx, rights, execute, source, parsed, payload: findPayload(ctx, this.#deps) };
  }

  async #open(ctx: SwiftContext, execute: string, path: ObjectPath): Promise<JobRequest> {
    const { account, container, object } = path;
    const source = `swift://${account}/${container}/${object}`;
    const rights = new Rights(ctx, this.#deps);
    await rights.admitApplication(source, { account, container, object });
    await rights.demandExecution(account, path);
    const { record, job } = await this.#objects.findApplication({ account, container, object }, { json: false });
    const request = { ctx, rights, execute, source };
    if (job) return { ...request, parsed: job, payload: findPayload(ctx, this.#deps) };
    if (ctx.method !== 'GET') throw new HttpError(501);
    return {
      ...request,
      parsed: await openByType(ctx, this.#deps, this.#objects, { account, container, object }, record.contentType),
    };
  }

  async #api(ctx: SwiftContext, execute: string, container: string): Promise<JobRequest> {
    const { account } = ctx.state.path;
    const source = findEndpoint(await this.#deps.node.findContainer({ account, container }));
    if (source === undefined) throw new HttpError(404, `No API endpoint configured for container ${container}`);
    // `~` would be the account of whoever asks; in an endpoint it is nobody's.
    const path = findObjectUrl(source, '~');
    if (!path)
      throw new HttpError(412, `API endpoint of container ${container} is no swift://account/container/object`);
    const rights = new Rights(ctx, this.#deps);
    await rights.admitApplication(source, path);
    await rights.demandExecution(account, { account, container });
    const { job } = await this.#objects.findApplication(path, { json: true });
    if (!job) throw notSupported(`API endpoint of container ${container} is no application`);
    return { ctx, rights, execute, source, parsed: job, payload: findPayload(ctx, this.#deps) };
  }
}

function findObjectUrl(text: string, account: string): ObjectPath | undefined {
  if (text.includes('\0')) return undefined;
  try {
    const url = findJobUrl(text, account);
    return url?.kind === 'object' ? url.path : undefined;
  } catch {
    return undefined;
  }
}
