import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, open, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { configuredImages, pythonImages } from '@zerocloud/sandbox';
import { manyFunctions } from '../support/guests/many-functions';
import {
  childPids,
  compileGuest,
  filesLeftIn,
  inputChannel,
  isAlive,
  outcomeOf,
  outputChannel,
  pythonProgram,
  pythonSession,
  sessionOf,
  standardChannels,
  startTestSandbox,
  type TestSandbox,
  takeOutput,
} from '../support/sandbox';
import { tarOf } from '../support/tar';
import { until } from '../support/until';

let test1: TestSandbox;
let sandbox: TestSandbox['sandbox'];

beforeAll(async () => {
  test1 = await startTestSandbox({ systemImages: pythonImages() });
  sandbox = test1.sandbox;
});

afterAll(() => test1.close());

function md5(data: string | Uint8Array): string {
  return createHash('md5').update(data).digest('hex');
}

/** What sessions left behind. */
function filesLeft(): string[] {
  return filesLeftIn(test1.workDir);
}

describe('a session', () => {
  test('gives the program its arguments and environment', async () => {
    const env = { HOME: '/', TEXT: 'Zürich\n=,"' };
    const guest = await compileGuest('print-arguments');
    const result = await sandbox.run(sessionOf(guest, { args: ['prog', 'a b', ''], env }));
    expect(String(await takeOutput(result))).toBe('prog\0a b\0\0HOME=/\0TEXT=Zürich\n=,"\0');
  });

  test('reports a regular end with counters, checksums and times', async () => {
    const result = await sandbox.run(
      sessionOf(await compileGuest('copy-stdin-to-stdout'), {
        channels: [
          inputChannel('hello', { etag: true }),
          outputChannel('/dev/stdout', { etag: true }),
          outputChannel('/dev/stderr'),
        ],
      }),
    );
    expect(result.report).toMatchObject({
      validation: 0,
      daemon: false,
      exitCode: 0,
      state: 'ok',
      code: 0,
      etags: [
        { name: '/dev/stdin', md5: md5('hello') },
        { name: '/dev/stdout', md5: md5('hello') },
      ],
      accounting: { reads: 1, readBytes: 5, writes: 1, writeBytes: 5, networkReads: 0, networkWriteBytes: 0 },
    });
    expect(result.report.elapsedMs).toBeGreaterThan(0);
    expect(result.report.accounting.userSeconds).toBeGreaterThanOrEqual(0);
    expect(result.outputs).toMatchObject([
      { name: '/dev/stdout', sizeBytes: 5, md5: md5('hello'), body: { kind: 'bytes' } },
      { name: '/dev/stderr', sizeBytes: 0, body: { kind: 'bytes' } },
    ]);
  });

  test('hands a large output over as a file that stays when the next session runs', async () => {
    const data = Buffer.alloc(3_000_000, 'abcdefg');
    const guest = await compileGuest('copy-stdin-to-stdout');
    const run = () => {
      const channels = [inputChannel(data), outputChannel('/dev/stdout', { etag: true }), outputChannel('/dev/stderr')];
      return sandbox.run(sessionOf(guest, { channels }));
    };
    const first = await run();
    const second = await run();
    for (const result of [first, second]) {
      expect(result.outputs[0]).toMatchObject({ sizeBytes: data.length, md5: md5(data), body: { kind: 'file' } });
      expect((await takeOutput(result)).equals(data)).toBe(true);
    }
  });

  test('hands over an output that is too large to be copied when no process can change it any more', async () => {
    const file = path.join(test1.directory, 'many-bytes');
    const sizeBytes = 20 * 1024 ** 2;
    await writeFile(file, Buffer.alloc(sizeBytes, 'abcdefg'));
    const guest = await compileGuest('copy-stdin-to-stdout');
    const channels = [inputChannel(undefined, { source: { kind: 'file', path: file, sizeBytes } }), outputChannel()];
    const result = await sandbox.run(sessionOf(guest, { tenant: 'writer', channels }));
    expect(result.outputs[0]).toMatchObject({ sizeBytes, body: { kind: 'file' } });
    const given = test1.events.findLast(({ tenant }) => tenant === 'writer')!;
    expect(isAlive(given.pid as number)).toBe(false);
    expect((await takeOutput(result)).equals(await readFile(file))).toBe(true);
  });

  test('returns outputs up to the configured size as bytes and leaves no file', async () => {
    const data = Buffer.alloc(65_536, 'x');
    const channels = [inputChannel(data), outputChannel(), outputChannel('/dev/stderr')];
    const result = await sandbox.run(sessionOf(await compileGuest('copy-stdin-to-stdout'), { channels }));
    expect(result.outputs[0]).toMatchObject({ sizeBytes: 65_536, body: { kind: 'bytes' } });
    expect(filesLeft()).toEqual([]);
  });

  test('reads a file that stays where it is and takes its link away afterwards', async () => {
    const file = path.join(test1.directory, 'object');
    await writeFile(file, Buffer.alloc(200_000, 'object'));
    const channels = [
      inputChannel(undefined, { source: { kind: 'file', path: file, sizeBytes: 200_000 } }),
      outputChannel(),
      outputChannel('/dev/stderr'),
    ];
    const result = await sandbox.run(sessionOf(await compileGuest('copy-stdin-to-stdout'), { channels }));
    expect((await takeOutput(result)).equals(await readFile(file))).toBe(true);
    await sandbox.run(sessionOf(await compileGuest('exit-with-300')));
    expect(filesLeft()).toEqual([]);
  });

  test('counts a discarded output and keeps nothing of it', async () => {
    const data = Buffer.alloc(300_000, 'y');
    const channels = [inputChannel(data), outputChannel('/dev/stdout', { discard: true })];
    const result = await sandbox.run(sessionOf(await compileGuest('copy-stdin-to-stdout'), { channels }));
    expect(result.report.accounting.writeBytes).toBe(300_000);
    expect(result.outputs[0]).toMatchObject({ sizeBytes: 300_000, body: { kind: 'bytes' } });
    expect(await takeOutput(result)).toHaveLength(0);
  });

  test('stops a channel at its quota, shows it to the guest, and ends regularly', async () => {
    const limits = { reads: 0, readBytes: 0, writes: 100, writeBytes: 100_000 };
    const channels = [inputChannel(), outputChannel('/dev/stdout', { limits }), outputChannel('/dev/stderr')];
    const result = await sandbox.run(sessionOf(await compileGuest('flood-stdout'), { channels }));
    const edquot = 19;
    expect(result.report).toMatchObject({ state: 'ok', exitCode: edquot, accounting: { writes: 2 } });
    expect(await takeOutput(result)).toHaveLength(100_000);
  });

  test('keeps exit codes beyond one byte', async () => {
    const { report } = await sandbox.run(sessionOf(await compileGuest('exit-with-300')));
    expect(report).toMatchObject({ exitCode: 300, state: 'ok', code: 0 });
  });

  test('reports a raised signal', async () => {
    const { report } = await sandbox.run(sessionOf(await compileGuest('raise-signal-6')));
    expect(report).toMatchObject({ exitCode: 0, state: 'Signal 6 from untrusted code', code: 4 });
  });

  test('reports a trap', async () => {
    const { report } = await sandbox.run(sessionOf(await compileGuest('hit-unreachable')));
    expect(report).toMatchObject({ state: 'trap: unreachable', code: 4 });
  });

  test('refuses growth of memory beyond the limit, for each session its own', async () => {
    const guest = await compileGuest('grow-until-refused');
    const program = { kind: 'module' as const, source: { kind: 'bytes' as const, data: guest }, cacheKey: 'grow' };
    for (const pages of [16, 64, 1, 32]) {
      const { report } = await sandbox.run(sessionOf(program, { memoryBytes: pages * 65_536 }));
      expect(report).toMatchObject({ state: 'ok', exitCode: pages });
    }
  });

  test('reports a program that needs more memory than the session has', async () => {
    const guest = await compileGuest('copy-stdin-to-stdout');
    const { report } = await sandbox.run(sessionOf(guest, { memoryBytes: 65_536 }));
    expect(report).toMatchObject({ validation: 0, state: 'user heap size is too small', code: 12 });
  });

  test('reports a channel that cannot be, in the words of the manifest', async () => {
    const both = { reads: 1, readBytes: 1, writes: 1, writeBytes: 1 };
    const channels = [outputChannel('/dev/stdout', { limits: both })];
    const { report } = await sandbox.run(sessionOf(await compileGuest('exit-with-300'), { channels }));
    expect(report).toMatchObject({ state: 'sequential channels cannot have r/w access', code: 22 });
  });

  test('runs a cached program again without its bytes', async () => {
    const data = await compileGuest('exit-with-300');
    const session = sessionOf({ kind: 'module', source: { kind: 'bytes', data }, cacheKey: 'code' });
    expect((await sandbox.run(session)).report.exitCode).toBe(300);
    const gone = { kind: 'file' as const, path: path.join(test1.directory, 'gone'), sizeBytes: 100 };
    const again = sessionOf({ kind: 'module', source: gone, cacheKey: 'code' });
    expect((await sandbox.run(again)).report.exitCode).toBe(300);
  });

  test('does not wait for another one whose program is being compiled', async () => {
    const compiled = (functions: number) => ({
      kind: 'module' as const,
      source: { kind: 'bytes' as const, data: manyFunctions(functions) },
    });
    const large = compiled(200_000);
    const tiny = await compileGuest('exit-with-300');
    // Each of the two below has an executor that is started already.
    await Promise.all([sandbox.run(sessionOf(compiled(100_000))), sandbox.run(sessionOf(compiled(100_001)))]);
    const ended: string[] = [];
    const slow = sandbox.run(sessionOf(large)).then(({ report }) => ended.push(report.state));
    await sandbox.run(sessionOf(tiny)).then(() => ended.push('tiny'));
    await slow;
    expect(ended).toEqual(['tiny', 'ok']);
  });

  test('runs a program out of a mounted tar', async () => {
    const archive = await tarOf({ 'bin/copy': await compileGuest('copy-stdin-to-stdout') });
    const mounts = [{ kind: 'tar' as const, source: { kind: 'bytes' as const, data: archive }, mountPoint: '/' }];
    const channels = [inputChannel('out of a tar'), outputChannel()];
    const session = sessionOf({ kind: 'mount', mount: 0, path: 'bin/copy' }, { channels, mounts });
    expect(String(await takeOutput(await sandbox.run(session)))).toBe('out of a tar');
  });

  test('runs more sessions than there are executors, each to its own end', async () => {
    const guest = await compileGuest('copy-stdin-to-stdout');
    const results = await Promise.all(
      Array.from({ length: 40 }, (_, i) => {
        const channels = [inputChannel(`session ${i}`), outputChannel()];
        return sandbox.run(sessionOf(guest, { tenant: `tenant ${i % 3}`, channels }));
      }),
    );
    const texts = await Promise.all(results.map((result) => takeOutput(result)));
    expect(texts.map(String)).toEqual(Array.from({ length: 40 }, (_, i) => `session ${i}`));
    expect(sandbox.load()).toEqual({ running: 0, waiting: 0 });
  });

  test('never gives an executor process to two tenants', () => {
    const given = test1.events.filter(({ message }) => message.includes('given to a tenant'));
    expect(new Set(given.map(({ tenant }) => tenant)).size).toBeGreaterThan(2);
    expect(new Set(given.map(({ pid }) => pid)).size).toBe(given.length);
  });
});

