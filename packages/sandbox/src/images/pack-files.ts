import { createReadStream, lstatSync, readlinkSync, statSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { Pack } from 'tar-stream';

/** Archives of the same files are the same, whenever they are made. */
const noTime = new Date(0);

/** Adds a file, a directory (without what is in it) or a symbolic link; whatever else it is stays out. */
export async function addEntry(archive: Pack, name: string, source: string): Promise<void> {
  const stat = lstatSync(source);
  const mode = stat.mode & 0o777;
  if (stat.isFile()) await addFile(archive, name, source, mode);
  else if (stat.isDirectory()) archive.entry({ name: `${name}/`, type: 'directory', mode, mtime: noTime });
  else if (stat.isSymbolicLink()) {
    archive.entry({ name, type: 'symlink', linkname: readlinkSync(source), mtime: noTime });
  }
}

/** Adds a file under any name. */
export async function addFile(archive: Pack, name: string, source: string, mode: number): Promise<void> {
  const entry = archive.entry({ name, mode, mtime: noTime, size: statSync(source).size });
  await pipeline(createReadStream(source, { highWaterMark: 1024 ** 2 }), entry);
}
