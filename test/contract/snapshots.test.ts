import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { pythonImages, type Session } from '@zerocloud/sandbox';
import {
  compileGuest,
  descendantPids,
  inputChannel,
  mountsOf,
  type Outcome,
  outcomeOf,
  outputChannel,
  pythonMemoryBytes,
  pythonSession,
  sessionOf,
  standardChannels,
  startTestSandbox,
  type TestSandbox,
  takeOutput,
} from '../support/sandbox';
import { until } from '../support/until';

/**
 * Python from a snapshot is Python: every session here runs twice, once from the snapshot and once in an interpreter that was
 * started for it (the option `-q`, which changes nothing else, asks for that), and must end in the same way.
 */

const built = path.join(__dirname, '..', '..', 'images', 'python');
const images: [string, string | undefined][] = [['the image from npm', undefined]];
if (existsSync(path.join(built, 'image.json'))) images.push(['the built image', built]);

function withoutAddresses(outcome: Outcome): Outcome {
  const strip = (text: string) => text.replace(/0x[0-9a-f]+/g, '0x');
  return { ...outcome, out: strip(outcome.out), err: strip(outcome.err) };
}

describe.each(images)('python of %s', (_name, directory) => {
  let test1: TestSandbox;

  beforeAll(async () => {
    test1 = await startTestSandbox({
      systemImages: pythonImages(directory),
      maxMemoryBytes: pythonMemoryBytes,
      maxSessions: 1,
    });
  }, 60_000);

  afterAll(() => test1.close());

  async function run(args: string[], changes: Partial<Session> & { stdin?: string } = {}): Promise<Outcome> {
    const { stdin, ...rest } = changes;
    const session = pythonSession(args, { channels: standardChannels(stdin), ...rest });
    return outcomeOf(await test1.sandbox.run(session));
  }

  /** The outcome from the snapshot, after seeing that a normal start has the same. */
  async function bothWays(args: string[], changes: Partial<Session> & { stdin?: string } = {}) {
    const restored = await run(args, changes);
    const started = await run(['-q', ...args], changes);
    expect(withoutAddresses(restored)).toEqual(withoutAddresses(started));
    return restored;
  }

  const inline = (source: string, ...args: string[]) => bothWays(['-c', source, ...args]);

  test('is restored, not started', async () => {
    // The seed of string hashes is chosen when an interpreter starts.
    const hash = async (...args: string[]) => (await run([...args, '-c', 'print(hash("x"))'])).out;
    const first = await hash();
    expect(await hash()).toBe(first);
    expect(await hash('-q')).not.toBe(first);
  });

  test.each([
    ['says hello', 'print("hello")'],
    ['has its arguments', 'import sys; print(sys.argv)'],
    ['has its namespace', 'print(list(globals()), __name__, __doc__, __spec__, __package__, __builtins__)'],
    [
      'has a main module',
      'import __main__, sys; print(__main__.__dict__ is globals(), sys.modules["__main__"] is __main__)',
    ],
    ['has the default search path', 'import sys; print(sys.path)'],
    ['has the defaults of an interpreter', 'import sys; print(sys.executable, sys.prefix, sys.getrecursionlimit())'],
    ['has its streams', 'import sys; print(sys.stdin, sys.stdout, sys.stderr, sys.__stdout__ is sys.stdout)'],
    ['has an environment', 'import os; print(sorted(os.environ.items()), os.getenv("HOME"))'],
    ['works in the root', 'import os; print(os.getcwd(), sorted(os.listdir()))'],
    ['raises', '1/0'],
    ['raises deep inside', 'def f(n):\n  return 1/n if n == 0 else f(n-1)\nf(3)'],
    ['raises from another exception', 'try:\n  1/0\nexcept ZeroDivisionError as e:\n  raise KeyError("x") from e'],
    ['raises while handling one', 'try:\n  1/0\nexcept ZeroDivisionError:\n  [][1]'],
    ['has wrong syntax', 'def f(:\n  pass'],
    ['has wrong indentation', 'if True:\nprint(1)'],
    ['recurses without end', 'def f(): f()\ntry:\n  f()\nexcept RecursionError as e:\n  print("caught", e)'],
    ['exits', 'import sys; sys.exit()'],
    ['exits with a number', 'import sys; sys.exit(3)'],
    ['exits with a large number', 'import sys; sys.exit(300)'],
    ['exits with a negative number', 'import sys; sys.exit(-1)'],
    ['exits with a number out of range', 'import sys; sys.exit(2**40)'],
    ['exits with a truth value', 'import sys; sys.exit(True)'],
    ['exits with a text', 'import sys; sys.exit("sorry")'],
    ['exits with a list', 'import sys; sys.exit([1])'],
    ['raises SystemExit', 'raise SystemExit(7)'],
    ['quits', 'quit(4)'],
    ['exits at once', 'import os\nprint("lost")\nos._exit(9)'],
    ['is interrupted', 'raise KeyboardInterrupt'],
    [
      'has exit functions',
      'import atexit\natexit.register(print, "bye")\natexit.register(print, "first")\nprint("hi")',
    ],
    ['has an exit function that fails', 'import atexit\natexit.register(lambda: 1/0)\nprint("hi")'],
    ['exits in an exit function', 'import atexit, sys\natexit.register(lambda: print("end"))\nsys.exit(2)'],
    ['has its own excepthook', 'import sys\nsys.excepthook = lambda *a: print("hook", a[0].__name__)\n1/0'],
    ['has an excepthook that fails', 'import sys\ndef hook(*a): raise KeyError("hook")\nsys.excepthook = hook\n1/0'],
    ['has an excepthook that exits', 'import sys\ndef hook(*a): sys.exit(5)\nsys.excepthook = hook\n1/0'],
    ['leaves output unflushed', 'import sys; sys.stdout.write("no newline")'],
    ['leaves a file open', 'f = open("/tmp/x", "w"); f.write("text"); print(open("/tmp/x").read())'],
    ['leaves an output open', 'f = open("/dev/stdout", "a"); f.write("text")'],
    ['leaves an output open in a module', 'import json; json.f = open("/dev/stdout", "a"); json.f.write("text")'],
    [
      'replaces its output',
      'import sys, io\nsys.stdout = io.TextIOWrapper(io.open(1, "wb", closefd=False))\nprint("mine")',
    ],
    ['closes its output', 'import sys; print("x"); sys.stdout.close()'],
    ['loses its output', 'import sys; print("x"); sys.stdout = None; print("y")'],
    ['has finalizers', 'class A:\n  def __del__(self): print("gone", A.__name__)\na = A()\nprint("alive")'],
    [
      'has finalizers in cycles',
      'class A:\n  def __del__(self): print("gone")\na = A(); a.a = a; del a\nprint("alive")',
    ],
    ['has a finalizer that fails', 'class A:\n  def __del__(self): 1/0\na = A()'],
    ['warns', 'import warnings; warnings.warn("careful")'],
    ['imports late', 'import decimal, argparse, enum\nprint(decimal.Decimal("0.1") + 1, enum.Enum)'],
    ['imports what is not there', 'import nowhere'],
    ['imports what wasm cannot', 'import subprocess\nsubprocess.run(["ls"])'],
    ['runs out of memory', 'try:\n  bytearray(10**9)\nexcept MemoryError:\n  print("caught")'],
    ['uses memory', 'x = [bytes(1000) for _ in range(50000)]\nprint(len(x))'],
    [
      'breaks the builtins',
      'import builtins\nfor n in dir(builtins):\n  if n[0] != "_" and n != "print": delattr(builtins, n)\nprint("done")',
    ],
    ['forgets modules', 'import sys\nsys.modules.clear()\nprint("done")'],
    ['prints what is not ASCII', 'print("Zürich", "\\udcff".encode("utf8", "surrogateescape"))'],
    ['has a local time', 'import time; print(time.gmtime(0)[:6], time.localtime(0)[:6], time.tzname)'],
    ['collects garbage', 'import gc; print(gc.isenabled(), gc.get_threshold(), gc.collect() >= 0)'],
    ['has annotations', 'x: int = 3\nprint(__annotations__)'],
    ['uses an event loop', 'import asyncio\nasync def f(): return 3\nprint(asyncio.new_event_loop)'],
  ])('%s', async (_what, source) => {
    await inline(source, 'a', 'b c', '');
  });

  test('reads its standard input as text', async () => {
    const source = 'import sys\nprint(input())\nprint([*sys.stdin])';
    expect((await bothWays(['-c', source], { stdin: 'eins\nzwei\r\ndrei' })).out).toContain('eins');
  });

  test('has the environment of its session', async () => {
    const env = { HOME: '/', PATH_INFO: '/x', TEXT: 'Zürich\n=', EMPTY: '' };
    const source = 'import os, posix\nprint(os.environ, posix.environ[b"TEXT"], os.path.expanduser("~"))';
    expect((await bothWays(['-c', source], { env })).out).toContain("'EMPTY': ''");
  });

  test('runs a script with a module beside it', async () => {
    const mounts = mountsOf({
      'main.py':
        '"""Doc."""\nimport helper, sys\nprint(__file__, __doc__, __cached__, type(__loader__), sys.argv, sys.path[0])\nhelper.fail()',
      'helper.py': 'def fail():\n    raise ValueError(__file__)\n',
      'dir/other.py': 'import sys\nprint(__file__, sys.path[0], sys.argv)',
    });
    expect((await bothWays(['main.py', 'x'], { mounts })).err).toContain('ValueError: /helper.py');
    await bothWays(['/main.py'], { mounts });
    await bothWays(['dir/other.py', '-c', 'x'], { mounts });
    await bothWays(['/dir/../main.py'], { mounts });
  });

  test('runs a module and a package', async () => {
    const mounts = mountsOf({
      'tool.py': 'import sys\nprint(__name__, __file__, sys.argv, __spec__.name)\n1/0',
      'pack/__init__.py': 'print("package")',
      'pack/__main__.py': 'import sys\nfrom . import part\nprint(part.x, sys.argv, __package__)',
      'pack/part.py': 'x = 5',
    });
    await bothWays(['-m', 'tool', 'a'], { mounts });
    await bothWays(['-m', 'pack', 'a'], { mounts });
    await bothWays(['pack', 'a'], { mounts });
    await bothWays(['-m', 'nowhere'], { mounts });
  });

  test('runs a script on standard input', async () => {
    const stdin = 'import sys\nprint(sys.argv, sys.stdin.read(), __file__)\n1/0\n';
    expect((await bothWays([], { stdin })).exitCode).toBe(1);
    await bothWays(['-', 'x'], { stdin });
  });

  test('finds modules on PYTHONPATH, in the script directory, and where packages are installed', async () => {
    // The npm image has a file system of its own where packages are installed.
    const packages = directory === undefined ? 'lib/b' : 'usr/local/lib/python3.11/dist-packages';
    const mounts = mountsOf({
      'main.py': 'import one, two, three, string\nprint(one.x, two.x, three.x, string.__file__)',
      'one.py': 'x = 1',
      'string.py': 'ascii_letters = ""',
      'lib/a/two.py': 'x = 2',
      [`${packages}/three.py`]: 'x = 3',
    });
    const result = await bothWays(['main.py'], { mounts, env: { PYTHONPATH: '/lib/a:/none:/lib/b' } });
    expect(result).toMatchObject({ out: '1 2 3 /string.py\n', err: '' });
    await bothWays(['-c', 'import sys; print(sys.path)'], { env: { PYTHONPATH: '/lib/a::/none' } });
  });

  test('starts an interpreter for what a snapshot cannot serve', async () => {
    const mounts = mountsOf({ 'app/__main__.py': 'print("from a directory")', 'bad.py': 'x' });
    expect(await run(['app'], { mounts })).toMatchObject({ out: 'from a directory\n', exitCode: 0 });
    expect(await run(['-O', '-c', 'print(__debug__)'])).toMatchObject({ out: 'False\n' });
    expect(await run(['-V'])).toMatchObject({ out: expect.stringMatching(/^Python 3/) });
    expect(await run(['-c', 'import sys; print(sys.flags.optimize)'], { env: { PYTHONOPTIMIZE: '2' } })).toMatchObject({
      out: '2\n',
    });
    expect(await run(['missing.py'])).toMatchObject({ exitCode: 2, err: expect.stringContaining("can't open file") });
  });

  test('has a clock and chance of its own', async () => {
    const source = 'import random, time, os\nprint(random.random(), os.urandom(4).hex(), time.time())';
    const values = new Set<string>();
    for (let i = 0; i < 3; i++) for (const value of (await run(['-c', source])).out.split(' ')) values.add(value);
    expect(values.size).toBe(9);
    const now = Number((await run(['-c', 'import time; print(time.time())'])).out) * 1000;
    expect(Math.abs(now - Date.now())).toBeLessThan(60_000);
  });

  test('keeps nothing of one session for the next', async () => {
    const traces = [
      'import sys, os, json, builtins, random',
      'print(sorted(k for k in globals() if k[0] != "_"))',
      'print(hasattr(sys, "secret"), hasattr(json, "secret"), hasattr(builtins, "secret"), "secret" in sys.modules)',
      'print(os.environ.get("SECRET"), os.path.exists("/tmp/secret"), os.path.exists("/secret"), sys.path, len(sys.argv))',
      'print(json.dumps({"a": 1}), len([]), sys.getrecursionlimit(), sys.excepthook is sys.__excepthook__)',
      'import gc; print(any(o == "the-" + "secret" for o in gc.get_objects() if type(o) is str), int(gc.isenabled()))',
      'for fd in range(3, 40):',
      '    try: print(fd, os.read(fd, 10))',
      '    except OSError: pass',
    ].join('\n');
    const before = await run(['-c', traces]);
    const dirty = [
      'import sys, os, json, builtins, gc, atexit, types',
      'sys.secret = json.secret = builtins.secret = sys.modules["secret"] = keep = ["the-secret"] * 1000',
      'os.environ["SECRET"] = "x"; open("/tmp/secret", "w").write("the-secret")',
      'json.dumps = len = builtins.len = None; sys.path.append("/evil"); sys.argv.append("x"); gc.disable()',
      'sys.setrecursionlimit(77); sys.excepthook = print; atexit.register(print, "late")',
      'files = [os.open("/tmp/secret", os.O_RDONLY) for _ in range(20)]',
      'memory = bytearray(b"the-secret" * 3_000_000)',
      'raise SystemError(keep[0])',
    ].join('\n');
    expect((await run(['-c', dirty], { stdin: 'secret' })).exitCode).toBe(1);
    expect(await run(['-c', traces])).toEqual(before);
    expect(before.err).toBe('');
    expect(before.out).toMatch(/False False False False\nNone False False.*\nFalse 1\n$/s);
  });

  test('is as new after every way to end', async () => {
    const hello = async () => expect(await run(['-c', 'print("hello")'])).toMatchObject({ out: 'hello\n', err: '' });
    for (const source of ['1/0', 'import os; os._exit(3)', 'x = bytearray(10**8)', 'import sys; sys.exit("x")']) {
      await run(['-c', source]);
      await hello();
    }
    const timeout = await run(['-c', 'while True: pass'], { timeoutMs: 200 });
    expect(timeout.state).toBe('session timeout');
    await hello();
  });

  test('holds the memory limit of each session', async () => {
    const source =
      'import sys\ntry:\n  x = bytearray(60 * 1024 ** 2)\n  print("has it")\nexcept MemoryError:\n  print("has it not")';
    for (const [mebibytes, outcome] of [
      [256, 'has it'],
      [48, 'has it not'],
      [256, 'has it'],
      [32, 'has it not'],
    ] as const) {
      const result = await run(['-c', source], { memoryBytes: mebibytes * 1024 ** 2 });
      expect(result).toMatchObject({ out: `${outcome}\n`, state: 'ok' });
    }
    const tiny = await run(['-c', 'print(1)'], { memoryBytes: 65_536 });
    expect(tiny.state).toBe('user heap size is too small');
  });

  test('holds the quotas of its channels', async () => {
    const limits = { reads: 0, readBytes: 0, writes: 100, writeBytes: 5 };
    const channels = [inputChannel(), outputChannel('/dev/stdout', { limits }), outputChannel('/dev/stderr')];
    expect(await bothWays(['-c', 'print("hello world")'], { channels })).toMatchObject({ exitCode: 120, out: 'hello' });
  });
});

