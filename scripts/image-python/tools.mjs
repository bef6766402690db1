import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';

/** What the person at the terminal can do something about. */
export class BuildError extends Error {}

const files = {
  clang: { package: 'clang', paths: ['/usr/bin/clang'] },
  linker: { package: 'lld', paths: ['/usr/bin/wasm-ld'] },
  ar: { package: 'llvm', paths: ['/usr/bin/llvm-ar', '/usr/bin/llvm-ar-14'] },
  ranlib: { package: 'llvm', paths: ['/usr/bin/llvm-ranlib', '/usr/bin/llvm-ranlib-14'] },
  libc: { package: 'wasi-libc', paths: ['/usr/lib/wasm32-wasi/libc.a'] },
  builtins: {
    package: 'libclang-rt-14-dev-wasm32',
    paths: ['/usr/lib/llvm-14/lib/clang/14.0.6/lib/wasi/libclang_rt.builtins-wasm32.a'],
  },
  // The build runs a Python of the very same version to prepare the cross-built one.
  python: { package: 'python3.11', paths: ['/usr/bin/python3.11'] },
  make: { package: 'make', paths: ['/usr/bin/make'] },
  dpkgSource: { package: 'dpkg-dev', paths: ['/usr/bin/dpkg-source'] },
  aptGet: { package: 'apt', paths: ['/usr/bin/apt-get'] },
};

/** Paths of the tools. Throws a `BuildError` with the apt-get line for those that are missing. */
export async function checkTools() {
  const tools = {};
  const missing = new Set();
  for (const [name, { package: debianPackage, paths }] of Object.entries(files)) {
    tools[name] = paths.find((path) => existsSync(path));
    if (!tools[name]) missing.add(debianPackage);
  }
  if (missing.size > 0) {
    const all = [...missing].join(' ');
    throw new BuildError(`Debian 12 packages are missing. Install them with:\n\n    apt-get install ${all}\n`);
  }
  return tools;
}

/** Runs a program to its end; a failure is a `BuildError` with the end of what it printed. */
export function run(program, args, { cwd, env = {} } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd,
      env: { ...cleanEnvironment(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let tail = '';
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
      tail = (tail + chunk).slice(-4000);
    });
    child.stderr.on('data', (chunk) => {
      tail = (tail + chunk).slice(-4000);
    });
    child.on('error', (error) => reject(new BuildError(`${program}: ${error.message}`)));
    child.on('close', (code) => {
      if (code === 0) resolve(output);
      else reject(new BuildError(`${tail}\n${program} ${args.slice(0, 3).join(' ')} failed with exit code ${code}`));
    });
  });
}

/** Flags and paths of other toolchains in the caller's environment must not reach the cross build. */
function cleanEnvironment() {
  const kept = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (/^(HOME|USER|TERM|LANG|TMPDIR|.*_proxy|.*_PROXY|SSL_CERT.*)$/.test(name)) kept[name] = value;
  }
  return { ...kept, PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8' };
}
