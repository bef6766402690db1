import { createWriteStream, readdirSync, statSync } from 'node:fs';
import { copyFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type Pack, pack } from 'tar-stream';
import { addEntry, addFile } from '../images/pack-files';
import type { SystemImage } from '../session';

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
