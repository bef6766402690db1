import path from 'node:path';

/** What Node's permission model lets an executor do besides running workers. */
export interface Permissions {
  readable: readonly string[];
  writable: readonly string[];
}

/**
 * Options that turn Node's permission model on: no other files, no processes, no addons. It holds only as long as V8
 * does, and hides what a bug in our own host would reach.
 */
export function permissionFlags({ readable, writable }: Permissions): string[] {
  const allowed = process.allowedNodeEnvironmentFlags;
  return [
    // Node 20 and 22 call it experimental, on standard error too.
    allowed.has('--permission') ? '--permission' : '--experimental-permission',
    '--no-warnings',
    '--allow-worker',
    // Directories mean all that is in them. What lies inside of another is left out: Node 20 loses its way otherwise.
    ...outermost(readable).map((file) => `--allow-fs-read=${file}`),
    ...outermost(writable).map((file) => `--allow-fs-write=${file}`),
  ];
}

function outermost(files: readonly string[]): string[] {
  const distinct = [...new Set(files)];
  return distinct.filter((file) => !distinct.some((other) => file.startsWith(other + path.sep)));
}
