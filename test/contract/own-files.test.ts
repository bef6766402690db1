import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pythonImages, type Session } from '@zerocloud/sandbox';
import { parseNvram } from '@zerocloud/sandbox/nvram/parse-nvram';
import {
  compileGuest,
  outcomeOf,
  pythonMemoryBytes,
  pythonSession,
  sessionOf,
  startTestSandbox,
  type TestSandbox,
  takeOutput,
} from '../support/sandbox';

/** `/dev/self` and `/dev/nvram`, which every session has. */

let test1: TestSandbox;

beforeAll(async () => {
  test1 = await startTestSandbox({ systemImages: pythonImages(), maxMemoryBytes: pythonMemoryBytes, maxSessions: 1 });
});

afterAll(() => test1.close());

async function run(code: string, changes: Partial<Session> = {}): Promise<string> {
  const result = await test1.sandbox.run(pythonSession(['-c', code, 'an argument'], changes));
  const { out, err } = await outcomeOf(result);
  return out + err;
}

test('/dev/nvram is the configuration of the session as ZeroVM writes it', async () => {
  const code = 'print(open("/dev/nvram").read(), end="")';
  const text = await run(code, { env: { WHO: 'a, b\n"c"' } });
  const nvram = parseNvram(text);
  expect(nvram.args).toEqual(['python', '-c', code, 'an argument']);
  expect(nvram.env).toEqual({ WHO: 'a, b\n"c"' });
  expect([...nvram.fileTypes]).toEqual([
    ['/dev/stdin', 'pipe'],
    ['/dev/stdout', 'pipe'],
    ['/dev/stderr', 'pipe'],
  ]);
});

test('both are seen in /dev, and cannot be removed', async () => {
  const code = [
    'import os',
    'print(sorted(set(os.listdir("/dev")) & {"self", "nvram"}))',
    'try: os.unlink("/dev/self")',
    'except OSError as error: print("kept")',
  ].join('\n');
  expect(await run(code)).toBe("['nvram', 'self']\nkept\n");
});

test('/dev/self is the program of a system image', async () => {
  const program = pythonImages()[0]!.programs!.python!;
  const code = 'import os; print(os.stat("/dev/self").st_size, open("/dev/self", "rb").read(4))';
  expect(await run(code)).toBe(`${readFileSync(program).length} b'\\x00asm'\n`);
});

test.each([
  ['small, in the message', 'bytes'],
  ['a file', 'file'],
])('/dev/self is the program of the session, the first time and again (%s)', async (_name, kind) => {
  const bytes = await compileGuest('cat-self');
  const file = path.join(test1.directory, 'cat-self.wasm');
  await writeFile(file, bytes);
  const source =
    kind === 'bytes'
      ? { kind: 'bytes' as const, data: bytes }
      : { kind: 'file' as const, path: file, sizeBytes: bytes.length };
  for (const cacheKey of [undefined, kind, kind]) {
    const program = { kind: 'module' as const, source, cacheKey };
    const result = await test1.sandbox.run(sessionOf(program, { tenant: kind }));
    expect(Buffer.compare(await takeOutput(result), Buffer.from(bytes))).toBe(0);
  }
});
