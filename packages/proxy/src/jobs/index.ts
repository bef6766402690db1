import { randomBytes } from 'node:crypto';
import { isStorageError, type NodeSession } from '@zerocloud/object-server';
import { FairSlots } from '@zerocloud/object-server/fair-slots';
import type { StopSignal } from '@zerocloud/sandbox';
import type { Deps, SwiftContext } from '../context';
import { HttpError } from '../errors';
import { createLogLines, infoLevel, quoted } from '../http/log-lines';
import { OutputRooms } from '../quotas/output-rooms';
import { AccountingLog } from './accounting-log';
import { Admission, type JobRequest } from './admission';
import { Answer } from './answer';
import { authoriseNodes } from './authorise';
import { cgiEnvironment, chainedEnvironment } from './cgi-environment';
import { runChain } from './chain';
import { assignDaemons, readConfiguredDaemons } from './configured-daemons';
import { detached, readDeferral, runDeferred } from './deferred';
import { createListings } from './listings';
import type { LiveJobs } from './live/live-jobs';
import type { NodeOutcome } from './outcome';
import { type Plan, type PlannedNode, planJob } from './plan';
import { type JobResponse, sendResponse } from './response';
import { runUnits } from './run';
import { messageLimitsOf } from './session';
import { withoutLinks } from './session-links';
import { withoutManifests } from './session-manifests';
import { findUnits } from './topology';

export { isJobRequest, jobMethods } from './job-request';

