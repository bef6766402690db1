import { closeSync, fstatSync, openSync, statSync } from 'node:fs';
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
  const stat = statSync(path, { throwIfNoEntry: false });
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
