#!/usr/bin/env node
/**
 * Adds to package-lock.json the native packages of other platforms that a registry did not offer when it was written.
 * Without an entry for each of them `npm ci` refuses the lock file. Versions are the exact ones their parents ask for;
 * there is no integrity, since nobody here has seen them. They are optional, and only installed on their platform.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const file = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', 'package-lock.json');
const lock = JSON.parse(readFileSync(file, 'utf8'));
const parts = {
  os: ['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32'],
  cpu: ['arm', 'arm64', 'ia32', 'loong64', 'ppc64', 'riscv64', 's390x', 'x64'],
  libc: ['glibc', 'musl'],
};

for (const parent of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
    const words = name.split(/[-/]/).map((word) => word.replace(/^gnu(eabihf)?$/, 'glibc').replace(/^musl.*/, 'musl'));
    const platform = Object.fromEntries(
      Object.entries(parts).map(([key, known]) => [key, words.filter((word) => known.includes(word))]),
    );
    const isExact = /^\d+\.\d+\.\d+$/.test(version);
    if (!lock.packages[`node_modules/${name}`] && isExact && platform.os.length === 1 && platform.cpu.length === 1) {
      const { os, cpu, libc } = platform;
      const entry = {
        version,
        cpu,
        ...(parent.dev && { dev: true }),
        ...(libc.length && { libc }),
        optional: true,
        os,
      };
      lock.packages[`node_modules/${name}`] = entry;
    }
  }
}
const sorted = Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en'));
writeFileSync(file, `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, undefined, 2)}\n`);
