import type { Deps, Middleware, SwiftContext } from '../context';
import { HttpError } from '../errors';
import { isJobRequest, jobMethods, jobRoute } from '../jobs';
import { LiveJobs } from '../jobs/live/live-jobs';
import { preflight } from '../middleware/cors';
import { queueMethods, queueRoute } from '../queues';
import { accountMethods, accountRoute } from './account';
import { containerMethods, containerRoute } from './container';
import { jobsMethods, jobsRoute } from './jobs';
import { objectMethods, objectRoute } from './object';

/** Jobs, and requests on accounts, containers and objects. */
export function storageRoute(deps: Deps): Middleware {
  const account = accountRoute(deps);
  const container = containerRoute(deps);
  const object = objectRoute(deps);
  const live = new LiveJobs(deps.config.jobs, deps.now);
  const job = jobRoute(deps, live);
  const jobs = jobsRoute(deps, live);
  const queues = queueRoute(deps);
  return (ctx: SwiftContext) => {
    const { path } = ctx.state;
    if (path.version === 'jobs') return ctx.method === 'OPTIONS' ? preflight(ctx, deps, jobsMethods) : jobs(ctx);
    if (path.version === 'queue') return ctx.method === 'OPTIONS' ? preflight(ctx, deps, queueMethods) : queues(ctx);
    // Jobs have versions of their own, so they are told apart first.
    if (isJobRequest(ctx)) return ctx.method === 'OPTIONS' ? preflight(ctx, deps, jobMethods) : job(ctx);
    if (path.version !== 'v1' && path.version !== 'v1.0') throw new HttpError(400);
    if (ctx.method === 'OPTIONS') {
      return preflight(ctx, deps, path.object ? objectMethods : path.container ? containerMethods : accountMethods);
    }
    if (path.object) return object(ctx);
    return path.container ? container(ctx) : account(ctx);
  };
}
