import { mkdir, rm, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { SandboxError } from './errors';
import { findGroupProblem } from './executor/group-plan';
import { GroupPool } from './executor/group-pool';
import { ExecutorPool } from './executor/pool';
import { chooseJail } from './jail/choose';
import type { ResourceLimits } from './jail/resource-limits';
import { defaultMaxFileBytes, defaultMaxMemoryBytes, executorMemoryBytes } from './limits';
import type { Sandbox, SandboxOptions, Session, SessionResult } from './session';
import { Daemons } from './snapshots/daemons';
import { makeSnapshots, removeSnapshots } from './snapshots/make-snapshots';
import type { StopSignal } from './stop-signal';
import { indexImages } from './system-images';

/** The largest delay a timer can have. */
const maxTimeoutMs = 2 ** 31 - 1;

/**
 * Starts the sandbox: empties `workDir`, finds out how processes can be confined, starts executor processes, and resolves
 * when the first of them takes sessions. Rejects with `SandboxError` if none comes up, a system image is not usable, or the required jail is not to be had.
 */
export async function createSandbox(options: SandboxOptions): Promise<Sandbox> {
  const workDir = path.resolve(options.workDir);
  const systemImages = indexImages(options.systemImages);
  await rm(workDir, { recursive: true, force: true });
  const outputs = path.join(workDir, 'outputs');
  await mkdir(workDir, { recursive: true });
  await mkdir(outputs, { mode: 0o700 });
  const jail = await chooseJail({
    mode: options.jail ?? 'auto',
    workDir,
    limits: limitsOf(options),
    log: options.log,
  }).catch(async (error) => {
    await rm(workDir, { recursive: true, force: true });
    throw error;
  });
  const snapshotDirectory = path.join(workDir, 'snapshots');
  const images = [...systemImages.values()];
  const snapshots = await makeSnapshots(snapshotDirectory, images, options.log);
  const setup = {
    systemImages: images,
    inlineOutputBytes: options.inlineOutputBytes,
    snapshots,
    memoryBytes: options.maxMemoryBytes,
  };
  const pool = new ExecutorPool({ ...options, workDir }, setup, jail);
  const maxGroupSessions = options.maxGroupSessions ?? options.maxSessions;
  const groups = new GroupPool({ workDir, maxSessions: maxGroupSessions, log: options.log }, setup, jail);
  const daemons = options.daemons && snapshots.length > 0 ? createDaemons(options, workDir, pool) : undefined;
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= Promise.all([pool.close(), groups.close()]).then(async () => {
      await daemons?.close();
      // Outputs that the caller has not taken yet are the caller's.
      await rmdir(outputs).catch(() => undefined);
      await removeSnapshots(snapshotDirectory);
      await rmdir(workDir).catch(() => undefined);
    });
    return closing;
  };
  try {
    await pool.ready;
  } catch (error) {
    await close();
    throw error;
  }
  return {
    jail: jail.form,
    systemImages,
    load() {
      const [one, other] = [pool.load(), groups.load()];
      return { running: one.running + other.running, waiting: one.waiting + other.waiting };
    },
    daemons: (tenant) => daemons?.list(tenant) ?? [],
    close,
    run(session, { signal } = {}) {
      if (closing !== undefined) return Promise.reject(new SandboxError('closed', 'the sandbox is closed'));
      const problem = findProblem(session, systemImages);
      if (problem) return Promise.reject(problem);
      return daemons && session.daemon ? runFromCopy(session, daemons, pool, signal) : pool.run(session, signal);
    },
    runGroup(sessions, pipes, { signal } = {}) {
      if (closing !== undefined) return Promise.reject(new SandboxError('closed', 'the sandbox is closed'));
      let problem = findGroupProblem(sessions, pipes);
      if (sessions.length > maxGroupSessions) {
        problem ??= new RangeError(`${sessions.length} sessions, but only ${maxGroupSessions} may run at once`);
      }
      for (const session of sessions) problem ??= findProblem(session, systemImages);
      return problem ? Promise.reject(problem) : groups.run(sessions, pipes, signal);
    },
  };
}

function createDaemons({ daemons, log }: SandboxOptions, workDir: string, pool: ExecutorPool): Daemons {
  const run = (session: Session, signal: AbortSignal) => pool.run(session, signal);
  return new Daemons({ directory: path.join(workDir, 'daemons'), limits: daemons!, run, log });
}

/** Starts the session from its application's copy, or by itself if there is none, and says why. */
async function runFromCopy(
  session: Session,
  daemons: Daemons,
  pool: ExecutorPool,
  signal: StopSignal | undefined,
): Promise<SessionResult> {
  const acquired = await daemons.acquire(session, signal);
  if ('problem' in acquired) {
    const result = await pool.run(session, signal);
    result.report.detail ??= acquired.problem;
    return result;
  }
  try {
    return await pool.run({ ...session, copy: acquired.copy }, signal);
  } catch (error) {
    if (error instanceof SandboxError && error.code === 'executor-failed') daemons.discard(session);
    throw error;
  } finally {
    acquired.release();
  }
}

/** Beyond what file systems hold, and still a number that calls take. */
const unreachableFileBytes = 2 ** 50;

function limitsOf({ maxFileBytes, maxMemoryBytes }: SandboxOptions): ResourceLimits {
  return {
    fileBytes: Math.min(maxFileBytes ?? defaultMaxFileBytes, unreachableFileBytes),
    dataBytes: (maxMemoryBytes ?? defaultMaxMemoryBytes) + executorMemoryBytes,
  };
}

/** What makes a session impossible whatever executor runs it. */
function findProblem(session: Session, systemImages: Sandbox['systemImages']): Error | undefined {
  const { program, mounts, timeoutMs, memoryBytes } = session;
  const names = program.kind === 'system-image' ? [program.image, ...session.systemImages] : session.systemImages;
  const missing = names.find((name) => !systemImages.has(name));
  if (missing !== undefined) return new SandboxError('system-image-not-found', `no system image ${missing}`);
  if (program.kind === 'mount' && !mounts[program.mount]) {
    return new SandboxError('program-not-found', `no mount holds the program ${program.path}`);
  }
  if (!(timeoutMs > 0 && timeoutMs <= maxTimeoutMs)) return new RangeError(`invalid timeout ${timeoutMs}`);
  if (!(memoryBytes >= 0)) return new RangeError(`invalid memory size ${memoryBytes}`);
  return undefined;
}
