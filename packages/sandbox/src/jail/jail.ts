import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { createCommand, type JailedProgram, type JailSetting } from './command';
import { type JailForm, meansOf } from './forms';
import { listNodeFiles } from './node-files';
import type { ResourceLimits } from './resource-limits';
import { findSeccompFilter } from './seccomp-filter';
import { type SlotUser, slotUser } from './slot-user';
import { findTool } from './tools';

/** Descriptors of a confined process: no standard input or output, standard error, a line to its starter, and what that adds. */
const firstStdio = ['ignore', 'ignore', 'pipe', 'pipe'] as const;

/** Starts processes in one form of confinement. */
export interface Jail {
  readonly form: JailForm;
  /** Who the process of a slot is to be; undefined: the server's own user. */
  slotUser(slot: number): SlotUser | undefined;
  /** Starts a program; `stdio` are its descriptors from 4 on. Throws if there is no room for a process. */
  spawn(program: JailedProgram, stdio: readonly ('pipe' | number)[]): ChildProcess;
}

/** What the host offers, found out once. */
export interface JailHost extends Omit<JailSetting, 'means'> {
  /** For `bwrap --seccomp`; undefined on an architecture without one. */
  filter?: Buffer;
}

/**
 * All that a confined process finds in its environment: large blocks of memory come from the kernel one by one and go back to
 * it. Without that an executor keeps the tens of megabytes that compiling an interpreter took for a moment.
 */
const environment = { MALLOC_MMAP_THRESHOLD_: '32768' };

/** Looks for the tools and files that a jail is made of. */
export async function inspectHost(limits: ResourceLimits): Promise<JailHost> {
  return {
    tools: { bwrap: findTool('bwrap'), prlimit: findTool('prlimit') },
    limits,
    nodeFiles: await listNodeFiles(),
    isRoot: process.geteuid?.() === 0,
    filter: findSeccompFilter(process.arch),
  };
}

/** A jail of one form on this host. Whether it holds is for `probeJail` to say. */
export function createJail(form: JailForm, host: JailHost): Jail {
  const means = meansOf(form, host.isRoot);
  return {
    form,
    slotUser: (slot) => (means.user ? slotUser(slot) : undefined),
    spawn(program, stdio) {
      const { filter } = host;
      const fds: StdioOptions = [...firstStdio, ...stdio];
      const filterFd = means.filter ? fds.push('pipe') - 1 : undefined;
      const { execPath, execArgv, modulePath, args } = createCommand({ ...host, means }, program, filterFd);
      // A clean environment: nothing of the server leaks in, and inherited settings made starts slower by half.
      const child = spawn(execPath, [...execArgv, modulePath, ...args], {
        env: environment,
        stdio: fds,
        // A session and process group of its own, for `killJailed`, and so that no terminal is in reach.
        detached: true,
      });
      // Where no descriptor is left there are no streams either, and the error is an event of later.
      if ((child.stdio as unknown) === undefined) {
        child.once('error', () => undefined);
        throw new Error('no descriptors are left for a process');
      }
      // Killed by somebody else before bubblewrap had tied its processes together, it would leave some.
      child.once('exit', () => killGroup(child));
      if (filterFd !== undefined) sendFilter(child.stdio[filterFd] as Duplex | undefined, filter!);
      return child;
    },
  };
}

/** Ends a confined process with all that belongs to it: bubblewrap's own processes, and what it may have started. */
export function killJailed(child: ChildProcess): void {
  if (child.exitCode === null && child.signalCode === null) killGroup(child);
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody is left.
  }
}

/** bubblewrap reads the filter to its end, and closes the pipe before it starts the program. */
function sendFilter(pipe: Duplex | undefined, filter: Buffer): void {
  // A process that could not be started, or was killed at once, does not read it.
  pipe?.on('error', () => undefined);
  pipe?.resume();
  pipe?.end(filter);
}

/** No confinement beyond a process of its own. */
export function createOpenJail(): Jail {
  const host: JailHost = { tools: {}, limits: { fileBytes: 0, dataBytes: 0 }, nodeFiles: [], isRoot: false };
  return createJail('none', host);
}
