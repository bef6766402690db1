import { readdirSync } from 'node:fs';
import path from 'node:path';
import { type DaemonLimits, pythonImages, type Session } from '@zerocloud/sandbox';
import {
  mountsOf,
  outcomeOf,
  pythonMemoryBytes,
  pythonSession,
  standardChannels,
  startTestSandbox,
  type TestSandbox,
} from '../support/sandbox';
import { until } from '../support/until';

/** Applications that start from a copy: what a session finds in it, what it does not, and how long copies live. */

const generous: DaemonLimits = { perTenant: 4, tenantBytes: 1024 ** 3, totalBytes: 1024 ** 3, idleMs: 600_000 };

type Files = Record<string, string>;

const counter: Files = {
  'app.py': 'import os\nloaded = os.urandom(8).hex()\ncount = 0\n',
  'main.py': 'import app\napp.count += 1\nprint(app.loaded, app.count)\n',
};

/** Most tests share a sandbox, each with a tenant of its own. */
let shared: TestSandbox;
let special: TestSandbox | undefined;
let test1: TestSandbox;
let tenant = 'tenant';
let tenants = 0;

function create(limits: Partial<DaemonLimits> = {}): Promise<TestSandbox> {
  const daemons = { ...generous, ...limits };
  return startTestSandbox({ systemImages: pythonImages(), maxMemoryBytes: pythonMemoryBytes, maxSessions: 2, daemons });
}

async function start(limits: Partial<DaemonLimits>): Promise<void> {
  special = await create(limits);
  test1 = special;
}

beforeAll(async () => {
  shared = await create();
});

beforeEach(() => {
  test1 = shared;
  tenant = `tenant-${tenants++}`;
});

afterEach(async () => {
  await special?.close();
  special = undefined;
});

afterAll(() => shared.close());

async function run(files: Files, changes: Partial<Session> = {}) {
  const daemon = { name: 'app', place: '/app', key: JSON.stringify(files), modules: ['app'] };
  const session = pythonSession(['main.py'], { tenant, mounts: mountsOf(files), daemon, ...changes });
  const result = await test1.sandbox.run(session);
  const { out, err, exitCode } = await outcomeOf(result);
  return { out, err, daemon: result.report.daemon, detail: result.report.detail, exitCode };
}

/** Files of copies, of all tenants. */
const copies = () => {
  try {
    return readdirSync(path.join(test1.workDir, 'daemons'));
  } catch {
    return [];
  }
};

let before: string[];
const newCopies = () => copies().filter((name) => !before.includes(name));
beforeEach(() => {
  before = copies();
});

test('a session starts from the copy, and leaves nothing in it', async () => {
  const first = await run(counter);
  expect(first).toMatchObject({ daemon: true, err: '', exitCode: 0, detail: undefined });
  expect(first.out).toMatch(/^[0-9a-f]{16} 1\n$/);
  for (let i = 0; i < 3; i++) expect((await run(counter)).out).toBe(first.out);
  expect(newCopies()).toHaveLength(1);
  const [kept] = test1.sandbox.daemons(tenant);
  expect(kept).toMatchObject({ name: 'app', modules: ['app'], sessionCount: 4 });
  expect(kept!.sizeBytes).toBeGreaterThan(1_000_000);
});

test('a session has its own arguments, variables, channels and random numbers', async () => {
  const files: Files = {
    'app.py': [
      'import os, sys, random, logging, atexit',
      'seen = (list(sys.argv), sorted(os.environ), sys.stdin.read())',
      'logging.basicConfig(stream=sys.stderr, format="log %(message)s")',
      'out = sys.stdout',
      'atexit.register(lambda: print("bye", file=out))',
      'print("lost")',
    ].join('\n'),
    'main.py': [
      'import app, os, sys, random, logging, __main__',
      'print(app.seen, sys.argv, os.environ["WHO"], sys.stdin.read(), app.out is sys.stdout, __name__)',
      'print(random.random(), os.urandom(4).hex())',
      'logging.warning("here")',
      'app.out.write("end\\n")',
    ].join('\n'),
  };
  const args = ['python', 'main.py', 'secret'];
  const outcomes: Awaited<ReturnType<typeof run>>[] = [];
  for (const who of ['ann', 'bob']) {
    const channels = standardChannels(`input of ${who}`);
    const outcome = await run(files, { args: [...args, who], env: { WHO: who }, channels });
    expect(outcome).toMatchObject({ daemon: true, err: 'log here\n', exitCode: 0 });
    expect(outcome.out).toContain(
      `([''], [], '') ['main.py', 'secret', '${who}'] ${who} input of ${who} True __main__`,
    );
    expect(outcome.out).toMatch(/\nend\nbye\n$/);
    outcomes.push(outcome);
  }
  const numbers = outcomes.map(({ out }) => out.split('\n')[1]);
  expect(numbers[0]).not.toBe(numbers[1]);
});

test("modules of the application that are named as those of the library are the application's", async () => {
  const files: Files = {
    'json.py': 'name = "own"\n',
    'app.py': 'import json\nname = json.name\n',
    'main.py': 'import app, json, sys\nprint(app.name, json is app.json)\n',
  };
  for (let i = 0; i < 2; i++) expect(await run(files)).toMatchObject({ out: 'own True\n', daemon: true });
});

