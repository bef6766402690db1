import { copyFile, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { BuildError, run } from './tools.mjs';

/** Modules that cannot work in a session (no sockets, processes, threads, windows) or are only for building Python. */
const leftOut = [
  'curses ctypes dbm distutils ensurepip idlelib lib2to3 multiprocessing pydoc_data sqlite3 test tkinter turtledemo venv',
  'turtle.py pydoc.py doctest.py smtpd.py smtplib.py imaplib.py ftplib.py poplib.py nntplib.py telnetlib.py',
]
  .join(' ')
  .split(' ');

/** Compiles the library and packs it into one stored zip, of which the interpreter then reads only what is imported. */
const packLibrary = `
import os, py_compile, sys, zipfile
source, target, skipped = sys.argv[1], sys.argv[2], set(sys.argv[3].split())
with zipfile.ZipFile(target, 'w', zipfile.ZIP_STORED) as archive:
    for directory, names, files in os.walk(source):
        names[:] = sorted(n for n in names if n != '__pycache__' and n != 'tests' and n != 'test')
        inside = os.path.relpath(directory, source)
        if inside == '.':
            names[:] = [n for n in names if n not in skipped]
            files = [f for f in files if f not in skipped]
            inside = ''
        for name in sorted(files):
            path = os.path.join(directory, name)
            member = os.path.join(inside, name)
            if name.endswith('.py'):
                compiled = path + 'c'
                py_compile.compile(path, compiled, '/usr/local/lib/python3.11/' + member, doraise=True,
                                   invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
                info = zipfile.ZipInfo(member + 'c', (2020, 1, 1, 0, 0, 0))
                with open(compiled, 'rb') as code:
                    archive.writestr(info, code.read())
                os.unlink(compiled)
`;

/** Writes the image beside its place and moves it there when it is complete. */
export async function writeImage({ python }, { module, library, build }, target) {
  const unfinished = `${target}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  const lib = path.join(unfinished, 'root', 'usr', 'local', 'lib');
  // Python looks for these to know where it is installed.
  await mkdir(path.join(lib, 'python3.11', 'lib-dynload'), { recursive: true });
  await copyFile(path.join(library, 'os.py'), path.join(lib, 'python3.11', 'os.py'));
  for (const file of await findSysconfigData(build)) {
    const name = path.basename(file);
    await copyFile(file, path.join(library, name));
    // Debian's sysconfig looks for a name without the platform.
    await copyFile(file, path.join(library, name.replace('__wasi_', '__')));
  }
  await run(python, ['-I', '-c', packLibrary, library, path.join(lib, 'python311.zip'), leftOut.join(' ')]);
  await copyFile(module, path.join(unfinished, 'python.wasm'));
  await writeFile(
    path.join(unfinished, 'image.json'),
    `${JSON.stringify({ format: 1, name: 'python', program: 'python.wasm', library: 'root' }, undefined, 2)}\n`,
  );
  await rm(target, { recursive: true, force: true });
  await rename(unfinished, target);
}

async function findSysconfigData(build) {
  const directory = (await readdir(path.join(build, 'build')).catch(() => [])).find((name) => name.startsWith('lib.'));
  if (!directory) throw new BuildError('the build left no sysconfig data');
  const files = await readdir(path.join(build, 'build', directory));
  return files
    .filter((name) => name.startsWith('_sysconfigdata'))
    .map((name) => path.join(build, 'build', directory, name));
}
