import type { ClientRequest, IncomingMessage } from 'node:http';
import { StorageError } from '../errors';

/** How often within the limit the other side is looked at. */
export const looksPerLimit = 4;

/**
 * Ends a request when the other side, whose turn it is, gives no sign of life for so long: its process is frozen, or its host
 * is gone and no packet says so. A sign is the answer, a `102 Processing` (while a program runs), or a byte of an answer that
 * has begun. Whoever reads that answer may take his time: as long as bytes are at hand, it is his turn.
 */
export class Watch {
  readonly #request: ClientRequest;
  readonly #lookMs: number;
  #timer?: NodeJS.Timeout;
  #response?: IncomingMessage;
  #quietLooks = 0;
  #bytesRead = 0;

  constructor(request: ClientRequest, limitMs: number) {
    this.#request = request;
    this.#lookMs = limitMs / looksPerLimit;
    request.on('information', () => {
      this.#quietLooks = 0;
    });
    request.once('response', (response) => {
      this.#response = response;
      this.#quietLooks = 0;
      this.start();
    });
    request.once('close', () => clearTimeout(this.#timer));
  }

  /** From now on it is the other side's turn. */
  start(): void {
    if (this.#request.closed) return;
    this.#quietLooks = 0;
    if (this.#timer) this.#timer.refresh();
    else this.#timer = setTimeout(this.#look, this.#lookMs);
  }

  /** It is ours, unless the answer has begun. */
  pause(): void {
    if (this.#response) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #look = (): void => {
    this.#quietLooks = this.#isQuiet() ? this.#quietLooks + 1 : 0;
    if (this.#quietLooks < looksPerLimit) {
      this.#timer?.refresh();
      return;
    }
    const error = new Error('no sign of life in time');
    if (this.#response) this.#response.destroy(brokenOff(error));
    else this.#request.destroy(error);
  };

  #isQuiet(): boolean {
    const response = this.#response;
    if (!response) return true;
    const bytesRead = this.#request.socket?.bytesRead ?? 0;
    const isMoving = bytesRead !== this.#bytesRead;
    this.#bytesRead = bytesRead;
    return !isMoving && !response.complete && response.readableLength === 0;
  }
}

/** The failure of an answer that ends in its middle. */
function brokenOff(cause: Error): StorageError {
  return new StorageError('unavailable', 'The storage node broke off its answer.', { cause });
}

/**
 * Makes the answer end with a `StorageError` where its connection does before it is whole. As Node has it the failure looks
 * like that of a client that hung up, which is nobody's fault and of no interest to anyone.
 */
export function nameFailure(response: IncomingMessage): void {
  const { destroy } = response;
  response.destroy = (error) => {
    const isLost = (error as NodeJS.ErrnoException | undefined)?.code === 'ECONNRESET';
    return destroy.call(response, isLost ? brokenOff(error!) : error);
  };
  // Node keeps the error only for those who listen, and who reads later must find it as well.
  response.on('error', ignore);
}

function ignore(): void {}
