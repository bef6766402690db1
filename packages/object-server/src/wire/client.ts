import http from 'node:http';
import type { StopSignal } from '@zerocloud/sandbox';
import { isStorageError, StorageError } from '../errors';
import type { Secret } from '../settings';
import { decodeError } from './errors';
import { heartbeatHeader, maxHeaderBytes, maxRequestBytes } from './protocol';
import { looksPerLimit, nameFailure, Watch } from './watch';

export interface NodeClientOptions {
  /** Base URL, `http://host:port`. */
  url: string;
  key?: Secret;
  /** Milliseconds without a sign of life after which a request ends whose other side owes something, see `Watch`. */
  timeoutMs: number;
}

export interface RequestOptions {
  headers?: Record<string, string>;
  body?: string;
  /** May be sent again when a kept-alive connection turns out to be dead. */
  idempotent?: boolean;
  signal?: StopSignal;
  /** The answer may take any time (a program runs meanwhile), if the other side says now and then that it is alive. */
  patient?: boolean;
}

const connectTimeoutMs = 2_000;

/**
 * HTTP to one object server over kept-alive connections. Resolves with answers of 2xx only; refusals reject as the
 * `StorageError` the other side meant, a server that is not there as `unavailable`.
 */
export class NodeClient {
  readonly #agent = new http.Agent({ keepAlive: true, maxFreeSockets: 256, scheduling: 'lifo' });
  readonly #target: { host: string; port: string };
  readonly #headers: Record<string, string>;
  readonly #timeoutMs: number;

  constructor({ url, key, timeoutMs }: NodeClientOptions) {
    const { hostname, port } = new URL(url);
    this.#target = { host: hostname.replace(/^\[|\]$/g, ''), port: port || '80' };
    this.#headers = key ? { authorization: `Bearer ${key.reveal()}` } : {};
    this.#timeoutMs = timeoutMs;
  }

  /** Sends a request with a body at hand; the answer's body is the caller's to read or destroy. */
  async request(method: string, path: string, options: RequestOptions = {}): Promise<http.IncomingMessage> {
    options.signal?.throwIfAborted();
    const headers = options.patient
      ? { ...options.headers, [heartbeatHeader]: String(Math.ceil(this.#timeoutMs / looksPerLimit)) }
      : options.headers;
    const request = this.#open(method, path, headers, this.#agent);
    try {
      return await this.#send(request, options);
    } catch (error) {
      if (!options.idempotent || !request.reusedSocket || !isHangUp(error)) {
        throw error;
      }
      // The server had closed an idle connection that we took for open; a fresh one tells whether it is there.
      return await this.#send(this.#open(method, path, headers, false), options);
    }
  }

  /** The same, with the whole JSON answer; `undefined` for an empty one. */
  async json<T>(method: string, path: string, options: RequestOptions = {}): Promise<T> {
    const text = await readText(await this.request(method, path, options));
    return text === '' ? (undefined as T) : JSON.parse(text);
  }

  /**
   * Streams a body to the server and resolves with its JSON answer. The body is read once the server wants it
   * (`Expect: 100-continue`), and no further when an answer comes before its end: a refusal. A body that fails ends the
   * request; the promise rejects with its `StorageError`, or `bodyAborted` for any other failure.
   */
  async upload<T>(
    method: string,
    path: string,
    headers: Record<string, string>,
    body: AsyncIterable<Uint8Array>,
  ): Promise<T> {
    const request = this.#open(method, path, { ...headers, expect: '100-continue' }, this.#agent);
    const wanted = new Promise((resolve) => request.once('continue', resolve));
    const answer = this.#answer(request);
    const watch = new Watch(request, this.#timeoutMs);
    watch.start();
    let answered = false;
    const settled = answer
      .catch(() => undefined)
      .then(() => {
        answered = true;
      });
    await Promise.race([wanted, settled]);
    // While nothing waits for the server, the body's own sender is waited for, for whom others have limits.
    watch.pause();
    try {
      for await (const chunk of answered ? [] : body) {
        if (!answered && !request.write(chunk)) {
          watch.start();
          await Promise.race([new Promise((resolve) => request.once('drain', resolve)), settled]);
          watch.pause();
        }
        if (answered) {
          break;
        }
      }
    } catch (cause) {
      request.destroy();
      throw isStorageError(cause)
        ? cause
        : new StorageError('bodyAborted', 'The body broke off before its end.', { cause });
    }
    if (!answered) {
      request.end();
      watch.start();
    }
    try {
      return JSON.parse(await readText(await answer));
    } finally {
      if (!request.writableEnded) {
        request.destroy();
      }
    }
  }

  /** Ends idle and running connections. */
  close(): void {
    this.#agent.destroy();
  }

  #open(
    method: string,
    path: string,
    headers: Record<string, string> | undefined,
    agent: http.Agent | false,
  ): http.ClientRequest {
    const request = http.request({
      ...this.#target,
      method,
      path,
      agent,
      headers: { ...this.#headers, ...headers },
      maxHeaderSize: maxHeaderBytes,
    });
    request.once('socket', (socket) => {
      if (socket.connecting) {
        const timer = setTimeout(() => request.destroy(new Error('no connection')), connectTimeoutMs);
        socket.once('connect', () => clearTimeout(timer)).once('close', () => clearTimeout(timer));
      }
    });
    return request;
  }

  #send(request: http.ClientRequest, { body, signal }: RequestOptions): Promise<http.IncomingMessage> {
    const answer = this.#answer(request, signal);
    if (body !== undefined) {
      request.setHeader('content-type', 'application/json');
      request.setHeader('content-length', Buffer.byteLength(body));
    }
    request.end(body);
    new Watch(request, this.#timeoutMs).start();
    return answer;
  }

  /** The answer if it is one of 2xx; everything else is an error. */
  #answer(request: http.ClientRequest, signal?: StopSignal): Promise<http.IncomingMessage> {
    return new Promise((resolve, reject) => {
      const abort = () => request.destroy();
      signal?.addEventListener('abort', abort, { once: true });
      let responded = false;
      request.once('response', (response) => {
        responded = true;
        nameFailure(response);
        const status = response.statusCode!;
        if (status < 300) {
          resolve(response);
        } else {
          readText(response).then((text) => reject(decodeError(status, text)), reject);
        }
      });
      const fail = (cause?: Error) => {
        const error = () => new StorageError('unavailable', 'The storage node does not answer.', { cause });
        reject(signal?.aborted ? signal.reason : error());
      };
      request.on('error', fail);
      request.once('close', () => {
        signal?.removeEventListener('abort', abort);
        if (!responded) {
          fail();
        }
      });
    });
  }
}

function isHangUp(error: unknown): boolean {
  const { cause } = error as StorageError;
  return ['ECONNRESET', 'EPIPE'].includes((cause as NodeJS.ErrnoException | undefined)?.code ?? '');
}

async function readText(response: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > 4 * maxRequestBytes) {
      throw new Error('the storage node sent an absurdly long answer');
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, sizeBytes).toString();
}
