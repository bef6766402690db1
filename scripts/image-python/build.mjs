import { mkdir, rename } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { run } from './tools.mjs';

const target = '--target=wasm32-wasi';
const zlibFiles = 'adler32 compress crc32 deflate infback inffast inflate inftrees trees uncompr zutil'.split(' ');

/** The core of zlib as a static library. Returns its directory. */
export async function buildZlib({ clang, ar }, source, workDir) {
  const directory = path.join(workDir, 'zlib');
  await mkdir(directory);
  const objects = [];
  for (const name of zlibFiles) {
    const object = path.join(directory, `${name}.o`);
    await run(clang, [target, '-O3', '-I', source, '-c', path.join(source, `${name}.c`), '-o', object]);
    objects.push(object);
  }
  await run(ar, ['rcs', path.join(directory, 'libz.a'), ...objects]);
  return { source, directory };
}

/** Configures and compiles; returns where the module and the standard library are. */
export async function buildPython(tools, source, { zlib, workDir, onConfigured }) {
  const build = path.join(source, 'builddir', 'wasi');
  const noPackages = path.join(workDir, 'no-packages');
  await mkdir(build, { recursive: true });
  await mkdir(noPackages);
  const guess = (await run(path.join(source, 'config.guess'), [])).trim();
  await run(
    path.join(source, 'configure'),
    [
      '-q',
      '--host=wasm32-unknown-wasi',
      `--build=${guess}`,
      `--with-build-python=${tools.python}`,
      '--prefix=/usr/local',
      '--disable-test-modules',
      '--without-doc-strings',
      `CC=${tools.clang} ${target}`,
      `CPP=${tools.clang} ${target} -E`,
      `AR=${tools.ar}`,
      `RANLIB=${tools.ranlib}`,
      'CFLAGS=-O3 -g0',
    ],
    {
      cwd: build,
      env: {
        CONFIG_SITE: path.join(source, 'Tools', 'wasm', 'config.site-wasm32-wasi'),
        // The machine's libraries are for another processor.
        PKG_CONFIG_LIBDIR: noPackages,
        ZLIB_CFLAGS: `-I${zlib.source}`,
        ZLIB_LIBS: `-L${zlib.directory} -lz`,
        CPPFLAGS: `-I${zlib.source}`,
        LDFLAGS: `-L${zlib.directory}`,
      },
    },
  );
  onConfigured();
  // The second target is what `sysconfig` reports; the interpreter of the machine writes it.
  await run(tools.make, [`-j${os.availableParallelism()}`, 'python.wasm', 'pybuilddir.txt'], { cwd: build });
  const module = path.join(workDir, 'python.wasm');
  await rename(path.join(build, 'python.wasm'), module);
  return { module, library: path.join(source, 'Lib'), build };
}
