import type { ZvshConfig } from '@zerocloud/sandbox/cli/zvsh-config';
import { UsageError } from '@zerocloud/sandbox/cli/zvsh-options';
import { defaultJobLimits, type JobLimits } from '../config';

/** The largest delay a timer can have, in seconds. */
const maxTimeoutS = Math.floor((2 ** 31 - 1) / 1000);

/** The limits of the configuration file, in a job's terms. Throws `UsageError`. */
export function readLimits({ manifest, limits }: ZvshConfig): JobLimits {
  const timeoutS = Number(manifest.timeout);
  if (!Number.isSafeInteger(timeoutS) || timeoutS < 1) throw new UsageError(`invalid timeout ${manifest.timeout}`);
  const memoryBytes = Number(manifest.memory.split(',', 1)[0]);
  if (!Number.isSafeInteger(memoryBytes) || memoryBytes < 1) throw new UsageError(`invalid memory ${manifest.memory}`);
  return {
    ...defaultJobLimits,
    sessionTimeoutS: Math.min(timeoutS, maxTimeoutS),
    sessionMemoryBytes: memoryBytes,
    // A job has one number for both.
    maxIops: Math.min(limits.reads, limits.writes),
    maxInputBytes: limits.readBytes,
    maxOutputBytes: limits.writeBytes,
  };
}
