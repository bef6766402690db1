import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { until } from '../support/until';
import { ended, openWorkplace, type Workplace } from './zvsh-support';

let here: Workplace;

beforeEach(async () => {
  here = await openWorkplace();
});

afterEach(() => here.close());

const read = (name: string) => readFileSync(path.join(here.directory, name), 'utf8');

/** What the nodes wrote to devices without path. */
function resultOf(stdout: string): string {
  return stdout.slice(stdout.indexOf('========== Result ==========\n') + 29);
}

const python = (code: string) => ({ path: 'file://python:python', args: `-c "${code.replaceAll('\n', '\\x0a')}"` });
const writeJob = (...groups: object[]) => here.write('job.json', JSON.stringify(groups));

describe('a job description', () => {
  test('runs a node for every file that a wildcard matches, and tells of each by its name', async () => {
    await here.write('account/texts/b.txt', 'three words here');
    await here.write('account/texts/a.txt', 'two words');
    await here.write('account/texts/a.bak', 'another name');
    await here.write('account/programs/count.py', 'import sys\nprint(len(sys.stdin.read().split()))\n');
    await writeJob({
      name: 'count',
      exec: { path: 'file://python:python', args: '/dev/script' },
      devices: [
        { name: 'script', path: 'swift://~/programs/count.py' },
        { name: 'stdin', path: 'swift://~/texts/*.txt' },
        { name: 'stdout' },
      ],
    });
    const { code, stdout, stderr } = await here.run('zvapp', ['--swift-account-path', 'account', 'job.json']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const report = '2\n0\n0\n/dev/stdout [0-9a-f]{32}\n\\d+\\.\\d\\d \\d+\\.\\d\\d \\d+ \\d+ 1 2 0 0 0 0\nok\n';
    expect(stdout).toMatch(
      new RegExp(
        `^---------- Node: count-1 id: 1 ---------\n${report}\n---------- Node: count-2 id: 2 ---------\n${report}\n` +
          '========== Result ==========\n2\n3\n$',
      ),
    );
  });

  test('outputs with a path become files, below directories that are made, with the mode of new files', async () => {
    await here.write('local/data/in/one', '1');
    mkdirSync(path.join(here.directory, 'local/results'));
    await writeJob({
      name: 'copy',
      exec: python('import sys; sys.stdout.write(sys.stdin.read())'),
      devices: [
        { name: 'stdin', path: 'swift://~/data/in/*' },
        { name: 'stdout', path: 'swift://~/results/out/*.copy' },
      ],
    });
    const { code, stdout } = await here.type('umask 027; zvapp job.json');
    expect(code).toBe(0);
    expect(resultOf(stdout)).toBe('');
    expect(readdirSync(path.join(here.directory, 'local/results/out'))).toEqual(['one.copy']);
    expect(read('local/results/out/one.copy')).toBe('1');
    expect(statSync(path.join(here.directory, 'local/results/out/one.copy')).mode & 0o777).toBe(0o640);
  });

  test('a file that is written again keeps its mode, and a symbolic link stays one', async () => {
    await here.write('local/data/real', 'before');
    symlinkSync('real', path.join(here.directory, 'local/data/link'));
    await writeJob({
      name: 'write',
      exec: python('print(7)'),
      devices: [{ name: 'stdout', path: 'swift://local/data/link' }],
    });
    const { code } = await here.type('chmod 600 local/data/real; zvapp job.json');
    expect(code).toBe(0);
    expect(read('local/data/real')).toBe('7\n');
    expect(statSync(path.join(here.directory, 'local/data/real')).mode & 0o777).toBe(0o600);
    expect(readdirSync(path.join(here.directory, 'local/data')).sort()).toEqual(['link', 'real']);
  });

  test('inputs keep owner and mode, whoever the program runs as', async () => {
    await here.write('local/data/secret', 'for the owner');
    await writeJob({
      name: 'read',
      exec: python('print(input())'),
      devices: [{ name: 'stdin', path: 'swift://~/data/secret' }, { name: 'stdout' }],
    });
    const before = await here.type('chmod 600 local/data/secret; stat -c "%u %g %a %Y %h" local/data/secret');
    const { code, stdout } = await here.run('zvapp', ['job.json']);
    expect({ code, result: resultOf(stdout) }).toEqual({ code: 0, result: 'for the owner\n' });
    expect((await here.type('stat -c "%u %g %a %Y %h" local/data/secret')).stdout).toBe(before.stdout);
  });

  test('a program is a file beside the description, or an object', async () => {
    await here.writeGuest('print-arguments');
    await here.type('mkdir -p bin local/programs; cp print-arguments bin/tool; mv print-arguments local/programs/tool');
    await writeJob(
      { name: 'beside', exec: { path: 'file://bin/tool', args: 'one' }, devices: [{ name: 'stdout' }] },
      { name: 'object', exec: { path: 'swift://~/programs/tool', args: 'two' }, devices: [{ name: 'stdout' }] },
    );
    const { code, stdout, stderr } = await here.run('zvapp', ['job.json']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(resultOf(stdout)).toMatch(/^beside[\s\0]+one[\s\0][\s\S]*object[\s\0]+two[\s\0]/);
  });

  test('connected nodes run together and write to each other', async () => {
    const reading = `import os; print(sorted(open('/dev/in/' + name).read() for name in os.listdir('/dev/in')))`;
    await writeJob(
      {
        name: 'write',
        count: 3,
        exec: python(
          `import sys; open('/dev/out/read', 'w').write(sys.argv[0] and __import__('os').environ['SCRIPT_NAME'])`,
        ),
        devices: [{ name: 'stdout', path: 'swift://~/logs/*' }],
        connect: ['read'],
      },
      { name: 'read', exec: python(reading), devices: [{ name: 'stdout', path: 'zvm://last:stdin' }] },
      { name: 'last', exec: python('print(input().upper())'), devices: [{ name: 'stdout' }] },
    );
    mkdirSync(path.join(here.directory, 'local/logs'), { recursive: true });
    const { code, stdout, stderr } = await here.run('zvapp', ['job.json']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(resultOf(stdout)).toBe("['WRITE-1', 'WRITE-2', 'WRITE-3']\n");
    expect(readdirSync(path.join(here.directory, 'local/logs')).sort()).toEqual(['write-1', 'write-2', 'write-3']);
  });

  test('JavaScript runs as well', async () => {
    await writeJob({
      name: 'js',
      exec: { path: 'file://javascript:qjs', args: '-e print(6*7)' },
      devices: [{ name: 'stdout' }],
    });
    const { code, stdout } = await here.run('zvapp', ['job.json']);
    expect({ code, result: resultOf(stdout) }).toEqual({ code: 0, result: '42\n' });
  });

  test('the standard input is for the nodes that declare one without path, each gets all of it', async () => {
    await writeJob({
      name: 'echo',
      count: 2,
      exec: python('print(input())'),
      devices: [{ name: 'stdin' }, { name: 'stdout' }],
    });
    const { code, stdout } = await here.run('zvapp', ['job.json'], { input: 'given\n' });
    expect({ code, result: resultOf(stdout) }).toEqual({ code: 0, result: 'given\ngiven\n' });
  });

  test('an output larger than memory should hold comes through whole', async () => {
    await writeJob({
      name: 'flood',
      exec: python('import sys; [sys.stdout.write(chr(97 + i % 26) * 99999) for i in range(60)]'),
      devices: [{ name: 'stdout' }],
    });
    const { code, stdout } = await here.run('zvapp', ['job.json']);
    expect(code).toBe(0);
    expect(resultOf(stdout)).toBe(
      Array.from({ length: 60 }, (_, i) => 'abcdefghijklmnopqrstuvwxyz'[i % 26]!.repeat(99999)).join(''),
    );
  });

  test('what a program returns is told, and is no failure of the job', async () => {
    await here.writeGuest('hit-unreachable');
    await writeJob(
      { name: 'exits', exec: python('raise SystemExit(3)'), devices: [{ name: 'stdout' }] },
      { name: 'traps', exec: { path: 'file://hit-unreachable' }, devices: [{ name: 'stdout' }] },
    );
    const { code, stdout, stderr } = await here.run('zvapp', ['job.json']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/Node: exits id: 1 -+\n2\n0\n3\n.*\n.*\nok\n/);
    expect(stdout).toMatch(/Node: traps id: 2 -+\n0\n0\n0\n.*\n.*\n(?!ok\n)/);
    expect(stderr).toBe('zvapp: traps: bad return code\n');
  });

  test('an output into a directory that is not there is an error of its node', async () => {
    await writeJob({
      name: 'lost',
      exec: python('print(1)'),
      devices: [{ name: 'stdout' }, { name: 'stderr', path: 'swift://~/nowhere/x' }],
    });
    mkdirSync(path.join(here.directory, 'local'));
    const { code, stdout, stderr } = await here.run('zvapp', ['job.json']);
    expect({ code, result: resultOf(stdout) }).toEqual({ code: 0, result: '1\n' });
    expect(stderr).toBe('zvapp: lost: Status 404 Not Found when putting /local/nowhere/x\n');
  });

  test('an output is a regular file: nothing is written to a device or a directory', async () => {
    mkdirSync(path.join(here.directory, 'local/data/directory'), { recursive: true });
    await writeJob({
      name: 'write',
      exec: python('print(1)'),
      devices: [{ name: 'stdout', path: 'swift://~/data/directory' }],
    });
    const { code, stderr } = await here.run('zvapp', ['job.json']);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: 'zvapp: write: Status 400 Bad Request when putting /local/data/directory\n',
    });
  });

  test('names do not lead out of the directory', async () => {
    await here.write('secret', 'x');
    await here.write('local/data/one', '1');
    for (const url of ['swift://~/data/../../secret', 'swift://../local/data', 'swift://~/../secret/x']) {
      await writeJob({
        name: 'read',
        exec: python('print(input())'),
        devices: [{ name: 'stdin', path: url }, { name: 'stdout' }],
      });
      const { code, stderr } = await here.run('zvapp', ['job.json']);
      expect({ url, code }).toEqual({ url, code: 1 });
      expect(stderr).toMatch(/^zvapp: (Error 404 Not Found|Error) while fetching|without a server/);
    }
  });

  test('a session has the limits of the configuration file', async () => {
    await here.write('zvsh.cfg', '[manifest]\nTimeout = 1\n[limits]\nrbytes = 100000\n');
    await here.writeGuest('spin-forever');
    await writeJob({ name: 'spin', exec: { path: 'file://spin-forever' }, devices: [{ name: 'stdout' }] });
    const { code, stdout } = await here.run('zvapp', ['job.json']);
    expect(code).toBe(0);
    expect(stdout).toContain('session timeout');

    await here.write('local/data/large', 'x'.repeat(100_001));
    await writeJob({
      name: 'read',
      exec: python('pass'),
      devices: [{ name: 'stdin', path: 'swift://~/data/large' }, { name: 'stdout' }],
    });
    expect(await here.run('zvapp', ['job.json'])).toMatchObject({
      code: 1,
      stderr: 'zvapp: Data object too large\n',
    });
  });
});

describe('an application', () => {
  const job = [
    { name: 'app', exec: { path: 'file://python:python', args: '/main.py' }, devices: [{ name: 'stdout' }] },
  ];

  beforeEach(async () => {
    await here.write('app/boot/system.map', JSON.stringify(job));
    await here.write('app/main.py', 'print(open("/data/text").read())');
    await here.write('app/data/text', 'from the archive');
  });

  test.each([
    ['a directory', 'true', 'app'],
    ['a tar archive', 'tar -C app -cf app.tar boot main.py data', 'app.tar'],
    ['a tar archive of names that begin with ./', 'tar -C app -cf app.tar .', 'app.tar'],
    ['a gzipped archive', 'tar -C app -czf app.zapp boot main.py data', 'app.zapp'],
    ['an archive with the map at its end', 'tar -C app -cf app.tar main.py data boot', 'app.tar'],
  ])('is %s', async (_, make, file) => {
    await here.type(make);
    const { code, stdout, stderr } = await here.run('zvapp', [file]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(resultOf(stdout)).toBe('from the archive\n');
  });

  test('has its cluster map, if it has two maps', async () => {
    await here.write('app/boot/cluster.map', JSON.stringify([{ ...job[0], name: 'cluster' }]));
    for (const make of ['true', 'tar -C app -cf app.tar boot main.py data']) {
      await here.type(make);
      const { stdout } = await here.run('zvapp', [make === 'true' ? 'app' : 'app.tar']);
      expect(stdout).toContain('Node: cluster id: 1');
    }
  });

  test('is a script', async () => {
    await here.write('hello', '#!file://python:python -B\nimport sys\nprint("hello", sys.argv, input())\n');
    const { code, stdout, stderr } = await here.run('zvapp', ['hello'], { input: 'there' });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(resultOf(stdout)).toBe("hello ['script'] there\n");
  });

  test('is a directory with zapp.yaml: what it bundles is in the root of the program', async () => {
    await here.write(
      'zapp/zapp.yaml',
      `project_type: python
execution:
  groups:
    - name: "greet"
      path: file://python:python
      args: 'main.py "two words" a\\,b'
      env: {GREETING: "hey"}
      devices:
        - name: python
        - name: stdout
meta: {name: "greet"}
bundling: ["*.py", "lib"]
`,
    );
    await here.write(
      'zapp/main.py',
      'import os, sys, lib.tool\nprint(lib.tool.greet(), os.environ["GREETING"], sys.argv[1:], os.path.exists("/other"))',
    );
    await here.write('zapp/lib/tool.py', 'def greet(): return "from lib"');
    await here.write('zapp/other', 'not bundled');
    for (const file of ['zapp', 'zapp/zapp.yaml']) {
      const { code, stdout, stderr } = await here.run('zvapp', [file]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(resultOf(stdout)).toBe("from lib hey ['two words', 'a,b'] False\n");
    }
  });
});

describe('options', () => {
  const cat = {
    name: 'cat',
    exec: { path: 'file://python:python', args: '-c "print(input())"' },
    devices: [{ name: 'stdin', path: 'swift://someone/data/x' }, { name: 'stdout' }],
  };

  test('--swift-root-path has accounts below it, --swift-account-path stands for all of them, and wins', async () => {
    await here.write('root/someone/data/x', 'below the account');
    await here.write('account/data/x', 'for any account');
    await writeJob(cat);
    const rooted = await here.run('zvapp', ['--swift-root-path', 'root', 'job.json']);
    expect(resultOf(rooted.stdout)).toBe('below the account\n');
    const both = await here.run('zvapp', ['--swift-account-path=account', '--swift-root-path', 'root', 'job.json']);
    expect(resultOf(both.stdout)).toBe('for any account\n');
  });

  test('the configuration file names the directories, relative to itself', async () => {
    await here.write('.zvsh.cfg', '[zvapp]\nroot_path = below/root\n');
    await here.write('below/root/someone/data/x', 'configured');
    await writeJob(cat);
    const { stdout } = await here.type('mkdir elsewhere; cd elsewhere; zvapp ../job.json');
    expect(resultOf(stdout)).toBe('configured\n');
  });

  test('--sysimage-root-path: every archive is a system image under its own name', async () => {
    await here.writeGuest('hello');
    await here.type('mkdir images; mkdir -p files/etc; echo mounted > files/etc/motd; cp hello files/');
    await here.type('tar -C files -cf images/tools.tar hello etc');
    await writeJob(
      { name: 'one', exec: { path: 'file://tools:hello' }, devices: [{ name: 'stdout' }] },
      {
        name: 'two',
        exec: python("print(open('/etc/motd').read())"),
        devices: [{ name: 'tools' }, { name: 'stdout' }],
      },
    );
    const { code, stdout, stderr } = await here.run('zvapp', ['--sysimage-root-path', 'images', 'job.json']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(resultOf(stdout)).toMatch(/mounted\n\n$/);
    expect(stdout).toContain('Node: one id: 1');
  });

  test('--dry-run prints the nodes and runs nothing', async () => {
    await here.write('local/data/x1', '');
    await here.write('local/data/x2', '');
    await writeJob({
      ...cat,
      devices: [
        { name: 'stdin', path: 'swift://~/data/x*' },
        { name: 'stdout', path: 'swift://~/data/y*', content_type: 'text/plain', meta: { a: 'b' } },
      ],
    });
    const { code, stdout } = await here.run('zvapp', ['--dry-run', 'job.json']);
    expect(code).toBe(0);
    const data = path.join(here.directory, 'local/data');
    expect(JSON.parse(stdout)).toEqual(
      [1, 2].map((id) => ({
        id,
        name: `cat-${id}`,
        exe: 'file://python:python',
        args: [`cat-${id}`, '-c', 'print(input())'],
        env: { SCRIPT_NAME: `cat-${id}`, SCRIPT_FILENAME: 'file://python:python' },
        channels: [
          { device: 'stdin', access: 'read', mode: 'file', path: `swift://local/data/x${id}`, file: `${data}/x${id}` },
          {
            device: 'stdout',
            access: 'write',
            mode: 'file',
            path: `swift://local/data/y${id}`,
            file: `${data}/y${id}`,
            content_type: 'text/plain',
            meta: { a: 'b' },
          },
        ],
      })),
    );
    expect(existsSync(`${data}/y1`)).toBe(false);
  });

  test('--zvm-save-dir keeps nodes and reports, and touches nothing else', async () => {
    await here.write('kept/mine', 'mine');
    await writeJob({ name: 'a/b', exec: python('print(1)'), devices: [{ name: 'stdout' }] });
    const { code, stdout } = await here.run('zvapp', ['--zvm-save-dir', 'kept', 'job.json']);
    expect(code).toBe(0);
    expect(readdirSync(path.join(here.directory, 'kept')).sort()).toEqual(['mine', 'nodes.json', 'report.a%2Fb']);
    expect(stdout).toContain(`---------\n${read('kept/report.a%2Fb')}\n`);
    expect(JSON.parse(read('kept/nodes.json'))).toMatchObject([{ id: 1, name: 'a/b' }]);
  });

  test('--help teaches, and what it shows runs', async () => {
    const { code, stdout } = await here.run('zvapp', ['--help']);
    expect(code).toBe(0);
    const example = /\n( {2}\[\{"name"[\s\S]*?\]\}\])\n/.exec(stdout)![1]!;
    await here.write('count.json', example);
    await here.write('data/programs/count.py', 'import sys\nprint(len(sys.stdin.read().split()))\n');
    await here.write('data/texts/one.txt', 'two words');
    mkdirSync(path.join(here.directory, 'data/logs'));
    const command = /\n {2}(zvapp .*)\n/.exec(stdout)![1]!;
    expect(resultOf((await here.type(command)).stdout)).toBe('2\n');
    expect(read('data/logs/one.log')).toBe('');
  });

  test.each([
    ['nothing', [], 'too few arguments: EXEC_FILE is missing'],
    ['two files', ['a', 'b'], 'unrecognized arguments: b'],
    ['an unknown option', ['--nonsense', 'a'], "Unknown option '--nonsense'"],
    [
      'a directory of images that is not there',
      ['--sysimage-root-path', 'none', 'a'],
      'none: no such file or directory',
    ],
  ])('%s: the usage line, and 2', async (_, args, sentence) => {
    const { code, stdout, stderr } = await here.run('zvapp', args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^usage: zvapp \[options\] EXEC_FILE\nzvapp: error: /);
    expect(stderr).toContain(sentence);
  });
});

describe('what cannot be run: a sentence on standard error, and 1', () => {
  test.each([
    ['a file that is not there', 'true', 'none', 'none: no such file or directory'],
    ['a file of any other kind', 'echo hello > f', 'f', 'Cannot parse the input file f'],
    ['an empty file', ': > f', 'f', 'Cannot parse the input file f'],
    ['a damaged archive', 'head -c 5000 /dev/zero | gzip | head -c 30 > f', 'f', 'Cannot parse the input file f'],
    [
      'an archive that ends early',
      'seq 1000 > a; tar -cf t a; head -c 1000 t > f',
      'f',
      'Cannot parse the input file f',
    ],
    ['an archive without a map', 'echo 1 > a; tar -cf f a', 'f', 'Cannot find boot map anywhere in f'],
    ['a directory without a map', 'mkdir d', 'd', 'Cannot find boot map anywhere in d'],
    [
      'a map that is no JSON',
      'mkdir -p d/boot; echo x > d/boot/system.map',
      'd',
      'Cannot parse the input file d/boot/system.map',
    ],
    ['a description with a fault', `echo '[{"name": "a"}]' > f`, 'f', 'Must specify exec stanza for a'],
    [
      'a program that is not there',
      `echo '[{"name":"a","exec":{"path":"file://x"}}]' > f`,
      'f',
      'No executable found in request',
    ],
    [
      'an image that is not there',
      `echo '[{"name":"a","exec":{"path":"file://x:y"}}]' > f`,
      'f',
      'No executable found in request',
    ],
    [
      'an input that is not there',
      `echo '[{"name":"a","exec":{"path":"file://python:python"},"devices":[{"name":"stdin","path":"swift://~/c/o"}]}]' > f`,
      'f',
      'Error while fetching /local/c/o',
    ],
    [
      'a wildcard without match',
      `echo '[{"name":"a","exec":{"path":"file://python:python"},"devices":[{"name":"stdin","path":"swift://~/c/*"}]}]' > f`,
      'f',
      'Error querying object server for container: c',
    ],
    [
      'a container as a device',
      `mkdir -p local/c; echo '[{"name":"a","exec":{"path":"file://python:python"},"devices":[{"name":"input","path":"swift://~/c"}]}]' > f`,
      'f',
      'A container cannot be a device of a without a server',
    ],
    ['a zapp.yaml that is none', 'mkdir d; echo "a: [" > d/zapp.yaml', 'd', /^Cannot parse d\/zapp.yaml: /],
    [
      'a zapp.yaml without groups',
      'mkdir d; echo "a: 1" > d/zapp.yaml',
      'd',
      'd/zapp.yaml: execution.groups is not a list',
    ],
  ])('%s', async (_, make, file, sentence) => {
    await here.type(make);
    const { code, stdout, stderr } = await here.run('zvapp', [file]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    if (typeof sentence === 'string') expect(stderr).toBe(`zvapp: ${sentence}\n`);
    else expect(stderr.replace(/^zvapp: /, '')).toMatch(sentence);
  });
});

test.each(['SIGINT', 'SIGTERM'] as const)('%s ends the guests, and nothing is left behind', async (name) => {
  await here.writeGuest('spin-forever');
  await writeJob({ name: 'spin', exec: { path: 'file://spin-forever' }, devices: [{ name: 'stderr' }] });
  const child = here.start('zvapp', ['job.json']);
  const end = ended(child);
  const temporary = path.join(here.directory, '../tmp');
  const isRunning = () => readdirSync(temporary, { recursive: true }).some((file) => String(file).includes('/in/'));
  await until('the guest runs', isRunning, 20_000);
  child.kill(name);
  const number = name === 'SIGINT' ? 2 : 15;
  expect(await end).toMatchObject({ code: 128 + number, stderr: `zvapp: interrupted by signal ${number}\n` });
  expect(readdirSync(temporary)).toEqual([]);
});

test('a signal ends the wait for standard input', async () => {
  await writeJob({ name: 'a', exec: python('print(input())'), devices: [{ name: 'stdin' }, { name: 'stdout' }] });
  const child = here.start('zvapp', ['job.json']);
  const end = ended(child);
  child.stdin!.write('some');
  const temporary = path.join(here.directory, '../tmp');
  await until('zvapp has begun', () => readdirSync(temporary).length > 0, 20_000);
  child.kill('SIGTERM');
  expect(await end).toMatchObject({ code: 143, stdout: '' });
});
