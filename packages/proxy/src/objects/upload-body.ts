import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { isStorageError, StorageError } from '@zerocloud/object-server';
import type { Timeouts } from '../config';

/**
 * The body of an upload, read chunk by chunk as the store asks for it. Ends with a `StorageError`: `bodyTimeout` when
 * no byte comes for `clientTimeoutS` or all of it takes longer than `maxUploadTimeS`, `bodyAborted` when the client
 * hangs up or what it sends is no HTTP body. Nothing is read before the first chunk is asked for: a client that sent
 * `Expect: 100-continue` is told to go on only then, and every check made before costs it no body.
 *
 * Reads by `readable` and `read()` instead of the stream's own iterator, which costs a small upload more than all of
 * its other work: a body that came with its head is handed over without waiting.
 */
export class UploadBody implements AsyncIterableIterator<Uint8Array> {
  #started = false;
  #failure?: StorageError;
  #waiting?: { resolve(result: IteratorResult<Uint8Array>): void; reject(error: Error): void };
  #idleTimer?: NodeJS.Timeout;
  #deadline?: NodeJS.Timeout;

  constructor(
    private readonly request: IncomingMessage,
    private readonly timeouts: Timeouts,
  ) {}

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    if (!this.#started) this.#start();
    if (this.#failure) return Promise.reject(this.#failure);
    const chunk = this.request.read() as Buffer | null;
    if (chunk !== null) return Promise.resolve({ done: false, value: chunk });
    if (this.request.readableEnded) {
      this.#stop();
      return Promise.resolve({ done: true, value: undefined });
    }
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      if (this.#idleTimer) this.#idleTimer.refresh();
      else this.#idleTimer = setTimeout(this.#onIdle, this.timeouts.clientTimeoutS * 1000);
    });
  }

  /** The reader lost interest (the upload is refused); what still comes is thrown away. */
  return(): Promise<IteratorResult<Uint8Array>> {
    this.#stop();
    this.request.resume();
    return Promise.resolve({ done: true, value: undefined });
  }

  #start(): void {
    this.#started = true;
    const { request } = this;
    uploads.set(request.socket, this);
    request.on('readable', this.#onReadable);
    request.on('end', this.#onReadable);
    request.on('error', this.#onAborted);
    request.on('close', this.#onClose);
    const cause = broken.get(request.socket);
    if (cause) this.breakOff(cause);
    if (request.destroyed && !request.readableEnded) this.#onAborted();
    // A body that is there already needs no timer, nor one that has failed; another may trickle in for long.
    if (!request.complete && !this.#failure)
      this.#deadline = setTimeout(this.#onDeadline, this.timeouts.maxUploadTimeS * 1000);
  }

  #stop(): void {
    const { request } = this;
    clearTimeout(this.#idleTimer);
    clearTimeout(this.#deadline);
    if (uploads.get(request.socket) === this) uploads.delete(request.socket);
    request.off('readable', this.#onReadable);
    request.off('end', this.#onReadable);
    request.off('close', this.#onClose);
  }

  /** What comes now is no HTTP. A body that is whole is none the worse for what stands behind it. */
  breakOff(cause: Error): void {
    if (this.request.complete) return;
    this.fail(new StorageError('bodyAborted', 'The upload is not a complete HTTP body.', { cause }));
  }

  fail(error: StorageError): void {
    this.#failure ??= error;
    this.#stop();
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.reject(this.#failure);
  }

  #onReadable = (): void => {
    const waiting = this.#waiting;
    if (!waiting) return;
    const chunk = this.request.read() as Buffer | null;
    if (chunk === null && !this.request.readableEnded) return;
    this.#waiting = undefined;
    if (chunk !== null) {
      waiting.resolve({ done: false, value: chunk });
    } else {
      this.#stop();
      waiting.resolve({ done: true, value: undefined });
    }
  };

  #onAborted = (cause?: Error): void => {
    // The body of a subrequest may be somebody else's upload, whose own words say best what became of it.
    if (isStorageError(cause)) this.fail(cause);
    else this.fail(new StorageError('bodyAborted', 'The client ended the upload early.', { cause }));
  };
  #onIdle = (): void => {
    // The timer runs on while the store is busy writing; only a reader that waits has a client that stalls.
    if (this.#waiting) this.fail(new StorageError('bodyTimeout', 'The upload stalled.'));
  };
  #onDeadline = (): void => this.fail(new StorageError('bodyTimeout', 'The upload took too long.'));
  #onClose = (): void => {
    if (!this.request.readableEnded) this.#onAborted();
  };
}

const uploads = new WeakMap<Socket, UploadBody>();
const broken = new WeakMap<Socket, Error>();
/** How long a request may take to notice that no more of its body will come. */
const answerMs = 1000;

/**
 * For the server's `clientError` handler: the bytes of a connection stopped being HTTP (a bad chunk, an early end). If
 * a request is waiting for its answer there, its upload is ended, now or when it begins to read, so that it can still
 * answer (499); the connection closes with that answer. True if so: it must be left alone until then.
 */
export function abortUpload(socket: Socket, cause: Error): boolean {
  if (broken.has(socket)) return true;
  const { _httpMessage: running } = socket as Socket & { _httpMessage?: ServerResponse };
  if (!running || running.headersSent || !socket.writable) return false;
  broken.set(socket, cause);
  running.shouldKeepAlive = false;
  const cutOff = setTimeout(() => socket.destroy(cause), answerMs);
  running.once('close', () => clearTimeout(cutOff));
  uploads.get(socket)?.breakOff(cause);
  return true;
}
