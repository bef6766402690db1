import { randomUUID } from 'node:crypto';
import { addAbortSignal } from 'node:stream';
import { isatty } from 'node:tty';
import type { NodeSource } from '@zerocloud/object-server';
import type { Staging } from '@zerocloud/object-server/staging';
import type { SystemImage } from '@zerocloud/sandbox';
import { isOpen, standardFds } from '@zerocloud/sandbox/cli/standard-streams';
import { defaultSwiftLimits, type JobLimits } from '../config';
import { type Plan, planJob } from '../jobs/plan';
import { type Job, messageLimitsOf } from '../jobs/session';
import type { Application } from './application';
import { ApplicationError } from './errors';
import type { LocalFiles } from './local-files';

/** What `~` means where there is no server. */
export const localAccount = 'local';

/** A job that can be run. */
export interface LocalJob {
  nodes: Plan['nodes'];
  connections: Plan['connections'];
  job: Job;
}

export interface PlanOptions {
  files: LocalFiles;
  staging: Staging;
  images: ReadonlyMap<string, SystemImage>;
  limits: JobLimits;
  signal: AbortSignal;
}

/** Plans as the server does, with directories for listings and the standard input for the request's payload. */
export async function planLocalJob(
  { description, image }: Application,
  { files, staging, images, limits, signal }: PlanOptions,
): Promise<LocalJob> {
  const plan = await planJob(description, {
    account: localAccount,
    hasUserImage: image !== undefined,
    hasPayload: isOpen(standardFds.stdin) && !isatty(standardFds.stdin),
    listings: files,
    systemImages: async () => new Set(images.keys()),
    maxNodes: limits.maxNodes,
    maxConnections: limits.maxConnections,
    targetLimits: defaultSwiftLimits,
  });
  for (const { name, containers } of plan.nodes) {
    if (containers?.some((container) => container !== undefined)) {
      throw new ApplicationError(`A container cannot be a device of ${name} without a server`);
    }
  }
  const job: Job = {
    account: localAccount,
    transactionId: randomUUID(),
    timestamp: (Date.now() / 1000).toFixed(5),
    env: {},
    image,
    ...(plan.usesPayload && { payload: await readStandardInput(staging, limits, signal) }),
    imageDevices: plan.imageDevices,
    limits,
    messageLimits: messageLimitsOf(defaultSwiftLimits),
  };
  return { nodes: plan.nodes, connections: plan.connections, job };
}

/** All of it, before the nodes start: each of those that ask for it gets it. */
async function readStandardInput(
  staging: Staging,
  { maxInputBytes }: JobLimits,
  signal: AbortSignal,
): Promise<NodeSource> {
  const { id } = await staging.stageBody(addAbortSignal(signal, process.stdin), { maxBytes: maxInputBytes });
  return { kind: 'staged', id };
}
