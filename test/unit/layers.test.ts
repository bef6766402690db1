import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const packages = path.join(__dirname, '../../packages');
const mayImport: Record<string, string[]> = {
  sandbox: [],
  'object-server': ['sandbox'],
  proxy: ['object-server', 'sandbox'],
};

function sources(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => path.join(directory, name));
}

describe.each(Object.entries(mayImport))('package %s', (name, allowed) => {
  test(`imports no other package of ours than: ${allowed.join(', ') || 'none'}`, () => {
    for (const file of sources(path.join(packages, name, 'src'))) {
      const text = readFileSync(file, 'utf8');
      for (const [, imported] of text.matchAll(/from '@zerocloud\/([a-z-]+)/g)) {
        expect({ file, imported, allowed: allowed.includes(imported!) }).toEqual({ file, imported, allowed: true });
      }
      expect(text).not.toMatch(/from '(\.\.\/)+(packages|proxy|object-server|sandbox)\//);
    }
  });
});
