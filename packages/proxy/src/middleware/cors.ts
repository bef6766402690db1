import type { ContainerRecord } from '@zerocloud/object-server';
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

/**
 * Cross-origin requests on containers and objects, as the container's `X-Container-Meta-Access-Control-*` permits.
 * Stands outside `errors`, so that a script also sees the refusals.
 */
export function cors({ node }: Deps): Middleware {
  return async (ctx, next) => {
    await next();
    const origin = ctx.req.headers.origin;
    if (origin === undefined || ctx.method === 'OPTIONS' || ctx.res.headersSent) return;
    const { account, container } = ctx.state.path ?? {};
    if (!account || !container) return;
    const record = await node.findContainer({ account, container }).catch(() => undefined);
    if (!record || !isOriginAllowed(record, origin)) return;
    const { res } = ctx;
    const exposed = new Set(alwaysExposed);
    for (const name of res.getHeaderNames()) {
      if (name.startsWith('x-container-meta') || name.startsWith('x-object-meta')) exposed.add(name);
    }
    for (const name of words(record, 'expose-headers')) exposed.add(name.toLowerCase());
    ctx.set('Access-Control-Expose-Headers', [...exposed].join(', '));
    allowOrigin(ctx, record, origin);
  };
}

/** Answers OPTIONS: what the resource can do, and to a browser's preflight whether it may. */
export async function preflight(ctx: SwiftContext, { node }: Deps, allowedMethods: string): Promise<void> {
  const { headers } = ctx.req;
  const { account, container } = ctx.state.path;
  respondEmpty(ctx, 200, { Allow: allowedMethods });
  if (headers.origin === undefined || !container) return;
  const record = await node.findContainer({ account, container });
  const method = headers['access-control-request-method'];
  if (!record || !method || !allowedMethods.split(', ').includes(method) || !isOriginAllowed(record, headers.origin)) {
    throw new HttpError(401, undefined, { headers: { Allow: allowedMethods } });
  }
  allowOrigin(ctx, record, headers.origin);
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

function isOriginAllowed(record: ContainerRecord, origin: string): boolean {
  const allowed = words(record, 'allow-origin');
  return allowed.includes('*') || allowed.includes(origin);
}

function allowOrigin(ctx: SwiftContext, record: ContainerRecord, origin: string): void {
  const isOpen = record.metadata['x-container-meta-access-control-allow-origin']?.trim() === '*';
  ctx.set('Access-Control-Allow-Origin', isOpen ? '*' : origin);
  if (!isOpen) ctx.vary('Origin');
}

function words(record: ContainerRecord, setting: string): string[] {
  const text = record.metadata[`x-container-meta-access-control-${setting}`] ?? '';
  return text.split(' ').filter((word) => /^[\x21-\x7e]+$/.test(word));
}
