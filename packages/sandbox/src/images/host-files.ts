import { closeSync, lstatSync, openSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type RandomAccess, readFully } from '../channels/random-access';

/** What a trusted host directory contributes to a directory of the root. */
export interface HostEntry {
  name: string;
  kind: 'file' | 'directory' | 'symlink';
  path: string;
  sizeBytes: number;
  linkTarget: string;
  mode: number;
  modifiedNs: bigint;
}

/** Entries of one host directory; devices, sockets and FIFOs are left out. */
export function readHostDirectory(path: string): HostEntry[] {
  const entries: HostEntry[] = [];
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const kind = entry.isFile()
      ? 'file'
      : entry.isDirectory()
        ? 'directory'
        : entry.isSymbolicLink()
          ? 'symlink'
          : undefined;
    if (kind === undefined) continue;
    const entryPath = join(path, entry.name);
    const stat = lstatSync(entryPath, { bigint: true });
    entries.push({
      name: entry.name,
      kind,
      path: entryPath,
      sizeBytes: Number(stat.size),
      linkTarget: kind === 'symlink' ? readlinkSync(entryPath) : '',
      mode: Number(stat.mode) & 0o7777,
      modifiedNs: stat.mtimeNs,
    });
  }
  return entries;
}

/** Host files that are open at once; a guest may read thousands of files of an image. */
const maxOpenFiles = 32;

/** Opens host files when they are read, and closes the one unused longest when there are too many. */
export class HostFiles {
  /** Insertion order is order of use. */
  private readonly open = new Map<string, number>();

  file(path: string, sizeBytes: number): RandomAccess {
    return {
      sizeBytes,
      readAt: (target, offset, length, position) =>
        readFully(this.descriptor(path), target, offset, Math.min(length, sizeBytes - position), position),
    };
  }

  close(): void {
    for (const fd of this.open.values()) closeSync(fd);
    this.open.clear();
  }

  private descriptor(path: string): number {
    let fd = this.open.get(path);
    if (fd === undefined) {
      fd = openSync(path, 'r');
      if (this.open.size >= maxOpenFiles) this.closeOldest();
    } else {
      this.open.delete(path);
    }
    this.open.set(path, fd);
    return fd;
  }

  private closeOldest(): void {
    for (const [path, fd] of this.open) {
      this.open.delete(path);
      closeSync(fd);
      return;
    }
  }
}
