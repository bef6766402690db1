import { createHash } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { makeSnapshots } from '../snapshots/make-snapshots';
import { type SnapshotFacts, snapshotEndings } from '../snapshots/snapshot-files';
import { findCacheDirectory, isOwn } from './cache-directory';
import type { Interpreter } from './interpreters';

/** A snapshot whose files are open. */
export interface OpenedSnapshot {
  facts: SnapshotFacts;
  module: OpenedFile;
  memory: OpenedFile;
  close(): void;
}

interface OpenedFile {
  fd: number;
  sizeBytes: number;
}

export interface SnapshotCacheOptions {
  env: Readonly<Record<string, string | undefined>>;
  /** There is none yet: it is made now, which takes a second. */
  onMake(): void;
}

/** Snapshots that are kept, each of 3 to 20 MB; what was not used for the longest time goes first. */
const maxKept = 6;

const directoryName = 'snapshots';

/**
 * The snapshot of an interpreter: from the user's cache, or made and put there. Without a cache only JavaScript, which has
 * no other way to start, gets one, for this command alone. Not found if there cannot be one.
 */
export async function findSnapshot(
  interpreter: Interpreter,
  { env, onMake }: SnapshotCacheOptions,
): Promise<OpenedSnapshot | undefined> {
  const directory = findCacheDirectory(env, directoryName);
  const cached = directory === undefined ? undefined : path.join(directory, keyOf(interpreter));
  const found = cached === undefined ? undefined : openCached(cached);
  if (found) return found;
  if (directory === undefined && interpreter.language !== 'javascript') return undefined;
  onMake();
  const made = mkdtempSync(path.join(directory ?? os.tmpdir(), 'new-'));
  try {
    const { image, program, language } = interpreter;
    const [reference] = await makeSnapshots(made, [{ ...image, snapshots: { [program]: language } }]);
    if (!reference) return undefined;
    const opened = openSnapshotFiles(reference.file);
    if (directory !== undefined) keep(made, cached!, directory);
    return opened;
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}

/** Everything that goes into a snapshot, by what the file system says of it. */
function keyOf({ image, program, file, language }: Interpreter): string {
  const code = path.join(__dirname, '../snapshots');
  const files = [file, ...readdirSync(code).map((name) => path.join(code, name))];
  if (image.library !== undefined) {
    const { library } = image;
    files.push(...readdirSync(library, { recursive: true, encoding: 'utf8' }).map((name) => path.join(library, name)));
  }
  const facts = files.map((one) => {
    const { ino, size, mtimeMs } = statSync(one);
    return [one, ino, size, mtimeMs];
  });
  const text = JSON.stringify([process.version, process.arch, program, language, facts]);
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

function openCached(directory: string): OpenedSnapshot | undefined {
  try {
    const opened = openSnapshotFiles(path.join(directory, '0'));
    const now = new Date();
    utimesSync(directory, now, now);
    return opened;
  } catch {
    // Not there, incomplete, or not ours.
    return undefined;
  }
}

/** Throws unless all files are there and this user's own. */
function openSnapshotFiles(file: string): OpenedSnapshot {
  const fds: number[] = [];
  const close = () => {
    for (const fd of fds.splice(0)) closeSync(fd);
  };
  const open = (ending: string): OpenedFile => {
    const fd = openSync(file + ending, constants.O_RDONLY | constants.O_NOFOLLOW);
    fds.push(fd);
    const stat = fstatSync(fd);
    if (!stat.isFile() || !isOwn(stat)) throw new Error(`${file}${ending} is not ours`);
    return { fd, sizeBytes: stat.size };
  };
  try {
    const module = open(snapshotEndings.module);
    const memory = open(snapshotEndings.memory);
    const facts = JSON.parse(readFileSync(open(snapshotEndings.facts).fd, 'utf8')) as SnapshotFacts;
    return { facts, module, memory, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** Gives a complete snapshot its name, in place of one that could not be opened, and makes room. */
function keep(made: string, cached: string, directory: string): void {
  try {
    rmSync(cached, { recursive: true, force: true });
    renameSync(made, cached);
    const kept = readdirSync(directory)
      .map((name) => path.join(directory, name))
      .map((file) => ({ file, usedAtMs: statSync(file).mtimeMs }))
      .sort((one, other) => other.usedAtMs - one.usedAtMs);
    for (const { file } of kept.slice(maxKept)) rmSync(file, { recursive: true, force: true });
  } catch {
    // The command has what it needs; the next one tries again.
  }
}
