import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { Grant, Identity, RequestState } from '../context';
import type { SwiftPath } from '../swift-path';

/** `ctx.state` of every request. Timestamp and signal are made on first use: most reads need neither. */
export class RequestScope implements RequestState {
  identity?: Identity;
  adminOf?: string;
  grant?: Grant;
  body?: Buffer | Readable;
  /** Called once, when the answer is over. */
  onEnd?: () => void;
  path!: SwiftPath;
  #timestamp?: string;
  #controller?: AbortController;
  #outer?: RequestScope;

  constructor(
    readonly transactionId: string,
    private readonly response: ServerResponse,
    private readonly nextTimestamp: () => string,
  ) {}

  get timestamp(): string {
    this.#timestamp ??= this.nextTimestamp();
    return this.#timestamp;
  }

  get signal(): AbortSignal {
    if (this.#outer) return this.#outer.signal;
    if (!this.#controller) {
      const controller = new AbortController();
      this.#controller = controller;
      const { response } = this;
      if (response.destroyed) controller.abort();
      else response.once('close', () => response.writableFinished || controller.abort());
    }
    return this.#controller.signal;
  }

  /** The scope of a request that this one makes: the same caller and end, another timestamp. */
  fork(grant: Grant | undefined): RequestScope {
    const fork = new RequestScope(this.transactionId, this.response, this.nextTimestamp);
    fork.identity = this.identity;
    fork.grant = grant;
    fork.#outer = this;
    return fork;
  }
}
