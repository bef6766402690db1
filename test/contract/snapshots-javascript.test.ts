import { javascriptImage, type Session } from '@zerocloud/sandbox';
import {
  inputChannel,
  mountsOf,
  outcomeOf,
  outputChannel,
  sessionOf,
  standardChannels,
  startTestSandbox,
  type TestSandbox,
} from '../support/sandbox';

const program = { kind: 'system-image' as const, image: 'javascript', path: 'qjs' };
let test1: TestSandbox;

beforeAll(async () => {
  test1 = await startTestSandbox({ systemImages: [javascriptImage()], maxSessions: 1 });
}, 60_000);

afterAll(() => test1.close());

async function run(
  args: string[],
  changes: Partial<Session> & { stdin?: string; files?: Record<string, string> } = {},
) {
  const { stdin, files = {}, ...rest } = changes;
  const given = { args: ['qjs', ...args], channels: standardChannels(stdin), mounts: mountsOf(files) };
  const result = await test1.sandbox.run(sessionOf(program, { ...given, ...rest }));
  return { ...(await outcomeOf(result)), accounting: result.report.accounting };
}

test.each([
  ['prints', 'print("a", 1, [2, 3])', 'a 1 2,3\n'],
  [
    'logs values',
    'console.log({ a: [1, "x"], m: new Map([[1, 2]]), n: null }, "text")',
    '{ a: [ 1, "x" ], m: Map { 1 => 2 }, n: null } text\n',
  ],
  ['has arguments', 'print(scriptArgs)', 'x,y z\n'],
  [
    'has an environment',
    'print(std.getenv("NAME"), std.getenv("NONE"), Object.keys(std.getenviron()))',
    'välue undefined NAME\n',
  ],
  ['waits for promises and timers', 'setTimeout(() => print(2), 5); Promise.resolve().then(() => print(1))', '1\n2\n'],
  [
    'repeats',
    'let n = 0; const id = setInterval(() => { print(n); if (++n === 3) clearInterval(id); }, 1)',
    '0\n1\n2\n',
  ],
  ['awaits at the top', 'export {}; print(await new Promise((done) => setTimeout(done, 1, 7)))', '7\n'],
  [
    'imports std and os',
    'import * as std from "std"; import { getcwd } from "qjs:os"; std.puts(getcwd()[0], "\\n")',
    '/\n',
  ],
  [
    'writes and reads files',
    'const f = std.open("/tmp/x", "w"); f.puts("é\\n"); f.close(); print(std.loadFile("/tmp/x").length, os.stat("/tmp/x")[0].size)',
    '2 3\n',
  ],
  [
    'removes files',
    'std.open("/tmp/y", "w").close(); print(os.remove("/tmp/y"), os.remove("/tmp/y"), std.open("/tmp/y", "r"))',
    '0 -44 null\n',
  ],
  [
    'lists directories',
    'os.mkdir("/tmp/d"); print(os.readdir("/tmp")[0].filter((n) => n[0] !== "."), os.readdir("/none")[1])',
    'd -44\n',
  ],
  [
    'has the time in UTC',
    'print(new Date(0).getHours(), Math.abs(Date.now() - +new Date()) < 1000, performance.now() >= 0)',
    '0 true true\n',
  ],
  [
    'hides its machinery',
    'print(typeof zerocloud_call, typeof zerocloud_session, typeof zerocloud_value)',
    'undefined undefined undefined\n',
  ],
])('a script %s', async (_what, source, out) => {
  const result = await run(['-e', source, 'x', 'y z'], { env: { NAME: 'välue' } });
  expect(result).toMatchObject({ state: 'ok', exitCode: 0, out, err: '' });
});

test.each([
  ['an exception', 'throw new TypeError("bad")', 1, 'TypeError: bad\n    at'],
  ['a thrown value', 'throw { code: 3 }', 1, '{ code: 3 }'],
  ['wrong syntax', 'x ===', 1, 'SyntaxError'],
  ['a rejection that nobody handles', 'Promise.reject(new Error("lost"))', 1, 'Error: lost'],
  ['a rejection of a module', 'await 0; throw new Error("late")', 1, 'Error: late'],
  ['a timer that throws', 'setTimeout(() => { throw new Error("tick") })', 1, 'Error: tick'],
  ['endless recursion', 'function f() { f() }; f()', 1, 'RangeError'],
  ['a missing module', 'import "./none.js"', 1, "could not load module 'none.js'"],
  ['an exit code', 'std.exit(7); print("never")', 7, ''],
  ['all of its memory', 'const a = []; for (;;) a.push(new Uint8Array(1e6).fill(1))', 1, 'out of memory'],
])('ends with %s', async (_what, source, exitCode, err) => {
  const result = await run(['-e', source]);
  expect(result).toMatchObject({ state: 'ok', exitCode, out: '', err: expect.stringContaining(err) });
});

