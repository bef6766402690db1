import path from 'node:path';
import type { JailMeans } from './forms';
import { type Permissions, permissionFlags } from './permission-flags';
import { prlimitArguments, type ResourceLimits } from './resource-limits';
import { formatSlotUser, type SlotUser } from './slot-user';

/** What one confined process is made of. */
export interface JailedProgram {
  /** Compiled script to run. */
  entry: string;
  /** Its arguments. */
  args: readonly string[];
  /** Further options of Node. */
  nodeFlags: readonly string[];
  /** Files and directories to read, besides those that every executor has. */
  readable: readonly string[];
  /** The slot's directories: one to read, one to write. */
  inDirectory: string;
  outDirectory: string;
  /** Who it runs as, if the form gives it a user. */
  user?: SlotUser;
  /** Guests that it runs at once (1): it may have the memory of so many. */
  guests?: number;
  /** Changes what Node's permission model lets through (or leaves it out) so that what lies behind it can be tested. */
  permissions?: Partial<Permissions> | 'off';
}

export interface JailTools {
  bwrap?: string;
  prlimit?: string;
}

export interface JailSetting {
  means: JailMeans;
  tools: JailTools;
  limits: ResourceLimits;
  /** From `listNodeFiles`. */
  nodeFiles: readonly string[];
  isRoot: boolean;
}

const enterScript = path.join(__dirname, 'enter.js');

/**
 * The command line of a confined process, in parts: prlimit starts bubblewrap, that starts Node, and
 * each puts itself in the other's place. All paths are the same inside and outside.
 */
export function createCommand(
  setting: JailSetting,
  program: JailedProgram,
  filterFd: number | undefined,
): { execPath: string; execArgv: string[]; modulePath: string; args: string[] } {
  const { means, tools, nodeFiles } = setting;
  const { entry, args, inDirectory, outDirectory, user, permissions, guests = 1 } = program;
  const readable = [...nodeFiles, entry, ...program.readable];
  const words: string[] = [];
  const limits = { ...setting.limits, dataBytes: setting.limits.dataBytes * guests };
  if (means.limits) words.push(tools.prlimit!, ...prlimitArguments(limits, means.user));
  if (means.namespaces) {
    words.push(tools.bwrap!, ...namespaceArguments(setting.isRoot));
    if (filterFd !== undefined) words.push('--seccomp', String(filterFd));
    const files = outermostFirst(readable);
    // Made by themselves: bubblewrap would make them for root alone.
    for (const directory of parentsOf([...files, inDirectory, outDirectory])) words.push('--dir', directory);
    for (const file of files) words.push('--ro-bind', file, file);
    words.push('--ro-bind', inDirectory, inDirectory, '--bind', outDirectory, outDirectory);
    // The root itself is memory.
    words.push('--remount-ro', '/', '--chdir', '/', '--');
  }
  words.push(process.execPath, ...program.nodeFlags);
  if (means.permissions && permissions !== 'off') {
    words.push(
      ...permissionFlags({
        readable: [...readable, inDirectory, outDirectory, ...(permissions?.readable ?? [])],
        writable: [outDirectory, ...(permissions?.writable ?? [])],
      }),
    );
  }
  const [execPath, ...execArgv] = words;
  const identity = means.user && user ? formatSlotUser(user) : undefined;
  return identity === undefined
    ? { execPath: execPath!, execArgv, modulePath: entry, args: [...args] }
    : { execPath: execPath!, execArgv, modulePath: enterScript, args: [identity, entry, ...args] };
}

/**
 * Root needs no user namespace to make the others, and keeps for its child what it takes to become another user. It
 * does not need `/proc` or `/dev`: Node runs without them.
 */
function namespaceArguments(isRoot: boolean): string[] {
  const namespaces = isRoot
    ? ['--unshare-ipc', '--unshare-pid', '--unshare-net', '--unshare-uts', '--unshare-cgroup-try']
    : ['--unshare-all'];
  const capabilities = isRoot ? ['--cap-drop', 'ALL', '--cap-add', 'CAP_SETUID', '--cap-add', 'CAP_SETGID'] : [];
  return [...namespaces, ...capabilities, '--die-with-parent'];
}

/** A directory must be there before what is inside of it is bound. */
function outermostFirst(paths: readonly string[]): string[] {
  return [...new Set(paths)].sort((a, b) => a.length - b.length);
}

/** Every directory above the paths, outermost first. */
function parentsOf(paths: readonly string[]): string[] {
  const parents = new Set<string>();
  for (const one of paths) {
    for (let parent = path.dirname(one); parent !== '/'; parent = path.dirname(parent)) parents.add(parent);
  }
  return outermostFirst([...parents]);
}
