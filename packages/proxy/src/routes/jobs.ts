import { authorizeAccount, mayControl } from '../auth/authorize';
import type { Deps, SwiftContext } from '../context';
import { HttpError } from '../errors';
import { Query } from '../http/query';
import { respondEmpty } from '../http/respond';
import { accountEvents, jobEvents, sendEvents } from '../jobs/live/events';
import type { LiveJob } from '../jobs/live/live-job';
import type { LiveJobs } from '../jobs/live/live-jobs';
import { daemonView, jobView, nodeView } from '../jobs/live/view';
import { allowTrustedOrigin } from '../middleware/cors';

const maxPage = 10_000;
const defaultPage = 1000;

export const jobsMethods = 'GET, DELETE, OPTIONS';

/** The live view: `/jobs/v1/<account>[/<id>]`, for those who may run jobs in the account. */
export function jobsRoute(deps: Deps, jobs: LiveJobs): (ctx: SwiftContext) => Promise<void> {
  const { maxJobWatchers } = deps.config.jobs;
  let watchers = 0;

  async function stream(ctx: SwiftContext, events: (signal: AbortSignal) => AsyncIterable<string>): Promise<void> {
    if (watchers >= maxJobWatchers) throw new HttpError(503, 'Too many event streams');
    watchers++;
    try {
      const { signal } = ctx.state;
      const ending = deps.stopping ? AbortSignal.any([signal, deps.stopping]) : signal;
      ctx.respond = false;
      allowTrustedOrigin(ctx, deps.config);
      await sendEvents(ctx.res, events(ending), ending);
    } finally {
      watchers--;
    }
  }

  function getJob(ctx: SwiftContext): LiveJob {
    const { account, object } = ctx.state.path;
    const job = jobs.find(account, object!);
    if (!job) throw new HttpError(404);
    return job;
  }

  return async (ctx) => {
    const { account, object: id } = ctx.state.path;
    if (!mayControl(ctx.state, account)) await authorizeAccount(ctx, deps, account, 'admin');
    if (ctx.method === 'DELETE' && id !== undefined) {
      await stop(ctx, getJob(ctx));
    } else if (ctx.method !== 'GET') {
      throw new HttpError(405, undefined, { headers: { allow: id === undefined ? 'GET' : 'GET, DELETE' } });
    } else if (id === undefined) {
      if (wantsEvents(ctx)) return stream(ctx, (signal) => accountEvents(jobs, account, signal));
      const daemons = new Query(ctx.req.url!).get('marker') === undefined ? await deps.node.listDaemons(account) : [];
      respondJson(ctx, {
        ...listPage(ctx, jobs.list(account)),
        ...(daemons.length > 0 && { daemons: daemons.map(daemonView) }),
      });
    } else {
      const job = getJob(ctx);
      if (wantsEvents(ctx)) return stream(ctx, (signal) => jobEvents(job, signal));
      respondJson(ctx, jobPage(ctx, job));
    }
  };
}

/** Ends the guests; answers when they are gone. */
async function stop(ctx: SwiftContext, job: LiveJob): Promise<void> {
  if (job.isOver) throw new HttpError(409, 'The job has ended already');
  const { signal } = ctx.state;
  await new Promise<void>((resolve) => {
    const unwatch = job.watch(() => {
      if (!job.isOver) return;
      unwatch();
      resolve();
    });
    signal.addEventListener('abort', () => resolve(), { once: true });
    job.stop();
  });
  respondEmpty(ctx, 204);
}

function wantsEvents(ctx: SwiftContext): boolean {
  return /(^|,)\s*text\/event-stream\s*(;|,|$)/i.test(ctx.get('accept'));
}

/** `state`, `limit` and `marker` (the last id of the page before). */
function listPage(ctx: SwiftContext, all: LiveJob[]): { jobs: unknown[] } {
  const query = new Query(ctx.req.url!);
  const state = query.get('state');
  const marker = query.get('marker');
  // What stood behind a forgotten job was forgotten before it.
  const before = marker === undefined ? -1 : all.findIndex(({ id }) => id === marker);
  const rest = marker !== undefined && before < 0 ? [] : all.slice(before + 1);
  const wanted = state === undefined ? rest : rest.filter((job) => job.state === state);
  return { jobs: wanted.slice(0, readCount(query, 'limit', defaultPage)).map(jobView) };
}

/** `state`, `limit` and `offset` choose among the nodes. */
function jobPage(ctx: SwiftContext, job: LiveJob): unknown {
  const query = new Query(ctx.req.url!);
  const state = query.get('state');
  const offset = readCount(query, 'offset', 0, Number.MAX_SAFE_INTEGER);
  const limit = readCount(query, 'limit', defaultPage);
  const page: Record<string, unknown>[] = [];
  let index = offset;
  for (; index < job.nodes.length && page.length < limit; index++) {
    const node = job.nodes[index]!;
    if (state === undefined || node.state === state) page.push(nodeView(node, index));
  }
  return { ...jobView(job), node_list: page, next_offset: index < job.nodes.length ? index : undefined };
}

function readCount(query: Query, name: string, fallback: number, max = maxPage): number {
  const text = query.get(name);
  if (text === undefined || text === '') return fallback;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value <= max)) throw new HttpError(412, `${name} must be a number up to ${max}`);
  return value;
}

function respondJson(ctx: SwiftContext, value: unknown): void {
  ctx.status = 200;
  ctx.res.setHeader('Content-Type', 'application/json; charset=utf-8');
  ctx.res.setHeader('Cache-Control', 'no-store');
  ctx.body = Buffer.from(JSON.stringify(value));
}
