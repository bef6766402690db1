import { createReadStream, createWriteStream, lstatSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import { copyFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type Pack, pack } from 'tar-stream';
import type { SystemImage } from '../session';

/** Archives of the same image are the same, whenever they are made. */
const noTime = new Date(0);

/**
 * Writes an installed image as a plain tar: its programs under their names, and its files if it has any to mount. The file
 * appears when it is complete.
 */
export async function exportImage(image: SystemImage, file: string): Promise<void> {
  const partial = `${file}.${process.pid}.part`;
  try {
    if (statSync(image.path).isFile()) {
      await copyFile(image.path, partial);
    } else {
      const archive = pack();
      const writing = pipeline(archive, createWriteStream(partial));
      try {
        await addMembers(archive, image);
        archive.finalize();
      } catch (error) {
        archive.destroy(error as Error);
      }
      await writing;
    }
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

async function addMembers(archive: Pack, image: SystemImage): Promise<void> {
  const taken = new Set<string>();
  for (const [name, source] of Object.entries(image.programs ?? {})) {
    await addFile(archive, name, source, 0o755);
    taken.add(name);
  }
  // What a program finds in its root, first what is laid over the rest.
  for (const directory of [image.library, image.mounted ? image.path : undefined]) {
    if (directory === undefined) continue;
    for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort()) {
      if (!taken.has(name)) await addEntry(archive, name, path.join(directory, name));
      taken.add(name);
    }
  }
}

async function addEntry(archive: Pack, name: string, source: string): Promise<void> {
  const stat = lstatSync(source);
  const mode = stat.mode & 0o777;
  if (stat.isFile()) await addFile(archive, name, source, mode);
  else if (stat.isDirectory()) archive.entry({ name: `${name}/`, type: 'directory', mode, mtime: noTime });
  else if (stat.isSymbolicLink()) {
    archive.entry({ name, type: 'symlink', linkname: readlinkSync(source), mtime: noTime });
  }
}

async function addFile(archive: Pack, name: string, source: string, mode: number): Promise<void> {
  const entry = archive.entry({ name, mode, mtime: noTime, size: statSync(source).size });
  await pipeline(createReadStream(source, { highWaterMark: 1024 ** 2 }), entry);
}
