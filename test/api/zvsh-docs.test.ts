import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { openWorkplace, type Workplace } from './zvsh-support';

/** Everything that docs/zvsh.md shows at a prompt, in one directory from top to bottom. */

interface Example {
  line: number;
  command: string;
  output: string;
}

const root = path.join(__dirname, '../..');
const examples = readExamples(readFileSync(path.join(root, 'docs/zvsh.md'), 'utf8'));

function readExamples(text: string): Example[] {
  const found: Example[] = [];
  let inside = false;
  text.split('\n').forEach((line, index) => {
    if (line.startsWith('```')) inside = line === '```console';
    else if (inside && line.startsWith('$ ')) found.push({ line: index + 1, command: line.slice(2), output: '' });
    else if (inside && line.startsWith('> ')) found.at(-1)!.command += `\n${line.slice(2)}`;
    else if (inside) found.at(-1)!.output += `${line}\n`;
  });
  return found;
}

let here: Workplace;
let env: Record<string, string>;
let lastCode = 0;

beforeAll(async () => {
  here = await openWorkplace();
  const bin = path.join(here.directory, '../npx');
  mkdirSync(bin);
  // The commands of a clone, without npm in between.
  writeFileSync(path.join(bin, 'npx'), '#!/bin/sh\nexec "$@"\n');
  chmodSync(path.join(bin, 'npx'), 0o755);
  const commands = path.join(here.directory, '../bin');
  env = { PATH: [bin, commands, path.join(root, 'node_modules/.bin'), process.env.PATH].join(':') };
});

afterAll(() => here.close());

test.each(examples.map(({ line, command, output }) => [line, command, output] as const))(
  'line %i: %s',
  async (_, command, output) => {
    const { code, stdout } = await here.type(`set +e; exec 2>&1 < /dev/null; (exit ${lastCode})\n${command}`, env);
    lastCode = code ?? 1;
    const pattern = output.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('…', '[^\\n]*');
    expect(stdout).toMatch(new RegExp(`^${pattern}$`));
  },
);

test('there is something to run', () => expect(examples.length).toBeGreaterThan(20));
