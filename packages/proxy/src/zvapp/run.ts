import os from 'node:os';
import path from 'node:path';
import { createGroupRunner } from '@zerocloud/object-server/execute/group-runner';
import { createSessionRunner } from '@zerocloud/object-server/execute/session-runner';
import type { Staging } from '@zerocloud/object-server/staging';
import { createSandbox, type SystemImage } from '@zerocloud/sandbox';
import { findJailMode } from '@zerocloud/sandbox/cli/jail-mode';
import type { Progress } from '@zerocloud/sandbox/cli/progress';
import type { NodeOutcome } from '../jobs/outcome';
import { runUnits } from '../jobs/run';
import { findUnits } from '../jobs/topology';
import { imagesOf } from './images';
import type { LocalFiles } from './local-files';
import type { LocalJob } from './plan';

export interface LocalRunOptions {
  files: LocalFiles;
  staging: Staging;
  images: ReadonlyMap<string, SystemImage>;
  workDir: string;
  env: Readonly<Record<string, string | undefined>>;
  /** Its reason is the number of a signal. */
  signal: AbortSignal;
  progress: Progress;
}

/** Outputs up to this size stay in memory until they are printed. */
const inlineOutputBytes = 64 * 1024;

/** Connected nodes that run at once, as on a server that was told nothing else. */
const connectedSessions = 16;

/** Runs every node, as many at once as the machine has processors, and resolves with what became of them, in their order. */
export async function runLocalJob(
  { nodes, connections, job }: LocalJob,
  options: LocalRunOptions,
): Promise<NodeOutcome[]> {
  const { files, staging, images, workDir, env, signal, progress } = options;
  const width = Math.min(nodes.length, os.availableParallelism());
  progress.enter('starting the sandbox…');
  const sandbox = await createSandbox({
    workDir: path.join(workDir, 'slots'),
    maxSessions: width,
    maxGroupSessions: connectedSessions,
    systemImages: imagesOf(nodes, job.imageDevices, images),
    inlineOutputBytes,
    jail: findJailMode(env),
    maxMemoryBytes: job.limits.sessionMemoryBytes,
  });
  const outcomes: NodeOutcome[] = [];
  try {
    progress.enter('running the nodes…');
    const parts = { store: files, sandbox, staging };
    const node = {
      ...createSessionRunner(parts),
      runGroup: createGroupRunner(parts),
      releaseBody: (id: string) => staging.releaseBody(id),
    };
    const units = findUnits(nodes, connections, connectedSessions);
    await runUnits(units, { node, job, denied: new Map(), width, signal }, (some) => {
      for (const outcome of some) outcomes[nodes.indexOf(outcome.node)] = outcome;
    });
    return outcomes;
  } finally {
    await sandbox.close();
  }
}
