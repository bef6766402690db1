import path from 'node:path';

/** `id=file`: files with descriptions of daemons. */
export function parseDaemons(entries: string[]): Record<string, string> {
  const files: Record<string, string> = {};
  for (const [index, entry] of entries.entries()) {
    const [, id, file] = /^([A-Za-z0-9][A-Za-z0-9._-]*)=(.+)$/.exec(entry) ?? [];
    if (id === undefined || file === undefined) throw new Error(`has no "id=file" in entry ${index + 1}, "${entry}"`);
    if (Object.hasOwn(files, id)) throw new Error(`names the daemon ${id} twice`);
    files[id] = path.resolve(file);
  }
  return files;
}
