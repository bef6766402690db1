import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';

/** Looked through after PATH, which a service may have been given without them. */
const usualDirectories = ['/usr/local/bin', '/usr/bin', '/bin', '/usr/sbin', '/sbin'];

/** The path of an installed program, or undefined. */
export function findTool(name: string, searchPath = process.env.PATH ?? ''): string | undefined {
  for (const directory of [...searchPath.split(path.delimiter), ...usualDirectories]) {
    if (!path.isAbsolute(directory)) continue;
    const candidate = path.join(directory, name);
    try {
      accessSync(candidate, constants.X_OK);
      if (statSync(candidate).isFile()) return candidate;
    } catch {
      // Not here.
    }
  }
  return undefined;
}
