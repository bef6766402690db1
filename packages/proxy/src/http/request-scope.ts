import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { Stop, type StopSignal } from '@zerocloud/sandbox/stop-signal';
import type { Grant, Identity, RequestState } from '../context';
import type { SwiftPath } from '../swift-path';

/** `ctx.state` of every request. Timestamp and signals are made on first use: most reads need none. */
export class RequestScope implements RequestState {
  identity?: Identity;
  adminOf?: string;
  grant?: Grant;
  body?: Buffer | Readable;
  leavesAtOnce?: boolean;
  /** Called once, when the answer is over. */
  onEnd?: () => void;
  path!: SwiftPath;
  #timestamp?: string;
  #stop?: Stop;
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

  get stop(): StopSignal {
    if (this.#outer) return this.#outer.stop;
    if (!this.#stop) {
      const stop = new Stop();
      this.#stop = stop;
      const { response } = this;
      if (response.destroyed) stop.abort();
      else response.once('close', () => response.writableFinished || stop.abort());
    }
    return this.#stop;
  }

  get signal(): AbortSignal {
    if (this.#outer) return this.#outer.signal;
    if (!this.#controller) {
      const controller = new AbortController();
      this.#controller = controller;
      const { stop } = this;
      if (stop.aborted) controller.abort(stop.reason);
      else stop.addEventListener('abort', () => controller.abort(stop.reason));
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
