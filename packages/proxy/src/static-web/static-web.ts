import { type ContainerRecord, isStorageError } from '@zerocloud/object-server';
import type { Next } from 'koa';
import { authorizeTarget } from '../auth/authorize';
import type { Deps, Middleware, SwiftContext } from '../context';
import { HttpError, htmlType, reasonOf } from '../errors';
import { headerName } from '../http/header-text';
import { isTrueValue } from '../http/query';
import type { SubAnswer, Subrequests } from '../http/subrequest';
import { readWholeBody } from '../http/whole-body';
import { isJobRequest } from '../jobs/job-request';
import { encodePath } from '../objects/copy-request';
import { disabledPage, type ListingEntry, listingPage } from './listing-page';
import { isWebSite, type WebSettings, webSettings } from './settings';

/**
 * Containers as web sites, as swift/common/middleware/staticweb.py has them: index pages, listings and pages for errors,
 * for visitors without a token (with one, if they ask for it by `X-Web-Mode`). Only what goes wrong, and containers by
 * themselves, are looked at; an object that is there costs a visitor nothing more.
 */
export function staticWeb(deps: Deps, subrequests: Subrequests): Middleware {
  return (ctx, next) => {
    const { method, state } = ctx;
    if (method !== 'GET' && method !== 'HEAD') return next();
    const isKnown = state.identity !== undefined || state.grant !== undefined;
    if (isKnown && !isTrueValue(ctx.req.headers['x-web-mode'])) return next();
    const { version, container, object } = state.path;
    if (!container || (version !== 'v1' && version !== 'v1.0') || isJobRequest(ctx)) return next();
    const visit = new Visit(ctx, next, deps, subrequests);
    return object ? visit.object() : visit.container();
  };
}

class Visit {
  /** Decoded, as the client sent it. */
  readonly #path: string;
  readonly #container: { account: string; container: string };
  #settings: WebSettings = webSettings(undefined);

  constructor(
    private readonly ctx: SwiftContext,
    private readonly next: Next,
    private readonly deps: Deps,
    private readonly subrequests: Subrequests,
  ) {
    const { version, account, container, object } = ctx.state.path;
    this.#container = { account, container: container! };
    const hasSlash = object === undefined && /^[^?]*\/(?:\?|$)/.test(ctx.req.url!);
    this.#path = `/${version}/${account}/${container}${object ? `/${object}` : hasSlash ? '/' : ''}`;
  }

