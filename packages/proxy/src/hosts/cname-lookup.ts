import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Next } from 'koa';
import type { Deps, Middleware, SwiftContext } from '../context';
import { HttpError } from '../errors';
import { findHostName, findStorageDomain } from './storage-domain';

/** Milliseconds that an answer of the name service counts (Node does not tell its own time to live). */
const keptMs = 60_000;
const maxKept = 10_000;
const lookupTimeoutMs = 5000;

/**
 * Hosts of people's own whose CNAME, or the CNAME of that, lies in a storage domain are served as that, as
 * swift/common/middleware/cname_lookup.py. Stands before the domain remap. Off unless the depth is above 0.
 */
export function cnameLookup(deps: Deps): Middleware {
  const { storageDomains, cnameDepth, cnameServers } = deps.config.hosts;
  if (storageDomains.length === 0 || cnameDepth === 0) return (_ctx, next) => next();
  const resolver = new Resolver({ timeout: lookupTimeoutMs, tries: 1 });
  if (cnameServers.length > 0) resolver.setServers(cnameServers);
  const known = new Map<string, { target?: string; untilMs: number }>();

  return (ctx, next) => {
    const host = findHostName(ctx.req.headers.host);
    if (!host || isIP(host.name.replace(/^\[|\]$/g, '')) !== 0) return next();
    if (findStorageDomain(`.${host.name}`, storageDomains)) return next();
    return serve(ctx, next, host);
  };

  async function serve(ctx: SwiftContext, next: Next, { name, port }: { name: string; port: string }): Promise<void> {
    let current = name;
    for (let tries = 0; tries < cnameDepth; tries++) {
      const target = await findTarget(current.toLowerCase());
      if (target === undefined || target === current) {
        current = name;
        break;
      }
      if (findStorageDomain(`.${target}`, storageDomains)) {
        ctx.req.headers.host = target + port;
        return next();
      }
      current = target;
    }
    const problem = current === name ? 'to resolve to a valid domain' : `after ${cnameDepth} tries`;
    throw new HttpError(400, `CNAME lookup failed ${problem}`);
  }

  async function findTarget(name: string): Promise<string | undefined> {
    const kept = known.get(name);
    if (kept && kept.untilMs > deps.now()) return kept.target;
    let target: string | undefined;
    try {
      [target] = await resolver.resolveCname(name);
    } catch (error) {
      // That there is none is an answer; that nobody answers is not.
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOTFOUND' && code !== 'ENODATA') return undefined;
    }
    if (known.size >= maxKept) known.clear();
    known.set(name, { target: target?.replace(/\.$/, ''), untilMs: deps.now() + keptMs });
    return target;
  }
}
