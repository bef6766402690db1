import { closeSync, fstatSync, openSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { ReadAheadFile } from '../channels/read-ahead';
import { SandboxError } from '../errors';
import type { SystemImage } from '../session';
import { findTarMember } from './tar';

/** The bytes of a system image's program. Throws `program-not-found`. */
export function readImageMember(image: SystemImage, member: string): Uint8Array {
  const notFound = () => new SandboxError('program-not-found', `no program ${member} in system image ${image.name}`);
  const listed = Object.hasOwn(image.programs ?? {}, member) ? image.programs![member] : undefined;
  if (listed !== undefined) return readFile(listed, notFound);
  if (statSync(image.path).isDirectory()) return readFile(confine(image.path, member, notFound), notFound);
  return withFile(image.path, (archive) => {
    const found = findTarMember(archive, member);
    if (!found) throw notFound();
    return readPart(archive, found.offset, found.sizeBytes);
  });
}

/** The real path of a member, which must not lead out of its directory, by dots or by links. */
function confine(directory: string, member: string, notFound: () => Error): string {
  try {
    const root = realpathSync(directory);
    const file = realpathSync(path.join(root, member));
    if (file.startsWith(root + path.sep)) return file;
  } catch {
    // Missing, or a name no file can have.
  }
  throw notFound();
}

function readFile(file: string, notFound: () => Error): Uint8Array {
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) throw notFound();
  return withFile(file, (content) => readPart(content, 0, content.sizeBytes));
}

function withFile<T>(file: string, use: (content: ReadAheadFile) => T): T {
  const fd = openSync(file, 'r');
  try {
    return use(new ReadAheadFile(fd, fstatSync(fd).size));
  } finally {
    closeSync(fd);
  }
}

function readPart(content: ReadAheadFile, offset: number, sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  content.readAt(bytes, 0, sizeBytes, offset);
  return bytes;
}
