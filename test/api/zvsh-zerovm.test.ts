import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { until } from '../support/until';
import { ended, openWorkplace, type Workplace } from './zvsh-support';

let here: Workplace;

beforeAll(async () => {
  here = await openWorkplace();
  for (const name of ['hello', 'copy-stdin-to-stdout', 'spin-forever', 'cat', 'hit-unreachable', 'save-output']) {
    await here.writeGuest(name);
  }
});

afterAll(() => here.close());

const big = '4294967296,4294967296';
const at = (name: string) => path.join(here.directory, name);
const read = (name: string) => readFileSync(at(name), 'utf8');
const md5 = (data: string | Uint8Array) => createHash('md5').update(data).digest('hex');

interface Changes {
  program?: string;
  stdin?: string;
  stdout?: string;
  stderr?: string;
  memory?: string;
  timeout?: string;
  more?: string[];
}

/** Writes a manifest whose standard streams are the command's, if nothing else is said. */
function writeManifest(changes: Changes = {}): Promise<string> {
  const { program = 'hello', memory = '67108864,0', timeout = '20', more = [] } = changes;
  const channels = [
    changes.stdin ?? `/dev/stdin,/dev/stdin,0,0,${big},0,0`,
    changes.stdout ?? `/dev/stdout,/dev/stdout,0,0,0,0,${big}`,
    changes.stderr ?? `/dev/stderr,/dev/stderr,0,0,0,0,${big}`,
    ...more,
  ];
  const keys = { Version: '20130611', Program: at(program), Memory: memory, Timeout: timeout };
  const lines = [...Object.entries(keys), ...channels.map((one): [string, string] => ['Channel', one])];
  return here.write('manifest', lines.map(([key, value]) => `${key} = ${value}\n`).join(''));
}

async function runManifest(changes: Changes = {}, options: string[] = [], input = '') {
  await writeManifest(changes);
  return here.run('zerovm', [...options, 'manifest'], { input });
}

/** The six lines of a report at the end of an output. */
function reportOf(stdout: string): string[] {
  const lines = stdout.split('\n');
  expect(lines.splice(-2)).toEqual(['', '']);
  return lines.slice(-6);
}

