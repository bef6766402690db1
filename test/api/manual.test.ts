import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { startServer, type TestServer } from '../support/server';

/** The shell commands that README.md, docs/api.md and examples/README.md show, typed by one who reads them in this order. */

const root = path.join(__dirname, '../..');
let server: TestServer;
let directory: string;

beforeAll(async () => {
  server = await startServer();
  directory = await mkdtemp(path.join(os.tmpdir(), 'zerocloud-manual-'));
});
afterAll(async () => {
  await server.close();
  await rm(directory, { recursive: true });
});

/** Blocks of commands for a running server; those that start one, or need clients besides curl, are tested elsewhere. */
function commandsOf(file: string): string[] {
  const blocks = readFileSync(path.join(root, file), 'utf8').matchAll(/^```sh\n(.*?)^```$/gms);
  return Array.from(blocks, ([, text]) => text!).filter((text) => !/\bnp[mx] |\brclone /.test(text));
}

/** Runs blocks in one shell; the first request that is refused ends it. */
async function type(blocks: string[], cwd = directory): Promise<string> {
  const script = blocks.join('\necho\n').replaceAll('http://127.0.0.1:8080', server.url).replaceAll('/tmp/', '../');
  const curl = 'curl() { command curl -sSf "$@"; }\n';
  const options = ['-e', '-u', '-o', 'pipefail', '-c', curl + script];
  const { stdout } = await promisify(execFile)('bash', options, { cwd });
  return stdout;
}

function expectAll(output: string, texts: readonly (string | RegExp)[]): void {
  for (const text of texts) expect(output).toMatch(text);
}

test('the tour of the README, and then the examples of the API, do what the text says', async () => {
  const [tour, manual] = [commandsOf('README.md'), commandsOf('docs/api.md')];
  expect([tour.length, manual.length]).toEqual([4, 4]);
  const output = await type([...tour, ...manual]);
  expectAll(output, [
    'a.txt\nb.txt\n',
    /hello from 3\.\d+\.\d+\n/,
    /^X-Nexe-Status: ok,ok\r$/m,
    'THE QUICK BROWN FOX\n',
    'first half, second half!half, se',
    '"Number Files Created": 2',
    'Number Deleted: 3\n',
    'the quick brown fox\n',
    /201 Created$/,
  ]);
});

test('the examples do what their README says', async () => {
  const examples = path.join(directory, 'examples');
  await cp(path.join(root, 'examples'), examples, { recursive: true });
  const [login] = commandsOf('README.md');
  const output = await type([login!, ...commandsOf('examples/README.md')], examples);
  expectAll(output, [
    '1-fruit.sorted\n2-greens.sorted\napple\npear\n',
    '3 and\n3 more\n1 one\n1 three\n1 two\n',
    /^\/help 1$/m,
    /^\/home 2$/m,
    '{\n  "a": null,\n  "b": [\n    1,\n    2\n  ]\n}\n',
    /^Hello, curl\/\d/m,
    /^X-Nexe-Cached: true\r$/m,
    /^hello\nhttp:.*\/api\/AUTH_test\/pastebin\/[a-z0-9]{10}\t1\tprint\("hello"\)\n$/m,
  ]);
});
