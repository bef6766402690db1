import { lstatSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { addEntry } from '@zerocloud/sandbox/images/pack-files';
import { pack } from 'tar-stream';

/** A file, directory or symbolic link, and its name in an archive. */
export interface PackedFile {
  name: string;
  file: string;
}

/** A file itself, or everything in a directory, sorted by name; names are relative to `directory`. */
export function filesBelow(directory: string, member = ''): PackedFile[] {
  const top = path.join(directory, member);
  if (!lstatSync(top).isDirectory()) return [{ name: member, file: top }];
  return readdirSync(top, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => ({ name: path.join(member, name), file: path.join(top, name) }));
}

/** A plain tar of these files, each name once. */
export async function* packFiles(files: readonly PackedFile[]): AsyncGenerator<Uint8Array> {
  const archive = pack();
  const unique = new Map(files.map(({ name, file }) => [name, file]));
  const packing = (async () => {
    for (const [name, file] of unique) await addEntry(archive, name, file);
    archive.finalize();
  })();
  // Whoever reads learns of it.
  packing.catch((error) => archive.destroy(error));
  for await (const chunk of archive) yield chunk as Uint8Array;
  await packing;
}
