import type { Next } from 'koa';
import type { Deps, Middleware, SwiftContext } from '../context';
import { findEtagSwitch } from './switches';

/** Milliseconds that a container's switch counts. One that is changed through this proxy counts at once. */
const keptMs = 10_000;
const maxKept = 10_000;

/**
 * Quotes around the ETags of objects, as HTTP wants them and Swift has them only on request, by container or account
 * (swift/common/middleware/etag_quoter.py). What was looked up is remembered for a while, so that the objects of the
 * many containers that want no quotes pay a look into a map.
 */
export function etagQuoter({ node, now, config }: Deps): Middleware {
  const known = new Map<string, { isQuoting: boolean; untilMs: number }>();
  // Switches of an account count for the containers in it, which the map does not tell apart.
  const forget = () => known.clear();

  return (ctx, next) => {
    const { account, container, object } = ctx.state.path;
    if (!object) {
      if (ctx.method !== 'PUT' && ctx.method !== 'POST' && ctx.method !== 'DELETE') return next();
      return isSwitching(ctx) ? next().then(forget) : next();
    }
    if (!container) return next();
    const key = `${account}/${container}`;
    const kept = known.get(key);
    if (kept && kept.untilMs > now()) return kept.isQuoting ? quote(ctx, next) : next();
    return look(account, container, key).then((isQuoting) => (isQuoting ? quote(ctx, next) : next()));
  };

  async function look(account: string, container: string, key: string): Promise<boolean> {
    const record = await node.findContainer({ account, container });
    let isQuoting = findEtagSwitch(record?.metadata, 'container');
    isQuoting ??= findEtagSwitch((await node.findAccount(account))?.metadata, 'account');
    isQuoting ??= config.quoteEtags;
    // A container that is not there yet may come with a switch.
    if (record) {
      if (known.size >= maxKept) known.clear();
      known.set(key, { isQuoting, untilMs: now() + keptMs });
    }
    return isQuoting;
  }
}

function isSwitching({ req: { headers }, method }: SwiftContext): boolean {
  if (method === 'DELETE') return true;
  for (const name in headers) if (name.endsWith('-rfc-compliant-etags')) return true;
  return false;
}

async function quote(ctx: SwiftContext, next: Next): Promise<void> {
  await next();
  const { res } = ctx;
  if (res.headersSent) return;
  const etag = res.getHeader('etag');
  if (typeof etag === 'string' && !/^(?:W\/)?".*"$/.test(etag)) res.setHeader('Etag', `"${etag}"`);
}
