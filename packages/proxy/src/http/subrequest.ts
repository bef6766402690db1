import { IncomingMessage, type ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { Readable } from 'node:stream';
import type Koa from 'koa';
import type { Grant, Middleware, RequestState, SwiftContext } from '../context';
import { compose } from './compose';
import { InnerResponse } from './inner-response';
import type { RequestScope } from './request-scope';

/** A request that the server makes of itself. */
export interface Subrequest {
  method: string;
  /** Percent-encoded path with its query, `/v1/AUTH_test/c/o?format=json`. */
  url: string;
  /** Names in lower case. Internal ones (`x-object-sysmeta-…`) are believed: no gatekeeper stands in between. */
  headers?: Record<string, string>;
  /** Without a `content-length` it counts as chunked. Left where it is when the request is refused before reading. */
  body?: AsyncIterable<Uint8Array>;
  /** Rights other than those of the caller. */
  grant?: Grant;
}

export interface SubAnswer {
  status: number;
  /** Names in lower case, system metadata among them. */
  headers: Record<string, string>;
  /** A stream must be read to its end or destroyed. Empty for HEAD. */
  body: Buffer | Readable;
}

/**
 * Requests through the inner part of the pipeline, without socket or HTTP in between, as Swift's `make_subrequest`:
 * what stands behind the authentication applies (copies, quotas, versions, large objects), what stands before it does
 * not. Who asks, the transaction and its end are those of the outer request; every subrequest has a timestamp of its own.
 */
export class Subrequests {
  readonly #app: Koa<RequestState>;
  #run: (ctx: SwiftContext) => Promise<void> = () => Promise.reject(new Error('the pipeline is not built yet'));

  constructor(app: Koa<RequestState>) {
    this.#app = app;
  }

  /** The pipeline may hold middleware that makes subrequests, so it comes later. */
  use(pipeline: Middleware[]): void {
    this.#run = compose(pipeline);
  }

  /** Resolves with any answer, refusals included; rejects only when the server itself is at fault. */
  async send(ctx: SwiftContext, subrequest: Subrequest): Promise<SubAnswer> {
    const req = new InnerRequest(subrequest);
    const res = new InnerResponse(req);
    const inner = this.#app.createContext(req, res) as unknown as SwiftContext;
    inner.state = (ctx.state as RequestScope).fork(subrequest.grant ?? ctx.state.grant);
    res.statusCode = 404;
    await this.#run(inner);
    return { status: res.statusCode, headers: textHeaders(res), body: bodyOf(inner) };
  }
}

/** A request that came from nowhere: its body is read from an iterator as it is asked for. */
class InnerRequest extends IncomingMessage {
  readonly #body?: AsyncIterator<Uint8Array>;

  constructor({ method, url, headers = {}, body }: Subrequest) {
    super(new Socket());
    this.method = method;
    this.url = url;
    this.httpVersion = '1.1';
    this.httpVersionMajor = 1;
    this.httpVersionMinor = 1;
    this.headers = { ...headers };
    if (body && headers['content-length'] === undefined) this.headers['transfer-encoding'] = 'chunked';
    if (!body) this.headers['content-length'] ??= '0';
    this.rawHeaders = Object.entries(this.headers).flat() as string[];
    this.#body = body?.[Symbol.asyncIterator]();
  }

  override _read(): void {
    void this.#pull();
  }

  async #pull(): Promise<void> {
    try {
      const next = await this.#body?.next();
      if (next && !next.done) {
        this.push(next.value);
      } else {
        this.complete = true;
        this.push(null);
      }
    } catch (error) {
      this.destroy(error as Error);
    }
  }
}

function textHeaders(res: ServerResponse): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of res.getHeaderNames()) headers[name] = String(res.getHeader(name));
  return headers;
}

function bodyOf({ method, res, body: ordinary, state }: SwiftContext): Buffer | Readable {
  const body: unknown = state.body ?? ordinary;
  // Whoever lends a stream to an answer takes it back when the answer is closed.
  const close = () => res.emit('close');
  if (body instanceof Readable) {
    body.once('close', close);
    if (method !== 'HEAD') return body;
    body.destroy();
    return noBytes;
  }
  close();
  if (body == null || method === 'HEAD' || res.statusCode === 204 || res.statusCode === 304) return noBytes;
  return Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}

const noBytes = Buffer.alloc(0);