describe('what the caller got wrong', () => {
  test.each([
    ['a missing system image', { program: { kind: 'system-image', image: 'perl', path: 'perl' } }, 'no system image'],
    ['a missing mounted image', { systemImages: ['ruby'] }, 'no system image ruby'],
    [
      'a missing program of an image',
      { program: { kind: 'system-image', image: 'python', path: 'x' } },
      'no program x',
    ],
    [
      'a program outside of its image',
      { program: { kind: 'system-image', image: 'python', path: '../package.json' } },
      'no program',
    ],
    ['a missing mount', { program: { kind: 'mount', mount: 3, path: 'x' } }, 'no mount holds'],
    [
      'a missing file',
      { program: { kind: 'module', source: { kind: 'file', path: '/nowhere', sizeBytes: 1 } } },
      'cannot be opened',
    ],
    ['a timeout of nothing', { timeoutMs: 0 }, 'invalid timeout'],
  ] as const)('rejects %s', async (_what, changes, message) => {
    const guest = await compileGuest('exit-with-300');
    await expect(sandbox.run(sessionOf(guest, changes as object))).rejects.toThrow(message);
    expect((await sandbox.run(sessionOf(guest))).report.exitCode).toBe(300);
  });

  test('rejects a program missing from its tar, and a tar that is none', async () => {
    const run = (data: Buffer) => {
      const mounts = [{ kind: 'tar' as const, source: { kind: 'bytes' as const, data }, mountPoint: '/' }];
      return sandbox.run(sessionOf({ kind: 'mount', mount: 0, path: 'bin/x' }, { mounts }));
    };
    await expect(run(await tarOf({ 'bin/y': 'y' }))).rejects.toMatchObject({ code: 'program-not-found' });
    await expect(run(Buffer.alloc(2000, 'no tar'))).rejects.toMatchObject({ code: 'bad-image' });
  });
});

