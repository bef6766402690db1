import { closeSync, fstatSync, openSync, type Stats, statSync } from 'node:fs';
import { moduleLimits } from '../limits';
import { SessionError, sessionCode } from '../manifest/session-error';

/** A program's file, open. */
export interface ProgramFile {
  fd: number;
  sizeBytes: number;
  close(): void;
}

/** Throws `SessionError` for what is missing (ENOENT) or no regular file of an acceptable size (EIO). */
export function openProgram(path: string): ProgramFile {
  const stat = findStat(path);
  if (!stat) throw new SessionError('program open error', sessionCode.noEntry);
  if (!stat.isFile()) throw new SessionError('the program is not a regular file', sessionCode.io);
  if (stat.size > moduleLimits.moduleBytes) throw new SessionError('the program is too large', sessionCode.io);
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (cause) {
    throw new SessionError('program open error', sessionCode.noEntry, { cause });
  }
  return { fd, sizeBytes: fstatSync(fd).size, close: () => closeSync(fd) };
}

/** Not found also where the path leads nowhere, or through a directory that is closed to us. */
function findStat(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}
