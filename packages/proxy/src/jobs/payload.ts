import type { NodeSource } from '@zerocloud/object-server';
import type { Deps, SwiftContext } from '../context';
import { UploadBody } from '../objects/upload-body';
import { maxInlineBytes, requestBody, stage } from './request-body';

/**
 * The body of a request whose job comes from elsewhere: input for the first job of its chain that wants it. It is read
 * when that job takes it, once, and goes to as many nodes as ask for it.
 */
export class Payload {
  #loaded?: Promise<NodeSource>;
  #stagedId?: string;
  #isTaken = false;

  constructor(
    private readonly ctx: SwiftContext,
    private readonly deps: Deps,
  ) {}

  /** False once a job took it: the jobs after that find nothing. */
  get isLeft(): boolean {
    return !this.#isTaken;
  }

  take(): Promise<NodeSource> {
    this.#isTaken = true;
    return this.load();
  }

  /** Reads it to its end without taking it, so that the request can be answered before. */
  load(): Promise<NodeSource> {
    this.#loaded ??= this.#read();
    return this.#loaded;
  }

  async release(): Promise<void> {
    if (this.#stagedId !== undefined) await this.deps.node.releaseBody(this.#stagedId);
  }

  async #read(): Promise<NodeSource> {
    const { ctx, deps } = this;
    const unfinished = 'data source stdin dead';
    const isChunked = ctx.req.headers['content-length'] === undefined;
    const body = isChunked ? undefined : requestBody(ctx, deps, unfinished);
    if (body?.sizeBytes === 0) return { kind: 'bytes', data: Buffer.alloc(0) };
    if (body && body.sizeBytes <= maxInlineBytes) return { kind: 'bytes', data: await body.whole() };
    const chunks = body ? body.chunks() : new UploadBody(ctx.req, deps.config.timeouts);
    const { source, stagedId } = await stage(chunks, deps, { unfinished });
    this.#stagedId = stagedId;
    return source;
  }
}

/** The payload of a request that has a body. */
export function findPayload(ctx: SwiftContext, deps: Deps): Payload | undefined {
  const { headers } = ctx.req;
  const hasBody = headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
  return hasBody ? new Payload(ctx, deps) : undefined;
}