test('an image of which no copy can be made is logged and works without', async () => {
  const directory = await mkdtemp(path.join(os.tmpdir(), 'image-'));
  // A temporary directory is the server's alone; executors may be other users.
  await chmod(directory, 0o755);
  await writeFile(path.join(directory, 'exit.wasm'), await compileGuest('exit-with-300'));
  const image = { name: 'exit', path: directory, mounted: false, snapshots: { 'exit.wasm': 'python' as const } };
  const test1 = await startTestSandbox({ systemImages: [image], maxSessions: 1 });
  try {
    const { report } = await test1.sandbox.run(sessionOf({ kind: 'system-image', image: 'exit', path: 'exit.wasm' }));
    expect(report).toMatchObject({ state: 'ok', exitCode: 300 });
    const problems = test1.events.filter(({ message }) => message.includes('snapshot could not be made'));
    expect(problems).toMatchObject([
      { image: 'exit', program: 'exit.wasm', problem: expect.stringContaining('no table') },
    ]);
  } finally {
    await test1.close();
    await rm(directory, { recursive: true });
  }
});

test('an interpreter that nobody uses for a while gives its memory back, and serves as before', async () => {
  const test1 = await startTestSandbox({ systemImages: pythonImages(undefined), maxSessions: 1 });
  try {
    const hello = async () => {
      const session = pythonSession(['-c', 'print("hello")']);
      return String(await takeOutput(await test1.sandbox.run(session)));
    };
    const sizes = () => descendantPids().map(residentKiB);
    expect(await hello()).toBe('hello\n');
    const before = Math.max(...sizes());
    await until('memory given back', () => Math.max(...sizes()) < before - 8 * 1024, 30_000);
    expect(await hello()).toBe('hello\n');
    expect(await hello()).toBe('hello\n');
  } finally {
    await test1.close();
  }
}, 60_000);

function residentKiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
}