describe('the report', () => {
  test('has six lines and an empty one, behind what the program wrote', async () => {
    const { code, stdout, stderr } = await runManifest();
    expect(stdout).toMatch(/^hello\n0\n0\n0\ndisabled\n\d+\.\d\d \d+\.\d\d 0 0 1 6 0 0 0 0\nok\n\n$/);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  test('goes to the system log as one line, or to standard error where there is none', async () => {
    await writeManifest();
    const { stdout } = await here.type('ln -s $(which false) logger; PATH=.:$PATH zerovm -t1 manifest 2> log');
    await here.type('rm logger');
    expect(stdout).toBe('hello\n');
    expect(read('log')).toMatch(/^zerovm: 0; 0; 0; disabled; \d+\.\d\d \d+\.\d\d 0 0 1 6 0 0 0 0; ok\n$/);
  });

  test('is left out with -t 2', async () => {
    expect((await runManifest({}, ['-t', '2'])).stdout).toBe('hello\n');
  });

  test('has checksums of the channels that ask for them, and of memory last', async () => {
    const { stdout } = await runManifest(
      {
        program: 'copy-stdin-to-stdout',
        memory: '67108864,1',
        stdin: `/dev/stdin,/dev/stdin,0,1,${big},0,0`,
        stdout: `${at('out')},/dev/stdout,0,1,0,0,${big}`,
      },
      [],
      'some input',
    );
    const sum = md5('some input');
    expect(reportOf(stdout)[3]).toMatch(new RegExp(`^/dev/stdin ${sum} /dev/stdout ${sum} /dev/memory [0-9a-f]{32}$`));
    expect(read('out')).toBe('some input');
  });

  test('says with -s that the program was not validated', async () => {
    expect(reportOf((await runManifest({}, ['-s'])).stdout)[0]).toBe('2');
  });

  test('of -F tells what would be, and nothing is run or cut', async () => {
    await here.write('kept', 'old');
    const { code, stdout } = await runManifest({ stdout: `${at('kept')},/dev/stdout,0,0,0,0,${big}` }, ['-PQF']);
    expect({ code, report: reportOf(stdout) }).toEqual({
      code: 0,
      report: ['0', '0', '0', 'disabled', '0.00 0.00 0 0 0 0 0 0 0 0', 'ok'],
    });
    expect(read('kept')).toBe('old');
  });
});

describe('the exit code', () => {
  const input = (rest: string) => `${rest},/dev/x,3,0,1,1,0,0`;

  test.each<[string, () => Changes, string, number]>([
    ['a missing program', () => ({ program: 'nothing' }), 'program open error', 2],
    ['a program below a file', () => ({ program: 'text/nothing' }), 'program open error', 2],
    ['a directory as program', () => ({ program: '.' }), 'the program is not a regular file', 5],
    [
      'a device as program',
      () => ({ program: path.relative(here.directory, '/dev/null') }),
      'the program is not a regular file',
      5,
    ],
    ['a FIFO as program', () => ({ program: 'program.fifo' }), 'the program is not a regular file', 5],
    ['a program larger than any may be', () => ({ program: 'sparse' }), 'the program is too large', 5],
    [
      'more channels than there can be files',
      () => ({ more: Array.from({ length: 4001 }, (_, i) => `/dev/null,/dev/x${i},0,0,0,0,1,1`) }),
      'channels number reached maximum',
      23,
    ],
    ['a program that is none', () => ({ program: 'text' }), 'validation failed', 8],
    ['no room for a heap', () => ({ memory: '1048576,0' }), 'user heap size is too small', 12],
    ['a program of more memory', () => ({ program: 'large' }), 'user heap size is too small', 12],
    ['a missing input', () => ({ more: [input(at('none'))] }), 'cannot open /dev/x: no such file or directory', 14],
    ['an input below a file', () => ({ more: [input(at('text/x'))] }), 'cannot open /dev/x: not a directory', 14],
    [
      'an output below a file',
      () => ({ more: [`${at('text/x')},/dev/x,0,0,0,0,1,1`] }),
      'cannot open /dev/x: not a directory',
      14,
    ],
    ['timeout 0', () => ({ timeout: '0' }), 'invalid timeout 0', 14],
    [
      'a channel of no limits',
      () => ({ more: ['/x,/dev/x,3,0,0,0,0,0'] }),
      'MANIFEST 8: /dev/x has neither reads nor writes',
      22,
    ],
    [
      'a device both ways',
      () => ({ more: ['/dev/zero,/dev/x,3,0,1,1,1,1'] }),
      '/dev/x: only a regular file can be read and written',
      22,
    ],
    [
      'a directory as channel',
      () => ({ more: [input('/tmp')] }),
      '/dev/x: neither a file, nor a FIFO, nor a character device',
      93,
    ],
    [
      'a network channel',
      () => ({ more: ['tcp:2:,/dev/x,0,0,1,1,0,0'] }),
      'MANIFEST 8: network channels are not supported',
      93,
    ],
    ['a trap', () => ({ program: 'hit-unreachable' }), 'trap: unreachable', 4],
    ['the end of its time', () => ({ program: 'spin-forever', timeout: '1' }), 'session timeout', 4],
  ])('after %s', async (_, changes, state, code) => {
    await here.write('text', 'no program');
    await here.type('[ -p program.fifo ] || mkfifo program.fifo; truncate -s 67108865 sparse');
    await here.writeGuest('large', '(module (memory (export "memory") 2000) (func (export "_start")))');
    const result = await runManifest(changes());
    expect({ code: result.code, state: reportOf(result.stdout)[5] }).toEqual({ code, state });
  });

  test.each([
    ['no manifest', []],
    ['two manifests', ['manifest', 'manifest']],
    ['an unknown option', ['-x', 'manifest']],
    ['a report to the control socket', ['-t3', 'manifest']],
    ['a trace of a relative path', ['-T', 'trace', 'manifest']],
  ])('after %s is 22, with the usage', async (_, args) => {
    await writeManifest();
    const { code, stdout } = await here.run('zerovm', args);
    expect({ code, first: stdout.split('\n')[0] }).toEqual({ code: 22, first: 'Usage: zerovm [options] <manifest>' });
  });

  test('after a manifest that is not there is 14', async () => {
    const { code, stdout } = await here.run('zerovm', ['-M', 'nothing']);
    expect({ code, report: reportOf(stdout) }).toEqual({
      code: 14,
      report: ['2', '0', '0', 'disabled', '0.00 0.00 0 0 0 0 0 0 0 0', 'manifest open error'],
    });
  });
});

describe('a channel', () => {
  test('that is only written is created, or cut when the program is accepted, and cut to what was written', async () => {
    await here.write('out', 'x'.repeat(1000));
    const stdout = `${at('out')},/dev/stdout,0,0,0,0,${big}`;
    await here.write('text', 'no program');
    await here.type('[ -p program.fifo ] || mkfifo program.fifo; truncate -s 67108865 sparse');
    await runManifest({ program: 'text', stdout });
    expect(read('out')).toHaveLength(1000);
    await runManifest({ stdout });
    expect(read('out')).toBe('hello\n');
    await runManifest({ stdout: `${at('fresh')},/dev/stdout,0,0,0,0,${big}` });
    expect(read('fresh')).toBe('hello\n');
  });

  test('of type 1 is appended to, behind what is there', async () => {
    await here.write('log', 'before\n');
    const stdout = `${at('log')},/dev/stdout,1,0,${big},${big}`;
    await runManifest({ stdout });
    await runManifest({ stdout });
    expect(read('log')).toBe('before\nhello\nhello\n');
  });

  test('with both directions keeps what it is not told to change', async () => {
    await here.write('both', 'JELLO, world');
    await runManifest({ stdout: `${at('both')},/dev/stdout,3,0,${big},${big}` });
    expect(read('both')).toBe('hello\n world');
  });

  test('is shortened at its limit, and keeps what it took', async () => {
    const { stdout } = await runManifest({ stdout: `${at('short')},/dev/stdout,0,0,0,0,10,3` });
    expect(read('short')).toBe('hel');
    expect(reportOf(stdout)[5]).toBe('ok');
  });

  test('can be FIFOs, which stream', async () => {
    await writeManifest({
      program: 'copy-stdin-to-stdout',
      stdin: `${at('in.fifo')},/dev/stdin,0,0,${big},0,0`,
      stdout: `${at('out.fifo')},/dev/stdout,0,0,0,0,${big}`,
    });
    await here.type('mkfifo in.fifo out.fifo');
    const child = here.start('zerovm', ['manifest']);
    const ending = ended(child);
    const input = await open(at('in.fifo'), 'w');
    const output = await open(at('out.fifo'), 'r+');
    for (const word of ['first\n', 'second\n']) {
      await input.write(word);
      const { buffer, bytesRead } = await output.read(Buffer.alloc(100), 0, 100);
      expect(buffer.toString('utf8', 0, bytesRead)).toBe(word);
    }
    await input.close();
    expect(reportOf((await ending).stdout)[5]).toBe('ok');
    await output.close();
  });

  test('that is a FIFO without a writer does not keep the command from being interrupted', async () => {
    await here.type('mkfifo lonely.fifo');
    await writeManifest({ stdin: `${at('lonely.fifo')},/dev/stdin,0,0,${big},0,0` });
    const child = here.start('zerovm', ['-T', at('lonely.trace'), 'manifest']);
    const ending = ended(child);
    const isWaiting = () => existsSync(at('lonely.trace')) && read('lonely.trace').includes('[channels mounting]');
    await until('it waits', isWaiting);
    child.kill('SIGTERM');
    const { code, stdout } = await ending;
    expect({ code, state: reportOf(stdout)[5] }).toEqual({ code: 4, state: 'Signal 15 from trusted code' });
  });

  test('can be a device', async () => {
    const { stdout } = await runManifest({
      program: 'copy-stdin-to-stdout',
      stdin: `/dev/zero,/dev/stdin,0,0,4294967296,70000,0,0`,
      stdout: `${at('zeros')},/dev/stdout,0,0,0,0,${big}`,
    });
    expect(reportOf(stdout)[5]).toBe('ok');
    expect(readFileSync(at('zeros')).equals(Buffer.alloc(70_000))).toBe(true);
    await runManifest({ stdout: `/dev/null,/dev/stdout,0,0,0,0,${big}` });
  });

  test('that is a standard stream goes on where a file stands', async () => {
    await writeManifest({ program: 'copy-stdin-to-stdout' });
    await here.write('lines', 'one\ntwo\n');
    await here.type('{ read line; echo "got $line" > all; zerovm -t 2 manifest >> all; echo end >> all; } < lines');
    // The shell reads a file line by line and leaves the rest where it is.
    expect(read('all')).toBe('got one\ntwo\nend\n');
  });

  test('whose reader is gone is an error of the program, not of the host', async () => {
    await here.writeGuest('flood-stdout');
    await writeManifest({ program: 'flood-stdout', timeout: '5' });
    const { stdout } = await here.type(
      '{ zerovm -v1 manifest 2> errors; echo $? > code; } | head -c 10 > /dev/null; cat code',
    );
    expect(read('errors')).toBe('');
    expect(stdout).toBe('0\n');
  });

  test('that is waited for ends with the time of the session', async () => {
    await writeManifest({ program: 'copy-stdin-to-stdout', timeout: '1' });
    const started = Date.now();
    const child = here.start('zerovm', ['manifest']);
    child.stdin!.write('some input\n');
    const { code, stdout } = await ended(child);
    expect({ code, state: reportOf(stdout)[5] }).toEqual({ code: 4, state: 'session timeout' });
    expect(stdout).toMatch(/^some input\n0\n0\n0\ndisabled\n\S+ \S+ 1 11 1 11 0 0 0 0\n/);
    expect(Date.now() - started).toBeLessThan(10_000);
  });
});

describe('the guest’s configuration', () => {
  test('gives arguments, variables and ZeroVM’s clock', async () => {
    await here.run('zvsh', ['--zvm-export-image', 'python', 'python.tar']);
    await here.type('tar xf python.tar python');
    await here.write(
      'nvram',
      `[args]
args = python -c "import os\\x2csys\\x2ctime\\x2crandom; print(sys.argv[1]\\x2cos.environ['A']\\x2cint(time.time())\\x2crandom.random())" x\\x20y
[env]
name=A,value=1\\x2c2
[fstab]
channel=/dev/python.tar,mountpoint=/,access=ro
[time]
seconds=1000
`,
    );
    const changes = {
      program: 'python',
      memory: '268435456,0',
      stdout: `${at('first')},/dev/stdout,0,0,0,0,${big}`,
      more: [`${at('nvram')},/dev/nvram,3,0,${big},${big}`, `${at('python.tar')},/dev/python.tar,3,0,${big},0,0`],
    };
    await runManifest(changes);
    expect(read('first')).toMatch(/^x y 1,2 1000 0\.\d+\n$/);
    await runManifest({ ...changes, stdout: `${at('second')},/dev/stdout,0,0,0,0,${big}` });
    expect(read('second')).toBe(read('first'));
  });

  test.each([
    ['[fstab]\nchannel=/dev/y,mountpoint=/,access=ro\n', 'NVRAM 2: no channel /dev/y'],
    ['[colours]\n', 'NVRAM 1: unknown section [colours]'],
    ['[fstab]\nchannel=/dev/stdin,mountpoint=/,access=rw\n', 'NVRAM 2: access rw is not supported, only ro and wo'],
    ['[fstab]\nchannel=/dev/stdin,mountpoint=/,access=wo\n', 'NVRAM 2: the root cannot be saved'],
    ['[fstab]\nchannel=/dev/stdin,mountpoint=/x,access=wo\n', 'NVRAM 2: /dev/stdin cannot be written'],
  ])('is refused where it says what cannot be: %j', async (text, state) => {
    await here.write('nvram', text);
    const { code, stdout } = await runManifest({ more: [`${at('nvram')},/dev/nvram,3,0,${big},0,0`] });
    expect({ code, state: reportOf(stdout)[5] }).toEqual({ code: 14, state });
  });

  test('mounts no file that is no archive, and says so', async () => {
    await here.write('nvram', '[fstab]\nchannel=/dev/x,mountpoint=/,access=ro\n');
    const more = [`${at('nvram')},/dev/nvram,3,0,${big},0,0`, `${at('nvram')},/dev/x,3,0,${big},0,0`];
    const { code, stderr } = await runManifest({ more });
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: 'zerovm: warning: /dev/x is not a plain tar archive and is not mounted\n',
    });
  });
});

test('the trace has the phases and the calls, and grows with each session', async () => {
  await runManifest({}, ['-T', at('trace')]);
  await runManifest({ program: 'nothing' }, ['-T', at('trace')]);
  const [first, second] = read('trace').split('\n\n');
  expect(first).toMatch(/^\[\d+\] 0{48}\n\d\.\d{6} \[\d\.\d{6}\]: \[manifest parsing\]\n/);
  for (const what of ['[user module loading]', '[channels mounting]', 'untrusted code', '[report]', '[exit]']) {
    expect(first).toContain(`]: ${what}`);
  }
  expect(first).toMatch(/\]: fd_write\(1, \d+, 1, \d+\) = 0\n/);
  expect(second).not.toContain('untrusted code');
  expect(second).toMatch(/\[exit\]$/);
  expect(existsSync(at('nothing'))).toBe(false);
});
