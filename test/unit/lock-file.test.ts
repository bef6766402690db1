import { readFileSync } from 'node:fs';
import path from 'node:path';

interface LockedPackage {
  version?: string;
  resolved?: string;
  optionalDependencies?: Record<string, string>;
}

const file = path.join(__dirname, '../../package-lock.json');
const { packages } = JSON.parse(readFileSync(file, 'utf8')) as { packages: Record<string, LockedPackage> };

describe('package-lock.json', () => {
  test('has the native packages of every platform, or npm ci refuses it (node scripts/complete-lock.mjs adds them)', () => {
    const locked = new Set(Object.keys(packages).map((key) => key.replace(/^.*node_modules\//, '')));
    const wanted = Object.values(packages).flatMap(({ optionalDependencies = {} }) =>
      Object.keys(optionalDependencies),
    );
    expect(wanted.filter((name) => !locked.has(name))).toEqual([]);
  });

  test('names no registry, so that each machine takes its own', () => {
    const fixed = Object.values(packages).filter(({ resolved }) => resolved?.startsWith('http'));
    expect(fixed).toEqual([]);
  });
});