  async container(): Promise<void> {
    const { ctx, next, deps } = this;
    const record = await this.#readSettings();
    if (!isWebSite(this.#settings) && !this.#settings.error) return this.#plainContainer(next);
    try {
      await authorizeTarget(ctx, deps, this.#container, 'read', record);
    } catch (error) {
      return this.#refuse(error);
    }
    if (!isWebSite(this.#settings)) return this.#plainContainer(next);
    if (!this.#path.endsWith('/')) return this.#redirect();
    if (!this.#settings.index) return this.#listing('');
    const answer = await this.#fetch(this.#path + this.#settings.index);
    if (answer.status === 404) return this.#listing('');
    if (answer.status >= 400) return this.#errorPage(answer);
    this.#respond(answer);
  }

  async object(): Promise<void> {
    const { ctx, next } = this;
    try {
      await next();
      if (!(await this.#isDirectoryMarker())) return;
      this.#discard();
    } catch (error) {
      if (!isNotFound(error)) throw error;
      await this.#readSettings();
      if (!isWebSite(this.#settings)) throw error;
    }
    const { index } = this.#settings;
    if (!isWebSite(this.#settings)) throw new HttpError(404);
    const hasSlash = this.#path.endsWith('/');
    if (index) {
      const answer = await this.#fetch(`${this.#path}${hasSlash ? '' : '/'}${index}`);
      if (answer.status < 400) {
        if (hasSlash) return this.#respond(answer);
        drop(answer);
        return this.#redirect();
      }
      if (answer.status !== 404) return this.#respond(answer);
    }
    if (hasSlash) return this.#listing(ctx.state.path.object!);
    const below = await this.#list(`${ctx.state.path.object}/`, 'limit=1&');
    if (Array.isArray(below) && below.length > 0) return this.#redirect();
    return this.#errorPage(pageOf(404));
  }

  async #readSettings(): Promise<ContainerRecord | undefined> {
    const record = await this.deps.node.findContainer(this.#container);
    this.#settings = webSettings(record);
    return record;
  }

  /** Who asked for a web site and found none is told so. */
  #plainContainer(next: Next): Promise<void> {
    if (isTrueValue(this.ctx.req.headers['x-web-mode'])) throw new HttpError(404);
    return next();
  }

  /** An object of a byte at most and of the type that marks a directory is none. */
  async #isDirectoryMarker(): Promise<boolean> {
    const { res, state } = this.ctx;
    if (res.headersSent || res.statusCode >= 400) return false;
    const body: unknown = state.body ?? this.ctx.body;
    const length = res.getHeader('content-length') ?? (Buffer.isBuffer(body) ? body.length : undefined);
    if (length === undefined || Number(length) > 1) return false;
    await this.#readSettings();
    return res.getHeader('content-type') === this.#settings.directoryType;
  }

  /** Takes an answer back that was not sent yet. */
  #discard(): void {
    const { res, state } = this.ctx;
    for (const name of res.getHeaderNames())
      if (!/^(?:x-trans-id|x-openstack-request-id|connection)$/.test(name)) res.removeHeader(name);
    state.body = undefined;
    this.ctx.body = null;
  }

  /** The same request for another object. */
  #fetch(path: string): Promise<SubAnswer> {
    const { ctx } = this;
    const headers: Record<string, string> = {};
    for (const name of handedOn) if (ctx.req.headers[name] !== undefined) headers[name] = String(ctx.req.headers[name]);
    return this.subrequests.send(ctx, { method: ctx.method, url: encodePath(path), headers });
  }

  /** Entries below a prefix, or the answer that refuses them. */
  async #list(prefix: string, more = ''): Promise<ListingEntry[] | SubAnswer> {
    const { account, container } = this.#container;
    const query = `format=json&${more}delimiter=/${prefix === '' ? '' : `&prefix=${encodeURIComponent(prefix)}`}`;
    const url = `${encodePath(`/v1/${account}/${container}`)}?${query}`;
    const headers = pick(this.ctx, ['referer']);
    const answer = await this.subrequests.send(this.ctx, { method: 'GET', url, headers });
    if (answer.status >= 300) return answer;
    const text = await textOf(answer);
    return text === '' ? [] : (JSON.parse(text) as ListingEntry[]);
  }

  async #listing(prefix: string): Promise<void> {
    const page = { settings: this.#settings, path: this.#path, prefix };
    if (!this.#settings.listings) return this.#errorPage(pageOf(404, disabledPage(page)));
    const entries = await this.#list(prefix);
    if (!Array.isArray(entries)) return this.#errorPage(entries);
    if (prefix !== '' && entries.length === 0) return this.#errorPage(pageOf(404));
    this.#respond(pageOf(200, listingPage(page, entries)));
  }

  /** The site's own page for the status, if there is one. */
  async #errorPage(answer: SubAnswer): Promise<void> {
    const { error } = this.#settings;
    if (error) {
      const { account, container } = this.#container;
      const url = encodePath(`/v1/${account}/${container}/${answer.status}${error}`);
      const headers = pick(this.ctx, ['referer']);
      const page = await this.subrequests.send(this.ctx, { method: 'GET', url, headers });
      if (page.status < 300) {
        drop(answer);
        this.#respond({ ...page, status: answer.status });
        return;
      }
      drop(page);
    }
    this.#respond(answer);
  }

  async #refuse(error: unknown): Promise<void> {
    if (!(error instanceof HttpError) || !this.#settings.error) throw error;
    await this.#errorPage({ status: error.status, headers: error.headers, body: Buffer.from(error.body) });
  }

  #redirect(): void {
    const { ctx } = this;
    const origin = this.deps.config.webUrlBase ?? `${ctx.protocol}://${ctx.req.headers.host}`;
    const answer = pageOf(301);
    answer.headers.location = `${origin}${encodePath(`${this.#path}/`)}`;
    this.#respond(answer);
  }

  #respond({ status, headers, body }: SubAnswer): void {
    const { ctx } = this;
    ctx.status = status;
    ctx.message = reasonOf(status);
    ctx.body = body;
    for (const name in headers) ctx.res.setHeader(headerName(name), headers[name]!);
    if (Buffer.isBuffer(body) && ctx.method !== 'HEAD') ctx.res.setHeader('Content-Length', body.length);
  }
}

/** Headers of the request that say which version of an object, and how much of it, is wanted. */
const handedOn = [
  'referer',
  'range',
  'if-range',
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
];

function pick({ req: { headers } }: SwiftContext, names: string[]): Record<string, string> {
  return Object.fromEntries(
    names.filter((name) => headers[name] !== undefined).map((name) => [name, String(headers[name])]),
  );
}

function pageOf(status: number, html = new HttpError(status).body): SubAnswer {
  const body = Buffer.from(html);
  return { status, headers: { 'content-type': htmlType, 'content-length': String(body.length) }, body };
}

function isNotFound(error: unknown): boolean {
  if (isStorageError(error, 'containerNotFound') || isStorageError(error, 'objectNotFound')) return true;
  return error instanceof HttpError && error.status === 404;
}

function drop({ body }: SubAnswer): void {
  if (!Buffer.isBuffer(body)) body.destroy();
}

async function textOf({ body }: SubAnswer): Promise<string> {
  return (await readWholeBody(body)).toString();
}
