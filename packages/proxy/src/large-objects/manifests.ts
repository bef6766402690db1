import type { Deps, Middleware } from '../context';
import { Query } from '../http/query';
import type { Subrequests } from '../http/subrequest';
import { deleteManifest } from './delete-manifest';
import { putManifest } from './put-manifest';

/** PUT and DELETE of static large objects, which are many requests in one. Reading them is part of the object routes. */
export function manifests(deps: Deps, subrequests: Subrequests): Middleware {
  return (ctx, next) => {
    const { method } = ctx.req;
    if (method !== 'PUT' && method !== 'DELETE') return next();
    if (!ctx.req.url!.includes('multipart-manifest=') || !ctx.state.path.object) return next();
    const query = new Query(ctx.req.url!);
    const wish = query.get('multipart-manifest');
    if (method === 'PUT' && wish === 'put') return putManifest(ctx, deps, subrequests, query);
    if (method === 'DELETE' && wish === 'delete') return deleteManifest(ctx, deps, subrequests, query);
    return next();
  };
}