test('a changed application has a new copy, and the old one is removed', async () => {
  await run(counter);
  const changed = { ...counter, 'app.py': 'loaded = "changed"\ncount = 5\n' };
  expect((await run(changed)).out).toBe('changed 6\n');
  await until('the old copy is removed', () => newCopies().length === 1);
  expect(test1.sandbox.daemons(tenant)).toHaveLength(1);
});

test('tenants have copies of their own', async () => {
  const first = await run(counter);
  const other = await run(counter, { tenant: 'other' });
  expect(other.daemon).toBe(true);
  expect(other.out).not.toBe(first.out);
  expect((await run(counter)).out).toBe(first.out);
  expect([test1.sandbox.daemons(tenant).length, test1.sandbox.daemons('other').length]).toEqual([1, 1]);
});

test('sessions that come together wait for one copy', async () => {
  const outcomes = await Promise.all([1, 2, 3, 4].map(() => run(counter)));
  expect(new Set(outcomes.map(({ out }) => out)).size).toBe(1);
  expect(newCopies()).toHaveLength(1);
});

test('beyond the number of one tenant, the copy that was not used for the longest time goes', async () => {
  await start({ perTenant: 2 });
  const named = (name: string) => run(counter, { daemon: { name, place: '/app', key: name, modules: ['app'] } });
  const a = await named('a');
  await named('b');
  expect((await named('a')).out).toBe(a.out);
  await named('c');
  expect(test1.sandbox.daemons(tenant).map(({ name }) => name)).toEqual(['c', 'a']);
  await until('its file is removed', () => copies().length === 2);
  expect((await named('a')).out).toBe(a.out);
});

test('a copy larger than the bytes of a tenant is not kept, and its session runs all the same', async () => {
  await start({ tenantBytes: 1000 });
  const outcome = await run(counter);
  expect(outcome).toMatchObject({ daemon: false, exitCode: 0 });
  expect(outcome.detail).toMatch(/^no daemon: the copy has \d+ bytes$/);
  expect(newCopies()).toEqual([]);
});

test('copies that nobody uses are removed', async () => {
  await start({ idleMs: 40 });
  await run(counter);
  await until('the copy is removed', () => copies().length === 0);
  expect((await run(counter)).daemon).toBe(true);
});

test.each([
  ['a module that is not there', ['nowhere'], /^no daemon: ModuleNotFoundError: No module named 'nowhere'$/],
  ['a module that raises', ['broken'], /^no daemon: ZeroDivisionError/],
  ['a module that ends the interpreter', ['leaves'], /^no daemon: the import failed$/],
  ['a module that leaves a file open', ['opens'], /^no daemon: importing left 1 files open$/],
])('%s makes no copy; the session says so and runs', async (_name, modules, detail) => {
  const files: Files = {
    ...counter,
    'broken.py': '1/0',
    'leaves.py': 'import os; os._exit(3)',
    'opens.py': 'kept = open("/main.py")',
  };
  for (let i = 0; i < 2; i++) {
    const outcome = await run(files, { daemon: { name: 'app', place: '/app', key: 'x', modules } });
    expect(outcome).toMatchObject({ daemon: false, exitCode: 0, detail: expect.stringMatching(detail) });
    expect(outcome.out).toMatch(/ 1\n$/);
  }
  expect(newCopies()).toEqual([]);
});

test('an import that does not end is ended at the time of the session', async () => {
  const files = { ...counter, 'spin.py': 'while True: pass' };
  const outcome = await run(files, {
    daemon: { name: 'app', place: '/app', key: 'x', modules: ['spin'] },
    timeoutMs: 300,
  });
  expect(outcome).toMatchObject({ daemon: false, detail: 'no daemon: session timeout', exitCode: 0 });
});

test('a session that a copy cannot serve starts by itself', async () => {
  const first = await run(counter);
  const own = await run(counter, { env: { PYTHONOPTIMIZE: '1' } });
  expect(own.daemon).toBe(false);
  expect(own.out).not.toBe(first.out);
});

test('sessions that trap or run out of time do not touch the copy', async () => {
  const files = {
    ...counter,
    'main.py':
      'import app, sys\napp.count += 1\nprint(app.loaded, app.count, flush=True)\nif len(sys.argv) > 1: exec(sys.argv[1])\n',
  };
  const first = await run(files);
  const spun = await run(files, { args: ['python', 'main.py', 'while True: pass'], timeoutMs: 2000 });
  expect(spun.out).toBe(first.out);
  const grown = await run(files, { args: ['python', 'main.py', 'x = bytearray(100_000_000)'] });
  expect(grown).toMatchObject({ out: first.out, daemon: true });
  expect((await run(files)).out).toBe(first.out);
});

test('a session whose client has gone ends the making of its copy', async () => {
  const files = { ...counter, 'spin.py': 'while True: pass' };
  const daemon = { name: 'app', place: '/app', key: 'x', modules: ['spin'] };
  const session = pythonSession(['main.py'], { tenant, mounts: mountsOf(files), daemon });
  const gone = new AbortController();
  const running = test1.sandbox.run(session, { signal: gone.signal });
  await until('the copy is being made', () => test1.sandbox.load().running === 1);
  gone.abort(new Error('gone'));
  await expect(running).rejects.toThrow('gone');
  await until('nothing runs', () => test1.sandbox.load().running === 0);
});

test('without limits for them there are no daemons', async () => {
  special = await startTestSandbox({ systemImages: pythonImages(), maxMemoryBytes: pythonMemoryBytes });
  test1 = special;
  expect(await run(counter)).toMatchObject({ daemon: false, exitCode: 0, detail: undefined });
});
