import { readFileSync } from 'node:fs';

/** Bounds of an executor process that the kernel keeps, whatever runs in it. */
export interface ResourceLimits {
  /** Largest file it may write, in bytes. */
  fileBytes: number;
  /** Writable private memory in bytes: linear memory of guests, heaps, stacks. */
  dataBytes: number;
}

/** Files that are open at once: channels and the files of mounted images. */
const maxOpenFiles = 4096;

/** Threads of a slot's user: those of one Node process. */
const maxThreads = 128;

/** Arguments of prlimit(1). A bound above what the server may have itself is lowered to that. */
export function prlimitArguments({ fileBytes, dataBytes }: ResourceLimits, ownUser: boolean): string[] {
  const own = readOwnLimits();
  const bound = (name: string, wanted: number) => Math.min(wanted, own.get(name) ?? Infinity);
  return [
    '--core=0',
    `--nofile=${bound('Max open files', maxOpenFiles)}`,
    `--fsize=${bound('Max file size', fileBytes)}`,
    `--data=${bound('Max data size', dataBytes)}`,
    // Counted by user, so it is of use only to a user of its own.
    ...(ownUser ? [`--nproc=${bound('Max processes', maxThreads)}`] : []),
  ];
}

/** Hard limits of this process by the kernel's names; unlimited ones are left out. */
function readOwnLimits(): Map<string, number> {
  const limits = new Map<string, number>();
  for (const line of readFileSync('/proc/self/limits', 'latin1').split('\n')) {
    const found = /^(Max [a-z ]+?) {2,}\S+ +(\d+)/.exec(line);
    if (found) limits.set(found[1]!, Number(found[2]));
  }
  return limits;
}
