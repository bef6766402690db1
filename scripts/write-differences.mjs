#!/usr/bin/env node
/** `npm run docs`: writes what the differential test knows into docs/api.md; a test checks that it is current. */
import { readFileSync, writeFileSync } from 'node:fs';
import ts from 'typescript';

const source = new URL('../test/differential/known-differences.ts', import.meta.url);
const manual = new URL('../docs/api.md', import.meta.url);
const marks = /(<!-- known differences: .*-->\n)[\s\S]*?(<!-- end of known differences -->)/;

const { outputText } = ts.transpileModule(readFileSync(source, 'utf8'), {
  compilerOptions: { module: ts.ModuleKind.ESNext },
});
const { knownDifferences } = await import(`data:text/javascript,${encodeURIComponent(outputText)}`);
const rows = new Set(knownDifferences.map(({ suite, reason }) => `| ${suite} | ${reason} |`));
const table = ['| suite | Swift |', '|---|---|', ...rows].join('\n');
writeFileSync(
  manual,
  readFileSync(manual, 'utf8').replace(marks, (_, begin, end) => `${begin}\n${table}\n\n${end}`),
);
