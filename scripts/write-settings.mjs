#!/usr/bin/env node
/** `npm run docs`: writes the table of settings into docs/operations.md; a test checks that it is current. */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const { settingsTable } = createRequire(import.meta.url)('@zerocloud/object-server/settings');
const file = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', 'docs', 'operations.md');
const marks = /(<!-- settings: .*-->\n)[\s\S]*?(<!-- end of settings -->)/;

const text = readFileSync(file, 'utf8');
writeFileSync(
  file,
  text.replace(marks, (_, begin, end) => `${begin}\n${settingsTable()}\n\n${end}`),
);
