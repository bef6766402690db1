import { closeSync, fstatSync, lstatSync, openSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { FdAccess } from '../channels/random-access';
import { readTarIndex } from '../images/tar';
import type { SystemImage } from '../session';
import type { SnapshotLanguage } from '../snapshots/snapshot-files';
import type { ProgramFile } from './open-program';

/** A program of an installed image that can start from a snapshot. */
export interface Interpreter {
  image: SystemImage;
  program: string;
  /** Its file on this host. */
  file: string;
  language: SnapshotLanguage;
}

/** The installed interpreter that a program's file is a copy of, byte for byte. */
export function findInterpreter(program: ProgramFile, images: Iterable<SystemImage>): Interpreter | undefined {
  for (const image of images) {
    for (const [name, language] of Object.entries(image.snapshots ?? {})) {
      const file = image.programs?.[name];
      if (file !== undefined && hasContentOf(program, file)) return { image, program: name, file, language };
    }
  }
  return undefined;
}

const chunkBytes = 1024 ** 2;

function hasContentOf({ fd, sizeBytes }: ProgramFile, file: string): boolean {
  const other = openSync(file, 'r');
  try {
    const [ours, theirs] = [fstatSync(fd), fstatSync(other)];
    if (sizeBytes !== theirs.size) return false;
    if (ours.ino === theirs.ino && ours.dev === theirs.dev) return true;
    const [one, two] = [Buffer.allocUnsafeSlow(chunkBytes), Buffer.allocUnsafeSlow(chunkBytes)];
    const [a, b] = [new FdAccess(fd, sizeBytes), new FdAccess(other, sizeBytes)];
    for (let position = 0; position < sizeBytes; position += chunkBytes) {
      const count = a.readAt(one, 0, chunkBytes, position);
      if (b.readAt(two, 0, chunkBytes, position) !== count || one.compare(two, 0, count, 0, count) !== 0) return false;
    }
    return true;
  } finally {
    closeSync(other);
  }
}

/**
 * Whether an archive, mounted at the root, gives the interpreter the library that its image has, as `exportImage` writes it.
 * Modules of a snapshot are loaded already: one who has changed them in an archive of his own must find his changes.
 */
export function holdsLibrary({ fd, sizeBytes }: { fd: number; sizeBytes: number }, library: string): boolean {
  const members = new Map(readTarIndex(new FdAccess(fd, sizeBytes)).map((member) => [member.path, member]));
  return readdirSync(library, { recursive: true, encoding: 'utf8' }).every((name) => {
    const stat = lstatSync(path.join(library, name));
    if (!stat.isFile()) return true;
    const member = members.get(name);
    return member?.kind === 'file' && member.sizeBytes === stat.size && member.modifiedNs === 0n;
  });
}
