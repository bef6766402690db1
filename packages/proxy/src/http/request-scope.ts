import type { ServerResponse } from 'node:http';
import type { Identity, RequestState } from '../context';
import type { SwiftPath } from '../swift-path';

/** `ctx.state` of every request. Timestamp and signal are made on first use: most reads need neither. */
export class RequestScope implements RequestState {
  identity?: Identity;
  adminOf?: string;
  path!: SwiftPath;
  #timestamp?: string;
  #controller?: AbortController;

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
    if (!this.#controller) {
      const controller = new AbortController();
      this.#controller = controller;
      const { response } = this;
      if (response.destroyed) controller.abort();
      else response.once('close', () => response.writableFinished || controller.abort());
    }
    return this.#controller.signal;
  }
}