describe('an aborted session', () => {
  test('ends at once and rejects with the reason', async () => {
    const controller = new AbortController();
    const running = sandbox.run(sessionOf(await compileGuest('spin-forever')), { signal: controller.signal });
    const reason = new Error('the client went away');
    setTimeout(() => controller.abort(reason), 50);
    await expect(running).rejects.toBe(reason);
    expect(sandbox.load().running).toBe(0);
  });

  test('does not start when it was aborted before or while it waited', async () => {
    const guest = await compileGuest('spin-forever');
    await expect(sandbox.run(sessionOf(guest), { signal: AbortSignal.abort('early') })).rejects.toBe('early');
    const controllers = Array.from({ length: 3 }, () => new AbortController());
    const all = controllers.map(({ signal }) => sandbox.run(sessionOf(guest), { signal }));
    await until('two sessions run', () => sandbox.load().running === 2);
    expect(sandbox.load().waiting).toBe(1);
    for (const controller of controllers.reverse()) controller.abort('over');
    const ends = await Promise.allSettled(all);
    expect(ends.map((end) => (end as PromiseRejectedResult).reason)).toEqual(['over', 'over', 'over']);
    expect(sandbox.load()).toEqual({ running: 0, waiting: 0 });
  });
});

describe('python', () => {
  test.each(['python', 'python2.7'])('says hello under the name %s, as a trusted program', async (image) => {
    const session = pythonSession(['-c', 'print("hello")'], { program: { ...pythonProgram, image } });
    const result = await sandbox.run({ ...session, systemImages: [image] });
    expect(result.report.validation).toBe(2);
    expect(await outcomeOf(result)).toEqual({ state: 'ok', exitCode: 0, out: 'hello\n', err: '' });
  });

  test('runs a script from a tar over an object, with a module beside it', async () => {
    const script = 'import helper, sys\nprint(helper.count(sys.stdin.read()), sys.argv[1:])\nsys.exit(3)\n';
    const archive = await tarOf({ 'main.py': script, 'helper.py': 'def count(text): return len(text.split())\n' });
    const mounts = [{ kind: 'tar' as const, source: { kind: 'bytes' as const, data: archive }, mountPoint: '/' }];
    const channels = standardChannels('one two three');
    const result = await sandbox.run(pythonSession(['/main.py', 'x'], { mounts, channels }));
    expect(await outcomeOf(result)).toEqual({ state: 'ok', exitCode: 3, out: "3 ['x']\n", err: '' });
  });

  test('sees the end of its memory as MemoryError', async () => {
    const session = pythonSession(['-c', 'bytearray(10**9)'], { memoryBytes: 64 * 1024 ** 2 });
    const result = await outcomeOf(await sandbox.run(session));
    expect(result).toMatchObject({ state: 'ok', exitCode: 1, err: expect.stringContaining('MemoryError') });
  });
});

