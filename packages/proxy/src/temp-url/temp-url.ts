import type { IncomingHttpHeaders } from 'node:http';
import type { Next } from 'koa';
import type { Deps, Grant, Middleware, SwiftContext } from '../context';
import { HttpError, htmlType } from '../errors';
import { headerName } from '../http/header-text';
import { isJobRequest } from '../jobs/job-request';
import { encodePath } from '../objects/copy-request';
import { rawPathOf } from '../swift-path';
import { isAddressInRange } from './address-range';
import { createHeaderFilter } from './header-filter';
import { findSigningKeys, type SigningKeys } from './keys';
import { findUrlParameters, type UrlParameters } from './parameters';
import { findSignature, isSignedBy, type Signature } from './signature';

/** Headers that would make of an upload a pointer to what its URL does not give, and those that run programs. */
const pointers = ['x-object-manifest', 'x-symlink-target', 'x-copy-from'];

/** Only a request whose URL may hold the parameters is looked at closely, whatever their spelling. */
const mayBeSigned = /[?&](?:[^=&]*%|temp_url_(?:sig|expires))/i;

/**
 * Signed URLs, as swift/common/middleware/tempurl.py has them: who knows the URL may do to one object (or those below a
 * prefix) what the URL was signed for, until it expires, and needs no token. Stands before the authentication, which it
 * replaces by a grant. The query goes no further: what a URL was not signed for (`multipart-manifest`, `version-id` …)
 * cannot be added to it, and no signature reaches the log.
 */
export function tempUrl(deps: Deps): Middleware {
  const { tempUrl: settings } = deps.config;
  const isRemovedFromRequest = createHeaderFilter(settings.incomingRemoveHeaders, settings.incomingAllowHeaders);
  const isRemovedFromAnswer = createHeaderFilter(settings.outgoingRemoveHeaders, settings.outgoingAllowHeaders);

  return (ctx, next) => {
    const url = ctx.req.url!;
    if (!url.includes('?') || !mayBeSigned.test(url) || ctx.method === 'OPTIONS') return next();
    const parameters = findUrlParameters(url, deps.now());
    return parameters ? serve(ctx, next, parameters) : next();
  };

  async function serve(ctx: SwiftContext, next: Next, parameters: UrlParameters): Promise<void> {
    ctx.req.url = rawPathOf(ctx.req.url!);
    ctx.state.grant = await getGrant(ctx, parameters);
    const { headers } = ctx.req;
    refusePointers(ctx, headers);
    for (const name in headers) if (isRemovedFromRequest(name)) delete headers[name];
    await next();
    const { res } = ctx;
    if (res.headersSent) return;
    for (const name of res.getHeaderNames()) if (isRemovedFromAnswer(name)) res.removeHeader(name);
    if ((ctx.method === 'GET' || ctx.method === 'HEAD') && res.statusCode >= 200 && res.statusCode < 300) {
      setDisposition(ctx, parameters);
      // Caches may keep it as long as the URL is good.
      res.setHeader('Expires', new Date(Math.min(Number(parameters.expires) * 1000, latestDateMs)).toUTCString());
    }
  }

  /** Throws 401 unless one of the keys signed this URL for this method. */
  async function getGrant(ctx: SwiftContext, parameters: UrlParameters): Promise<Grant> {
    const { version, account, container, object } = ctx.state.path;
    const { expires, prefix, addressRange } = parameters;
    const signature = findSignature(parameters.signature);
    if (!signature || !settings.digests.includes(signature.digest) || expires === undefined) throw invalid(ctx);
    if (version !== 'v1' || !container || !object || /^\/*$/.test(object)) throw invalid(ctx);
    if (!settings.methods.includes(ctx.method) || (prefix !== undefined && !object.startsWith(prefix))) {
      throw invalid(ctx);
    }
    if (addressRange !== undefined && !isAddressInRange(ctx.req.socket.remoteAddress, addressRange)) throw invalid(ctx);
    const path =
      prefix === undefined ? `/v1/${account}/${container}/${object}` : `prefix:/v1/${account}/${container}/${prefix}`;
    const keys = await findSigningKeys(deps, { account, container });
    const scope = findScope(ctx.method, keys, signature, (method) => {
      const message = `${method}\n${expires}\n${path}`;
      return addressRange === undefined ? message : `ip=${addressRange}\n${message}`;
    });
    if (!scope) throw invalid(ctx);
    // As far as the key reaches: manifests and links may lead to other objects there.
    return (access, target) =>
      access !== 'control' &&
      target.account === account &&
      target.container !== undefined &&
      (scope === 'account' || target.container === container);
  }
}

/** A URL for any method that changes or reads an object may also look at it. */
const signedForHead = ['HEAD', 'GET', 'POST', 'PUT'];

function findScope(
  method: string,
  keys: SigningKeys,
  signature: Signature,
  messageFor: (method: string) => string,
): keyof SigningKeys | undefined {
  for (const signed of method === 'HEAD' ? signedForHead : [method]) {
    const message = messageFor(signed);
    if (isSignedBy(keys.account, message, signature)) return 'account';
    if (isSignedBy(keys.container, message, signature)) return 'container';
  }
  return undefined;
}

function refusePointers(ctx: SwiftContext, headers: IncomingHttpHeaders): void {
  const isRead = ctx.method === 'GET' || ctx.method === 'HEAD';
  const found = isRead ? undefined : pointers.find((name) => headers[name] !== undefined);
  const refused = found ?? (isJobRequest(ctx) ? 'x-zerovm-execute' : undefined);
  if (refused === undefined) return;
  throw new HttpError(400, `The header '${headerName(refused)}' is not allowed in this tempurl`, {
    headers: { 'content-type': htmlType },
  });
}

function invalid(ctx: SwiftContext): HttpError {
  return new HttpError(401, ctx.method === 'HEAD' ? undefined : '401 Unauthorized: Temp URL invalid\n', {
    headers: { 'content-type': htmlType, 'www-authenticate': 'Swift realm="unknown"' },
  });
}

/** 9999-12-31, the last date that HTTP can write. */
const latestDateMs = Date.UTC(9999, 11, 31, 23, 59, 59);

/** `inline` wins over what the object says of itself, a `filename` too; else it is downloaded under its own name. */
function setDisposition(ctx: SwiftContext, { isInline, filename }: UrlParameters): void {
  const { res } = ctx;
  if (isInline) {
    res.setHeader('Content-Disposition', filename ? disposition('inline', filename) : 'inline');
  } else if (filename) {
    res.setHeader('Content-Disposition', disposition('attachment', filename));
  } else if (!res.hasHeader('content-disposition')) {
    const name = ctx.state.path.object!.replace(/\/+$/, '');
    res.setHeader('Content-Disposition', disposition('attachment', name.slice(name.lastIndexOf('/') + 1)));
  }
}

/** RFC 6266, with the name in both forms. */
function disposition(type: 'inline' | 'attachment', filename: string): string {
  const quoted = encodePath(filename);
  return `${type}; filename="${quoted.replaceAll('%20', ' ')}"; filename*=UTF-8''${quoted}`;
}
