import { readFileSync } from 'node:fs';
import path from 'node:path';
import { knownDifferences } from '../differential/known-differences';

const manual = readFileSync(path.join(__dirname, '../../docs/api.md'), 'utf8');
const table = /<!-- known differences: [\s\S]*?<!-- end of known differences -->/.exec(manual)?.[0] ?? '';

test('docs/api.md names every difference that the differential test knows, and no other', () => {
  const rows = new Set(knownDifferences.map(({ suite, reason }) => `| ${suite} | ${reason} |`));
  const documented = table.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| suite |'));
  expect(documented.sort()).toEqual([...rows].sort());
});