test('does without a world that it has frozen', async () => {
  const source = 'Object.freeze(globalThis); setTimeout(() => print("ticked"), 1)';
  expect(await run(['-e', source])).toMatchObject({ exitCode: 0, out: 'ticked\n', err: '' });
});

test('handles a rejection that is caught later', async () => {
  const source =
    'const p = Promise.reject(new Error("x")); Promise.resolve().then(() => p.catch(() => print("caught")))';
  expect(await run(['-e', source])).toMatchObject({ exitCode: 0, out: 'caught\n', err: '' });
});

test('runs a posted script with its modules', async () => {
  const files = {
    'main.js': '#!file://javascript:qjs\nimport { twice } from "./lib/twice.js";\nprint(twice(4), scriptArgs);\n',
    'lib/twice.js': 'import one from "./one.js";\nexport const twice = (x) => 2 * x * one;\n',
    'lib/one.js': 'export default 1;\n',
  };
  expect(await run(['main.js', 'a'], { files })).toMatchObject({ exitCode: 0, out: '8 main.js,a\n', err: '' });
});

test('reads standard input by lines, as text, and as a script', async () => {
  const lines = 'let l; while ((l = std.in.getline()) !== null) print(l.length, l)';
  expect((await run(['-e', lines], { stdin: `ein\nü\n\n${'x'.repeat(70_000)}` })).out).toBe(
    `3 ein\n1 ü\n0 \n70000 ${'x'.repeat(70_000)}\n`,
  );
  expect((await run(['-e', 'print(std.in.readAsString(3), std.in.readAsString())'], { stdin: 'abcdef' })).out).toBe(
    'abc def\n',
  );
  expect((await run([], { stdin: 'print(1 + 1)' })).out).toBe('2\n');
});

test('says what it cannot run', async () => {
  expect(await run(['none.js'])).toMatchObject({ exitCode: 1, err: expect.stringContaining('cannot open none.js') });
  expect(await run(['--bytecode', 'x'])).toMatchObject({ exitCode: 2, err: expect.stringContaining('usage: qjs') });
});

test('meets the quota of its channels', async () => {
  const limits = { reads: 0, readBytes: 0, writes: 100, writeBytes: 5 };
  const channels = [inputChannel(), outputChannel('/dev/stdout', { limits }), outputChannel('/dev/stderr')];
  const source = 'try { print("hello world") } catch (error) { console.error(error.errno, error.message) }';
  expect(await run(['-e', source], { channels })).toMatchObject({ out: 'hello', err: '19 EDQUOT: write\n' });
});

test('keeps nothing of one session for the next, and gives each its own chance', async () => {
  const traces = 'print(typeof secret, Array.prototype.secret, [].map.name, std.loadFile("/tmp/s"), scriptArgs.length)';
  const before = await run(['-e', traces]);
  const dirty = [
    'globalThis.secret = Array.prototype.secret = "x"; Array.prototype.map = null; std.puts = null;',
    'const f = std.open("/tmp/s", "w"); f.puts("x"); JSON.parse = null; globalThis.print = undefined;',
    'const keep = new Uint8Array(20e6).fill(120); delete globalThis.console; throw keep.length',
  ].join('\n');
  expect((await run(['-e', dirty])).exitCode).toBe(1);
  expect((await run(['-e', traces])).out).toBe(before.out);
  const chance = new Set<string>();
  for (let i = 0; i < 4; i++) chance.add((await run(['-e', 'print(Math.random())'])).out);
  expect(chance.size).toBe(4);
});

test('reports a session whose memory does not hold the engine', async () => {
  expect(await run(['-e', '1'], { memoryBytes: 65_536 })).toMatchObject({ state: 'user heap size is too small' });
});

test('is ended by the clock like any program', async () => {
  expect(await run(['-e', 'for (;;);'], { timeoutMs: 200 })).toMatchObject({ state: 'session timeout' });
  expect(await run(['-e', 'print("next")'])).toMatchObject({ out: 'next\n' });
});
