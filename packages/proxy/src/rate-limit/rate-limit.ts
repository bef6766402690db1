import { setTimeout as sleep } from 'node:timers/promises';
import type { Next } from 'koa';
import type { Deps, Middleware, SwiftContext } from '../context';
import { HttpError, htmlType } from '../errors';
import { Paces } from './paces';
import { findRate } from './rates';

const maxKeys = 100_000;
const containerChanges = new Set(['PUT', 'DELETE']);
const objectChanges = new Set(['PUT', 'DELETE', 'POST', 'COPY']);

/**
 * Requests that come faster than an account or a container may have them wait, and those that would wait too long get
 * 498, as swift/common/middleware/ratelimit.py: containers made and deleted per account; objects written, and listings,
 * per container by its size. All off by default; then it is not there at all.
 */
export function rateLimit(deps: Deps): Middleware {
  const { accountPerSecond, containerRates, listingRates, maxSleepS, bufferS } = deps.config.rates;
  if (accountPerSecond === 0 && containerRates.length === 0 && listingRates.length === 0) return (_ctx, next) => next();
  const paces = new Paces({ bufferMs: bufferS * 1000, maxWaitMs: maxSleepS * 1000, maxKeys });

  return (ctx, next) => {
    const { version, container, object } = ctx.state.path;
    if (!container || (version !== 'v1' && version !== 'v1.0')) return next();
    const { method } = ctx;
    if (object) return containerRates.length > 0 && objectChanges.has(method) ? holdBack(ctx, next) : next();
    const isLimited =
      (accountPerSecond > 0 && containerChanges.has(method)) || (listingRates.length > 0 && method === 'GET');
    return isLimited ? holdBack(ctx, next) : next();
  };

  async function holdBack(ctx: SwiftContext, next: Next): Promise<void> {
    const limit = await findLimit(ctx);
    if (limit) {
      const waitMs = paces.findWaitMs(limit.key, limit.perSecond, deps.now());
      if (waitMs === undefined) throw new HttpError(498, 'Slow down', { headers: { 'content-type': htmlType } });
      if (waitMs > 0) await sleep(waitMs, undefined, { signal: ctx.state.signal });
    }
    return next();
  }

  async function findLimit(ctx: SwiftContext): Promise<{ key: string; perSecond: number } | undefined> {
    const { account, container, object } = ctx.state.path;
    if (!object && ctx.method !== 'GET') return { key: account, perSecond: accountPerSecond };
    const record = await deps.node.findContainer({ account, container: container! });
    const perSecond = findRate(object ? containerRates : listingRates, record?.objectCount ?? 0);
    // No name contains NUL.
    return perSecond ? { key: `${object ? '' : 'list\0'}${account}\0${container}`, perSecond } : undefined;
  }
}
