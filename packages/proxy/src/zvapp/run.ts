import os from 'node:os';
import path from 'node:path';
import { createSessionRunner } from '@zerocloud/object-server/execute/session-runner';
import type { Staging } from '@zerocloud/object-server/staging';
import { createSandbox, type SystemImage } from '@zerocloud/sandbox';
import { findJailMode } from '@zerocloud/sandbox/cli/jail-mode';
import type { Progress } from '@zerocloud/sandbox/cli/progress';
import type { NodeOutcome } from '../jobs/outcome';
import { runNodes } from '../jobs/run';
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

/** Runs every node, as many at once as the machine has processors, and resolves with what became of them, in their order. */
export async function runLocalJob({ nodes, job }: LocalJob, options: LocalRunOptions): Promise<NodeOutcome[]> {
  const { files, staging, images, workDir, env, signal, progress } = options;
  const width = Math.min(nodes.length, os.availableParallelism());
  progress.enter('starting the sandbox…');
  const sandbox = await createSandbox({
    workDir: path.join(workDir, 'slots'),
    maxSessions: width,
    systemImages: imagesOf(nodes, job.imageDevices, images),
    inlineOutputBytes,
    jail: findJailMode(env),
    maxMemoryBytes: job.limits.sessionMemoryBytes,
  });
  const outcomes: NodeOutcome[] = [];
  try {
    progress.enter('running the nodes…');
    const node = createSessionRunner({ store: files, sandbox, staging });
    await runNodes(nodes, { node, job, denied: new Map(), width, signal }, (outcome, index) => {
      outcomes[index] = outcome;
    });
    return outcomes;
  } finally {
    await sandbox.close();
  }
}
