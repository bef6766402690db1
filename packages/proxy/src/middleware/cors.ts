import type { ContainerRecord } from '@zerocloud/object-server';
import type { Next } from 'koa';
import type { ProxyConfig } from '../config';
import type { Deps, Middleware, SwiftContext } from '../context';
import { HttpError } from '../errors';
import { respondEmpty } from '../http/respond';

/** What browsers may see of every answer, besides the user's metadata and what the container names. */
const alwaysExposed = [
  'cache-control',
  'content-language',
  'content-type',
  'expires',
  'last-modified',
  'pragma',
  'etag',
  'x-timestamp',
  'x-trans-id',
  'x-openstack-request-id',
];

/** The user's metadata, all of S3, and how a job went. */
const exposedWhenPresent =
  /^x-(?:amz-|container-meta|object-meta|nexe-|zerovm-device$|zerovm-execute$|chain-total-time$)/;

/**
 * Cross-origin requests on containers and objects, as the container's `X-Container-Meta-Access-Control-*` permits, and
 * on accounts and everything in them from the origins of `ZEROCLOUD_CORS_ALLOW_ORIGINS`, which see all headers. Stands
 * outside `errors`, so that a script also sees the refusals.
 */
export function cors({ node, config }: Deps): Middleware {
  return (ctx, next) => (ctx.req.headers.origin ? tellBrowser(ctx, next) : next());

  async function tellBrowser(ctx: SwiftContext, next: Next): Promise<void> {
    await next();
    const origin = ctx.req.headers.origin;
    if (origin === undefined || ctx.method === 'OPTIONS' || ctx.res.headersSent) return;
    const { account, container } = ctx.state.path ?? {};
    const isTrusted = allows(config.corsAllowOrigins, origin);
    if (!account || !(container || isTrusted)) return;
    const record = container ? await node.findContainer({ account, container }).catch(() => undefined) : undefined;
    if (!isTrusted && !isOriginAllowed(record, origin)) return;
    const { res } = ctx;
    const exposed = new Set(alwaysExposed);
    for (const name of res.getHeaderNames()) {
      if (isTrusted || exposedWhenPresent.test(name)) exposed.add(name);
    }
    for (const name of words(record, 'expose-headers')) exposed.add(name.toLowerCase());
    ctx.set('Access-Control-Expose-Headers', [...exposed].join(', '));
    allowOrigin(ctx, config, record, origin);
  }
}

/** For answers that leave before the middleware sees them: the origins of the setting may read them. */
export function allowTrustedOrigin(ctx: SwiftContext, config: ProxyConfig): void {
  const { origin } = ctx.req.headers;
  if (origin !== undefined && allows(config.corsAllowOrigins, origin)) allowOrigin(ctx, config, undefined, origin);
}

/** Answers OPTIONS: what the resource can do, and to a browser's preflight whether it may. */
export async function preflight(ctx: SwiftContext, { node, config }: Deps, allowedMethods: string): Promise<void> {
  const { headers } = ctx.req;
  const { account, container } = ctx.state.path;
  respondEmpty(ctx, 200, { Allow: allowedMethods });
  const { origin } = headers;
  // Empty is as good as none: no browser sends that.
  if (!origin) return;
  const isTrusted = allows(config.corsAllowOrigins, origin);
  if (!container && !isTrusted) return;
  const record = container ? await node.findContainer({ account, container }) : undefined;
  const method = headers['access-control-request-method'];
  const isAllowed = isTrusted || isOriginAllowed(record, origin);
  if (!isAllowed || !method || !allowedMethods.split(', ').includes(method)) {
    throw new HttpError(401, undefined, { headers: { Allow: allowedMethods } });
  }
  allowOrigin(ctx, config, record, origin);
  ctx.set('Access-Control-Allow-Methods', allowedMethods);
  const [maxAge] = words(record, 'max-age');
  if (maxAge) ctx.set('Access-Control-Max-Age', maxAge);
  const requested = (headers['access-control-request-headers'] ?? '').split(',').map((name) => name.trim());
  const wanted = [...new Set(requested.filter(Boolean))];
  if (wanted.length > 0) {
    ctx.set('Access-Control-Allow-Headers', wanted.join(', '));
    ctx.vary('Access-Control-Request-Headers');
  }
}

function isOriginAllowed(record: ContainerRecord | undefined, origin: string): boolean {
  return allows(words(record, 'allow-origin'), origin);
}

function allows(origins: readonly string[], origin: string): boolean {
  return origins.includes('*') || origins.includes(origin);
}

function allowOrigin(
  ctx: SwiftContext,
  { corsAllowOrigins }: ProxyConfig,
  record: ContainerRecord | undefined,
  origin: string,
): void {
  const isOpen =
    corsAllowOrigins.includes('*') || record?.metadata['x-container-meta-access-control-allow-origin']?.trim() === '*';
  ctx.set('Access-Control-Allow-Origin', isOpen ? '*' : origin);
  if (!isOpen) ctx.vary('Origin');
}

function words(record: ContainerRecord | undefined, setting: string): string[] {
  const text = record?.metadata[`x-container-meta-access-control-${setting}`] ?? '';
  return text.split(' ').filter((word) => /^[\x21-\x7e]+$/.test(word));
}
