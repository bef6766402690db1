import { randomBytes } from 'node:crypto';
import type { Deps, SwiftContext } from '../context';
import { HttpError } from '../errors';
import { Answer, cdrLine } from './answer';
import { authoriseExecution, authoriseNodes } from './authorise';
import { cgiEnvironment } from './cgi-environment';
import { notSupported } from './errors';
import { JobSlots } from './job-slots';
import { createListings } from './listings';
import type { NodeOutcome } from './outcome';
import { type ParsedJob, parseJob } from './parse';
import { planJob } from './plan';
import { runNodes } from './run';

/** True for requests that ask for a job, whatever else they are: the header in any form, or a job's own version. */
export function isJobRequest(ctx: SwiftContext): boolean {
  const { version } = ctx.state.path;
  return ctx.req.headers['x-zerovm-execute'] !== undefined || version === 'open' || version === 'api';
}

/** Runs the job of a request: parse, plan, authorise, run, answer. */
export function jobRoute(deps: Deps): (ctx: SwiftContext) => Promise<void> {
  const { node, config, now } = deps;
  const slots = new JobSlots(config.jobs);
  const nextJobId = createJobIds(now);
  const describe = createDescription(deps);

  async function run(ctx: SwiftContext, parsed: ParsedJob): Promise<void> {
    const { path, signal, transactionId, timestamp } = ctx.state;
    const { nodes, imageDevices } = await planJob(parsed.description, {
      account: path.account,
      hasUserImage: parsed.image !== undefined,
      listings: createListings(ctx, deps),
      systemImages: async () => (await describe()).systemImages,
      maxNodes: config.jobs.maxNodes,
      targetLimits: config.limits,
    });
    const denied = await authoriseNodes(ctx, deps, nodes);
    const job = {
      account: path.account,
      transactionId,
      timestamp,
      env: cgiEnvironment(ctx, {
        execute: ctx.get('x-zerovm-execute'),
        timeoutS: config.jobs.sessionTimeoutS,
        jobId: nextJobId(),
      }),
      image: parsed.image,
      imageDevices,
      limits: config.jobs,
    };
    const width = nodes.length === 1 ? 1 : (await describe()).maxSessions + 1;
    const answer = new Answer(nodes.length);
    await slots.acquire(signal);
    try {
      const startedAt = performance.now();
      await runNodes(nodes, { node, job, denied, width, signal }, (outcome, index) => {
        logNode(ctx, outcome);
        return answer.add(outcome, index);
      });
      answer.respond(ctx, (performance.now() - startedAt) / 1000, now());
    } catch (error) {
      answer.discard();
      throw error;
    } finally {
      slots.release();
    }
  }

  function logNode(ctx: SwiftContext, outcome: NodeOutcome): void {
    if (!deps.log.isLevelEnabled('info')) return;
    const { path, transactionId } = ctx.state;
    deps.log.info(
      `zerovm-cdr ${path.account} ${transactionId} ${outcome.node.name} (${cdrLine(outcome)}) [${outcome.status}]`,
    );
  }

  return async (ctx) => {
    dispatch(ctx);
    await authoriseExecution(ctx, deps);
    const parsed = await parseJob(ctx, deps);
    try {
      await run(ctx, parsed);
    } finally {
      if (parsed.stagedId !== undefined) await node.releaseBody(parsed.stagedId);
    }
  };
}

/** Refuses what is no job submission, in the order and with the sentences of ZeroCloud. */
function dispatch(ctx: SwiftContext): void {
  const { path } = ctx.state;
  const execute = ctx.req.headers['x-zerovm-execute'] ?? `${path.version}/1.0`;
  if (execute === 'open/1.0' || execute === 'api/1.0') {
    if (!path.container || (execute === 'open/1.0' && !path.object)) throw new HttpError(412, 'Bad URL');
    if (!restMethods.has(ctx.method)) throw new HttpError(412, 'Bad HTTP method');
    throw notSupported('The open and api interfaces are not supported');
  }
  if (!restMethods.has(ctx.method)) throw new HttpError(412, 'Bad HTTP method');
  if (ctx.method !== 'POST') throw new HttpError(501);
  if (ctx.req.headers['x-zerovm-source'] !== undefined) throw notSupported('X-Zerovm-Source is not supported');
  const deferred = ctx.get('x-zerovm-deferred').toLowerCase();
  if (deferred !== '' && deferred !== 'never') throw notSupported('Deferred jobs are not supported');
}

const restMethods = new Set(['GET', 'HEAD', 'PUT', 'POST', 'DELETE']);

/** What the storage node offers; asked once, for it does not change while the node runs. */
function createDescription({ node }: Deps): () => Promise<{ systemImages: ReadonlySet<string>; maxSessions: number }> {
  let known: Promise<{ systemImages: ReadonlySet<string>; maxSessions: number }> | undefined;
  return () => {
    known ??= node.describe().then(
      ({ systemImages, maxSessions }) => ({ systemImages: new Set(systemImages), maxSessions }),
      (error) => {
        known = undefined;
        throw error;
      },
    );
    return known;
  };
}

/** X-Zerocloud-Id: ten hex digits of milliseconds, three of this process, three that count. */
function createJobIds(now: () => number): () => string {
  const ownDigits = randomBytes(2).toString('hex').slice(1);
  let counter = 0;
  return () => {
    counter = (counter + 1) % 0x1000;
    const time = Math.floor(now()).toString(16).padStart(10, '0').slice(-10);
    return time + ownDigits + counter.toString(16).padStart(3, '0');
  };
}