describe('configured system images', () => {
  let other: TestSandbox;
  let images: string;

  beforeAll(async () => {
    images = await mkdtemp(path.join(os.tmpdir(), 'images-'));
    const directory = path.join(images, 'tools');
    await mkdir(path.join(directory, 'share'), { recursive: true });
    await writeFile(path.join(directory, 'share/words.txt'), 'from a directory');
    const files = { 'share/more.txt': 'from a tar', 'bin/exit': await compileGuest('exit-with-300') };
    await writeFile(path.join(directory, 'exit.wasm'), files['bin/exit']);
    await writeFile(path.join(images, 'secret.wasm'), files['bin/exit']);
    await symlink(path.join(images, 'secret.wasm'), path.join(directory, 'link.wasm'));
    await writeFile(path.join(images, 'lib.tar'), await tarOf(files));
    const configured = configuredImages({ tools: directory, lib: path.join(images, 'lib.tar') });
    other = await startTestSandbox({ maxSessions: 1, systemImages: [...pythonImages(), ...configured] });
  });

  afterAll(async () => {
    await other.close();
    await rm(images, { recursive: true });
  });

  test('are laid into the root of the sessions that name them', async () => {
    const script = [
      'import os',
      'for name in ("/share/words.txt", "/share/more.txt"):',
      '    print(open(name).read() if os.path.exists(name) else None)',
      'print(sorted(os.listdir("/dev"))[:2], os.path.exists("/dev/lib"))',
    ].join('\n');
    const run = async (systemImages: string[]) => {
      const session = pythonSession(['-c', script], { systemImages });
      return String(await takeOutput(await other.sandbox.run(session))).split('\n');
    };
    expect(await run(['tools', 'lib'])).toEqual(['from a directory', 'from a tar', "['full', 'lib'] True", '']);
    expect(await run([])).toEqual(['None', 'None', "['full', 'null'] False", '']);
  });

  test.each([
    ['tools', 'exit.wasm'],
    ['lib', 'bin/exit'],
    ['lib', './bin/exit'],
  ])('have programs: %s %s', async (image, member) => {
    const { report } = await other.sandbox.run(sessionOf({ kind: 'system-image', image, path: member }));
    expect(report).toMatchObject({ validation: 2, exitCode: 300 });
  });

  test.each(['../secret.wasm', 'link.wasm', '/etc/passwd', 'share', 'none', 'a\0b', ''])(
    'have no program %j outside of their directory',
    async (member) => {
      const run = other.sandbox.run(sessionOf({ kind: 'system-image', image: 'tools', path: member }));
      await expect(run).rejects.toMatchObject({ code: 'program-not-found' });
    },
  );

  test('must be there when the sandbox starts', async () => {
    const systemImages = configuredImages({ gone: path.join(images, 'gone') });
    await expect(startTestSandbox({ systemImages })).rejects.toMatchObject({ code: 'bad-image' });
  });
});

