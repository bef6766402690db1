import { spawnSync } from 'node:child_process';
import {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { FdAccess } from '../channels/random-access';
import { findTarMember } from '../images/tar';
import { isTar } from './is-tar';
import { reasonOf } from './standard-streams';
import { UsageError } from './zvsh-options';

const copyBytes = 1024 ** 2;

/** The directory of the generated files: the user's, which stays, or a temporary one. */
export function createWorkDir(saveDir: string | undefined): { directory: string; remove(): void } {
  if (saveDir !== undefined) {
    const directory = path.resolve(saveDir);
    try {
      mkdirSync(directory, { recursive: true });
    } catch (error) {
      throw new UsageError(`directory ${saveDir} cannot be made: ${reasonOf(error)}`);
    }
    return { directory, remove: () => undefined };
  }
  const directory = mkdtempSync(path.join(os.tmpdir(), 'zvsh-'));
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) };
}

/** Whether a regular file is there; false also for a path that leads nowhere. */
export function isFile(file: string): boolean {
  try {
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** A file argument: created if it is missing; whether it may be written. Throws `UsageError`. */
export function prepareFileArgument(file: string): { writable: boolean } {
  try {
    if (!statSync(file, { throwIfNoEntry: false })) {
      // What Node makes of bytes that are none: the file that was meant has another name.
      if (file.includes('\ufffd')) throw new Error('its name is not UTF-8');
      closeSync(openSync(file, 'a'));
    }
    accessSync(file, constants.R_OK);
    if (statSync(file).isDirectory()) throw new Error('it is a directory');
  } catch (error) {
    throw new UsageError(`@${file}: ${reasonOf(error)}`);
  }
  try {
    accessSync(file, constants.W_OK);
    return { writable: isFile(file) };
  } catch {
    return { writable: false };
  }
}

/** Whether an image argument can be mounted. Throws `UsageError` if it cannot even be read. */
export function isTarFile(file: string): boolean {
  return withFile(file, (fd) => isTar(fd));
}

/** Takes a program out of an archive; false if it is not in it. Throws `SandboxError` for a damaged archive. */
export function extractMember(archive: string, member: string, target: string): boolean {
  return withFile(archive, (fd) => {
    const content = new FdAccess(fd, fstatSync(fd).size);
    const found = findTarMember(content, member);
    if (!found) return false;
    const chunk = Buffer.allocUnsafeSlow(Math.min(copyBytes, found.sizeBytes));
    writeFileSync(target, '', { mode: 0o755 });
    const out = openSync(target, 'w', 0o755);
    try {
      for (let done = 0; done < found.sizeBytes; ) {
        const count = content.readAt(chunk, 0, Math.min(chunk.length, found.sizeBytes - done), found.offset + done);
        if (count === 0) break;
        writeFileSync(out, chunk.subarray(0, count));
        done += count;
      }
    } finally {
      closeSync(out);
    }
    return true;
  });
}

/** FIFOs that take what the program writes when the saved manifest is run again. Those that are there stay. */
export function createFifos(paths: readonly string[]): void {
  const missing = paths.filter((fifo) => {
    const stat = lstatSync(fifo, { throwIfNoEntry: false });
    if (stat?.isFIFO()) return false;
    if (stat) rmSync(fifo);
    return true;
  });
  if (missing.length === 0) return;
  const { status, stderr } = spawnSync('mkfifo', ['-m', '600', '--', ...missing], { encoding: 'utf8' });
  if (status !== 0) throw new UsageError(`mkfifo: ${stderr || 'not found'}`);
}

function withFile<T>(file: string, use: (fd: number) => T): T {
  let fd: number;
  try {
    fd = openSync(file, 'r');
  } catch (error) {
    throw new UsageError(`${file}: ${reasonOf(error)}`);
  }
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}
