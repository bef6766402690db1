import { lstatSync, mkdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/** Write rights of anybody but the owner. */
const othersMayWrite = 0o022;

/**
 * A directory of the user's cache (`XDG_CACHE_HOME`), made if it is missing. Not found where others could have put something
 * into it, or where it cannot be made: then there is no cache.
 */
export function findCacheDirectory(env: Environment, name: string): string | undefined {
  const configured = env.XDG_CACHE_HOME;
  const base = configured && path.isAbsolute(configured) ? configured : path.join(env.HOME || os.homedir(), '.cache');
  const own = path.join(base, 'zerocloud');
  const directory = path.join(own, name);
  try {
    // Step by step: a recursive mkdir never ends in /proc.
    for (const one of [base, own, directory]) {
      makeDirectory(one);
      if (!isOurs(one)) return undefined;
    }
    return directory;
  } catch {
    return undefined;
  }
}

function makeDirectory(directory: string): void {
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** A directory of this user's that nobody else may change; no link to one. */
function isOurs(directory: string): boolean {
  const stat = lstatSync(directory);
  return stat.isDirectory() && isOwn(stat);
}

/** Whether a file or directory is this user's and only theirs to change. */
export function isOwn({ uid, mode }: { uid: number; mode: number }): boolean {
  return uid === process.geteuid!() && (mode & othersMayWrite) === 0;
}