test('reads a file of 1 GiB without any process growing by more than 64 MiB', async () => {
  const file = path.join(test1.directory, 'large');
  const handle = await open(file, 'w');
  await handle.truncate(1024 ** 3);
  await handle.close();
  const guest = await compileGuest('count-stdin');
  const source = { kind: 'file' as const, path: file, sizeBytes: 1024 ** 3 };
  const run = (changes: object) => {
    return sandbox.run(sessionOf(guest, { channels: [inputChannel('warm', changes), outputChannel()] }));
  };
  await run({});
  const before = peaks();
  const result = await run({ source });
  expect((await takeOutput(result)).readBigUInt64LE()).toBe(1024n ** 3n);
  for (const [pid, peak] of peaks()) expect(peak - (before.get(pid) ?? peak)).toBeLessThan(64 * 1024);
});

/** Largest resident size of this process and its children so far, in KiB. */
function peaks(): Map<number, number> {
  return new Map(
    [process.pid, ...childPids()].map((pid) => {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      return [pid, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0)];
    }),
  );
}

test('leaves no process and no file behind when it is closed', async () => {
  const other = await startTestSandbox({ maxSessions: 1 });
  const mine = childPids();
  const running = other.sandbox.run(sessionOf(await compileGuest('spin-forever')));
  const waiting = other.sandbox.run(sessionOf(await compileGuest('spin-forever')));
  const ends = Promise.allSettled([running, waiting]);
  await other.sandbox.close();
  expect(await ends).toMatchObject([
    { status: 'rejected', reason: { code: 'closed' } },
    { status: 'rejected', reason: { code: 'closed' } },
  ]);
  await expect(other.sandbox.run(sessionOf(new Uint8Array()))).rejects.toMatchObject({ code: 'closed' });
  expect(childPids().length).toBeLessThan(mine.length);
  expect(existsSync(other.workDir)).toBe(false);
  await other.close();
});