/** Runs the job of a request: admit, plan, authorise, run, answer, and what that chains. */
export function jobRoute(deps: Deps, live: LiveJobs): (ctx: SwiftContext) => Promise<void> {
  const { node, config, now } = deps;
  const { maxJobs, reservedJobs, maxQueuedJobs } = config.jobs;
  const slots = new FairSlots({ slots: maxJobs, reserved: reservedJobs, maxWaiting: maxQueuedJobs });
  const accounting = config.jobs.accounting ? new AccountingLog(deps) : undefined;
  const admission = new Admission(deps);
  const messageLimits = messageLimitsOf(config.limits);
  const nextJobId = createJobIds(now);
  const describe = createDescription(deps);
  const isLogged = deps.log.isLevelEnabled('info');
  const writeLine = createLogLines(deps.log);
  const daemons = readConfiguredDaemons(config.jobs.daemons, deps.log);

  async function run(request: JobRequest): Promise<JobResponse> {
    const { ctx, parsed, rights } = request;
    const { path, transactionId, timestamp } = ctx.state;
    const payload = request.payload?.isLeft ? request.payload : undefined;
    // What the text asks for is known; what the caller may do, and what there is, is looked up for every request.
    const plan = parsed.known?.plan ?? (await makePlan(request, payload !== undefined));
    const { nodes, connections, imageDevices, usesPayload } = plan;
    const rooms = new OutputRooms(deps.node, config.jobs.maxOutputBytes);
    const denied = await authoriseNodes(rights, deps, nodes, rooms);
    const job = {
      account: path.account,
      transactionId,
      timestamp,
      env: (request.isChained ? chainedEnvironment : cgiEnvironment)(ctx, {
        execute: request.execute,
        source: request.source,
        timeoutS: config.jobs.sessionTimeoutS,
        jobId: nextJobId(),
      }),
      image: parsed.image,
      payload: usesPayload ? await payload!.take() : undefined,
      imageDevices,
      limits: config.jobs,
      rooms,
      messageLimits,
    };
    const places = nodes.length === 1 ? undefined : await describe();
    const units = findUnits(nodes, connections, places?.maxGroupSessions ?? 1);
    const width = (places?.maxSessions ?? 0) + 1;
    const indexOf = new Map(nodes.map((node, index) => [node, index]));
    const answer = new Answer(nodes.length);
    // Else the nodes of the step before would be told of as nodes of this one.
    if (request.isChained) await new Promise<void>(afterwards);
    const watched = live.begin(ctx.state, nodes);
    const { signal } = watched;
    const lines = accounting?.begin(ctx.state);
    const turn = slots.acquire(path.account, signal);
    request.onAccepted?.();
    await turn;
    try {
      const startedAt = performance.now();
      const onStart = (one: PlannedNode) => afterwards(() => watched.nodeStarted(indexOf.get(one)!));
      const followLinks = async (session: NodeSession, staged: string[]) => {
        const linked = await withoutLinks(session, node, rights, config.limits.symloopMax);
        return withoutManifests(linked, deps, rights, staged);
      };
      await runUnits(units, { node, job, denied, width, signal, onStart, followLinks }, (outcomes) => {
        const indexes = outcomes.map((outcome) => indexOf.get(outcome.node)!);
        outcomes.forEach((outcome, at) => {
          afterwards(() => watched.nodeEnded(indexes[at]!, outcome));
          lines?.add(outcome);
          logNode(ctx, outcome);
        });
        return outcomes.length === 1 ? answer.add(outcomes[0]!, indexes[0]!) : answer.addGroup(outcomes, indexes);
      });
      return answer.finish((performance.now() - startedAt) / 1000, now());
    } catch (error) {
      answer.discard();
      throw error;
    } finally {
      slots.release(path.account);
      if (lines) await lines.store();
    }
  }

  async function makePlan({ ctx, parsed, rights }: JobRequest, hasPayload: boolean): Promise<Plan> {
    const plan = await planJob(parsed.description, {
      account: ctx.state.path.account,
      hasUserImage: parsed.image !== undefined,
      hasPayload,
      ownObject: parsed.ownObject,
      listings: createListings(ctx, deps, rights),
      systemImages: async () => (await describe()).systemImages,
      maxNodes: config.jobs.maxNodes,
      maxConnections: config.jobs.maxConnections,
      targetLimits: config.limits,
    });
    if (daemons.length > 0) assignDaemons(plan, daemons);
    if (plan.isLasting && parsed.known && !parsed.image && !hasPayload) parsed.known.plan = plan;
    return plan;
  }

  function logNode(ctx: SwiftContext, outcome: NodeOutcome): void {
    if (!isLogged) return;
    const { transactionId } = ctx.state;
    const { account } = ctx.state.path;
    const { node, status, cdr } = outcome;
    const { name } = node;
    const endedAtMs = now();
    writeLine(() => {
      const text = `zerovm-cdr ${account} ${transactionId} ${name} (${cdr}) [${status}]`;
      return `{"level":${infoLevel},"time":${endedAtMs},"msg":${quoted(text)}}\n`;
    });
  }

  /** Runs the job and those chained to it; lets go of what the request brought along. */
  async function runWhole(request: JobRequest, prepare?: () => Promise<void>): Promise<JobResponse> {
    const startedAt = performance.now();
    try {
      if (prepare) await prepare();
      const response = await runChain(request, config.jobs, run);
      response.headers[chainTimeName] = secondsSince(startedAt);
      afterwards(() => live.end(request.ctx.state, response.status));
      return response;
    } catch (error) {
      if (error instanceof HttpError) error.headers[chainTimeName] = secondsSince(startedAt);
      const status = statusOf(error, request.ctx.state.stop);
      afterwards(() => live.end(request.ctx.state, status));
      throw error;
    } finally {
      if (request.parsed.stagedId !== undefined || request.payload) await release(request);
    }
  }

  /** A body that cannot be released now is dropped by its node later; no answer is lost over it. */
  async function release({ ctx, parsed, payload }: JobRequest): Promise<void> {
    try {
      if (parsed.stagedId !== undefined) await node.releaseBody(parsed.stagedId);
      await payload?.release();
    } catch (err) {
      deps.log.warn({ txn: ctx.state.transactionId, err }, 'the body of a request was not released');
    }
  }

  return async (ctx) => {
    const deferral = readDeferral(ctx);
    const response =
      deferral === 'never'
        ? await runWhole(await admission.admit(ctx))
        : await runDeferred(deferral, await admission.admit(detached(ctx)), deps, runWhole);
    // It took turns of the event loop; what is ready in this one besides is no crowd of small answers.
    ctx.state.leavesAtOnce = true;
    sendResponse(ctx, response);
  };
}

/**
 * What is shown to those who watch waits for the end of the turn of the event loop, when what the turn is about, a session
 * handed to its executor or an answer, is on its way. All of it in order.
 */
const afterwards = setImmediate;

/** For the live view: what the client is answered; nothing if it hung up. */
function statusOf(error: unknown, signal: StopSignal): number | undefined {
  if (error instanceof HttpError) return error.status;
  if (signal.aborted) return undefined;
  return isStorageError(error, 'noSlot') || isStorageError(error, 'unavailable') ? 503 : 500;
}

const chainTimeName = 'X-Chain-Total-Time';

function secondsSince(startedAt: number): string {
  return ((performance.now() - startedAt) / 1000).toFixed(3);
}

interface Offer {
  systemImages: ReadonlySet<string>;
  maxSessions: number;
  maxGroupSessions: number;
}

/** Milliseconds that an offer counts. */
const offerMs = 10_000;

/** What the storage node offers; asked now and then, for one in another process may come back with other settings. */
function createDescription({ node, now }: Deps): () => Promise<Offer> {
  let known: Promise<Offer> | undefined;
  let untilMs = 0;
  return () => {
    if (known && now() < untilMs) return known;
    untilMs = now() + offerMs;
    known = node.describe().then(
      ({ systemImages, maxSessions, maxGroupSessions }) => {
        return { systemImages: new Set(systemImages), maxSessions, maxGroupSessions };
      },
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
