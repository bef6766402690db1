import { FairSlots } from '@zerocloud/object-server/fair-slots';
import type { Deps, Middleware } from '../context';
import { HttpError, htmlType } from '../errors';
import { Query } from '../http/query';
import type { Subrequests } from '../http/subrequest';
import { isJobRequest } from '../jobs/job-request';
import { bulkDelete } from './bulk-delete';
import { extractArchive, findArchiveType } from './extract-archive';

/** Inflating bzip2 takes a process: so many at once, in turns between users, the rest waits. */
const bzipProcesses = { slots: 4, reserved: 4, maxWaiting: 20 };

/** Requests that are many: `PUT ?extract-archive=…`, and POST or DELETE `?bulk-delete`. */
export function bulk(deps: Deps, subrequests: Subrequests): Middleware {
  const processes = new FairSlots(bzipProcesses);
  return (ctx, next) => {
    const { method } = ctx.req;
    const url = ctx.req.url!;
    if (method === 'PUT') {
      if (!url.includes('extract-archive') || isElsewhere(ctx)) return next();
      const asked = new Query(url).get('extract-archive');
      if (asked === undefined) return next();
      const type = findArchiveType(asked);
      if (!type) throw new HttpError(400, 'Unsupported archive format', { headers: { 'content-type': htmlType } });
      extractArchive(ctx, deps, subrequests, type, processes);
      return Promise.resolve();
    }
    if (method !== 'POST' && method !== 'DELETE') return next();
    if (!url.includes('bulk-delete') || isElsewhere(ctx) || !new Query(url).has('bulk-delete')) return next();
    bulkDelete(ctx, deps, subrequests);
    return Promise.resolve();
  };
}

/** Parameters of jobs, queues and the live view are their own. */
function isElsewhere(ctx: Parameters<Middleware>[0]): boolean {
  return !ctx.state.path.version.startsWith('v1') || isJobRequest(ctx);
}
