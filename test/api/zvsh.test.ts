import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { isAlive } from '../support/sandbox';
import { until } from '../support/until';
import { ended, nextText, openWorkplace, type Workplace } from './zvsh-support';

let here: Workplace;

beforeAll(async () => {
  here = await openWorkplace();
  const { code, stderr } = await here.run('zvsh', ['--zvm-export-image', 'python', 'python.tar']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});

afterAll(() => here.close());

const read = (name: string) => readFileSync(path.join(here.directory, name), 'utf8');
const big = '4294967296,4294967296';

describe('the sessions of the articles, as they are typed', () => {
  test('getting started: Python from an archive says hello', async () => {
    const { code, stdout, stderr } = await here.type(`
      echo 'print("Hello")' > hello.py
      zvsh --zvm-image python.tar python @hello.py
    `);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'Hello\n', stderr: '' });
  });

  test('channels: the quota that is hit first ends the reading, and what was read is valid', async () => {
    const session = await here.type(`
      dd if=/dev/urandom of=$HOME/file.txt bs=1048576 count=100 2>/dev/null
      cat > $HOME/example.py <<EOF
file = open('/dev/3.file.txt', 'rb')
print(file.read(5))
EOF
      zvsh --zvm-save-dir ~/ --zvm-image python.tar --zvm-image ~/file.txt python @example.py
    `);
    const first5 = readFileSync(path.join(here.directory, 'file.txt')).subarray(0, 5);
    expect(session.code).toBe(0);
    expect(session.stdout).toMatch(/^b['"].*['"]\n$/);
    expect(Buffer.from(JSON.parse(await toJson(session.stdout)) as number[])).toEqual(first5);
    expect(session.stderr).toBe(
      `zvsh: warning: ${here.directory}/file.txt is not a plain tar archive; it is a channel, and not mounted\n`,
    );

    const limited = await here.type(`
      sed -i "s|Channel = $HOME/file.txt,/dev/3.file.txt,3,0,4294967296,4294967296,0,0|Channel = $HOME/file.txt,/dev/3.file.txt,3,0,3,3,3,3|g" $HOME/manifest.1
      sed -i "s|$HOME/stdout.1|/dev/stdout|g" $HOME/manifest.1
      sed -i "s|$HOME/stderr.1|/dev/stderr|g" $HOME/manifest.1
      zerovm -t 2 manifest.1
    `);
    expect(limited.code).toBe(0);
    expect(limited.stdout).toBe('');
    expect(limited.stderr).toBe(`Traceback (most recent call last):
  File "/dev/1.example.py", line 2, in <module>
    print(file.read(5))
          ^^^^^^^^^^^^
OSError: [Errno 19] Quota exceeded
`);

    const valid = await here.type(`
      cat > $HOME/example.py <<EOF
import errno, os, sys
file = os.open('/dev/3.file.txt', os.O_RDONLY)
sys.stdout.buffer.write(os.read(file, 5))
try:
    os.read(file, 5)
except OSError as error:
    print(error.errno == errno.EDQUOT)
EOF
      zerovm -t 2 manifest.1
    `);
    expect(valid.stdout).toBe(`${first5.subarray(0, 3).toString('latin1')}True\n`);
  });

  test('the manifest has the lines of the article, in its order', () => {
    const home = here.directory;
    const program = [
      'Node = 1',
      'Version = 20130611',
      'Timeout = 50',
      'Memory = 4294967296,0',
      `Program = ${home}/boot.1`,
      `Channel = /dev/stdin,/dev/stdin,0,0,${big},0,0`,
      `Channel = /dev/stdout,/dev/stdout,0,0,0,0,${big}`,
      `Channel = /dev/stderr,/dev/stderr,0,0,0,0,${big}`,
      `Channel = ${home}/example.py,/dev/1.example.py,3,0,${big},${big}`,
      `Channel = ${home}/python.tar,/dev/2.python.tar,3,0,${big},0,0`,
      `Channel = ${home}/file.txt,/dev/3.file.txt,3,0,3,3,3,3`,
      `Channel = ${home}/boot.1,/dev/self,3,0,${big},0,0`,
      `Channel = ${home}/nvram.1,/dev/nvram,3,0,${big},${big}`,
      '',
    ];
    expect(read('manifest.1')).toBe(program.join('\n'));
    expect(read('nvram.1')).toBe(`[args]
args = python /dev/1.example.py
[fstab]
channel=/dev/2.python.tar,mountpoint=/,access=ro,removable=no
[mapping]
channel=/dev/stdin,mode=file
channel=/dev/stdout,mode=file
channel=/dev/stderr,mode=file
channel=/dev/1.example.py,mode=file
`);
    for (const fifo of ['stdout.1', 'stderr.1']) expect(statSync(path.join(home, fifo)).isFIFO()).toBe(true);
    expect(readFileSync(path.join(home, 'boot.1')).subarray(0, 4)).toEqual(Buffer.from('\0asm'));
  });

  test('isolation: a program with a call outside of the list is refused before it runs', async () => {
    await here.writeGuest(
      'syscalls',
      `(module
        (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))
        (import "env" "write" (func $write (param i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (func (export "_start") (drop (call $write (i32.const 2) (i32.const 0) (i32.const 31)))))`,
    );
    const { code, stdout, stderr } = await here.run('zvsh', ['syscalls']);
    expect(stdout).toBe('');
    expect(stderr).toContain(`Program = ${here.directory}/syscalls\nChannel = /dev/stdin,/dev/stdin,0,0,${big},0,0\n`);
    expect(stderr).toContain('\nargs = syscalls\n');
    expect(stderr).toMatch(
      /\n1\n0\n0\ndisabled\n0.00 0.00 0 0 0 0 0 0 0 0\nvalidation failed\n\nimport env.write is not provided\nERROR: ZeroVM return code is 8\n$/,
    );
    expect(code).toBe(8 << 4);
  });
});

/** Processes below one. */
function descendants(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  return children.flatMap((child) => [child, ...descendants(child)]);
}

/** Bytes that Python showed, as JSON. */
async function toJson(shown: string): Promise<string> {
  const { stdout } = await here.run('zvsh', [
    '--zvm-image',
    'python.tar',
    'python',
    '-c',
    `print(list(${shown.trim()}))`,
  ]);
  return stdout;
}

describe('a program under zvsh', () => {
  test('gets its arguments, files and variables', async () => {
    await here.write('data.txt', 'some data');
    const script = 'import os,sys; print(sys.argv[1:], open(sys.argv[2]).read(), os.environ["NAME_1"])';
    const args = ['-c', script, 'a b,"c"=\\', '@data.txt', '@', '@NAME_1=x, y=1', '--zvm-debug'];
    const { stdout, stderr } = await here.run('zvsh', ['--zvm-image', 'python.tar', 'python', ...args]);
    expect(stderr).toBe('');
    expect(stdout).toBe(`['a b,"c"=\\\\', '/dev/1.data.txt', '@', '--zvm-debug'] some data x, y=1\n`);
  });

  test('creates a file argument that is missing, and may write it', async () => {
    const script = 'import sys; f = open(sys.argv[1], "a"); print("first", file=f); print("second", file=f)';
    const { code } = await here.run('zvsh', ['--zvm-image', 'python', 'python', '-c', script, '@new.txt']);
    expect(code).toBe(0);
    expect(read('new.txt')).toBe('first\nsecond\n');
  });

  test('is not given another file when the name of its own is not UTF-8', async () => {
    await here.writeGuest('hello');
    const { code, stderr } = await here.type(
      "echo mine > $'\\xff.txt'; zvsh hello @$'\\xff.txt' 2>&1 >/dev/null | tail -1 >&2",
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/txt: its name is not UTF-8\n$/) });
    expect(
      readdirSync(here.directory).filter((name) => name.endsWith('.txt') && name.startsWith('\ufffd')),
    ).toHaveLength(1);
  });

  test('keeps the archive of an installed image beside what is there', async () => {
    await here.type('mkdir keep; echo mine > keep/python.tar');
    const args = [
      '--zvm-save-dir',
      'keep',
      '--zvm-image',
      'python',
      'python',
      '-c',
      'print(open("/dev/1.python.tar", "rb"))',
    ];
    expect(await here.run('zvsh', args)).toMatchObject({ code: 0, stderr: '' });
    expect(read('keep/python.tar')).toBe('mine\n');
    expect(read('keep/manifest.1')).toContain(`/keep/python.1.tar,/dev/1.python.tar,3,0,${big},0,0\n`);
  });

  test('answers each line of its input before it gets the next one', async () => {
    const script = 'import sys\nfor line in sys.stdin: print(line.upper(), end="", flush=True)';
    const child = here.start('zvsh', ['--zvm-image', 'python.tar', 'python', '-c', script]);
    for (const word of ['one', 'two']) {
      child.stdin!.write(`${word}\n`);
      expect(await nextText(child.stdout!)).toBe(`${word.toUpperCase()}\n`);
    }
    child.stdin!.end();
    expect((await ended(child)).code).toBe(0);
  });

  test('knows a terminal when it has one', async () => {
    const script = 'import sys; print(sys.stdin.isatty(), sys.stdout.isatty(), sys.stderr.isatty())';
    await here.write('tty.py', script);
    const { stdout } = await here.type(
      `script -qec "zvsh --zvm-image python.tar python @tty.py" /dev/null < /dev/null
       zvsh --zvm-image python.tar python @tty.py < /dev/null`,
    );
    // On a slow machine the command says what it waits for, and takes it back.
    const told = stdout.replaceAll(/zvsh: [^\r\n]*\r\x1b\[K/g, '').replaceAll('\r', '');
    expect(told.trim().split('\n')).toEqual(['True True True', 'False False False']);
  });

  test('passes its exit code on, and the hypervisor’s further left', async () => {
    const python = ['--zvm-image', 'python.tar', 'python', '-c'];
    expect((await here.run('zvsh', [...python, 'raise SystemExit(3)'])).code).toBe(3);
    await here.writeGuest('hit-unreachable');
    const trapped = await here.run('zvsh', ['hit-unreachable']);
    expect(trapped.code).toBe(4 << 4);
    expect(trapped.stderr).toMatch(/\ntrap: unreachable\n\nERROR: ZeroVM return code is 4\n$/);
    expect((await here.run('zvsh', ['--zvm-getrc', 'hit-unreachable'])).code).toBe(4);
    expect((await here.run('zvsh', ['--zvm-getrc', ...python, 'raise SystemExit(3)'])).code).toBe(0);
  });

  test('leaves nothing behind when it is interrupted while it waits for input', async () => {
    const wait = ['--zvm-image', 'python.tar', 'python', '-c', 'print("up", flush=True); input()'];
    const child = here.start('zvsh', wait);
    expect(await nextText(child.stdout!)).toBe('up\n');
    const processes = descendants(child.pid!);
    expect(processes.length).toBeGreaterThan(0);
    const ending = ended(child);
    child.kill('SIGINT');
    const { code, stderr } = await ending;
    expect(code).toBe(4 << 4);
    expect(stderr).toMatch(/\nSignal 2 from trusted code\n\nERROR: ZeroVM return code is 4\n$/);
    await until('the processes are gone', () => !processes.some(isAlive));
    expect(readdirSync(path.join(here.directory, '../tmp'))).toEqual([]);
  });

  test('dies with its command, even if that is killed', async () => {
    const child = here.start('zvsh', [
      '--zvm-image',
      'python.tar',
      'python',
      '-c',
      'print("up", flush=True)\nwhile 1: pass',
    ]);
    expect(await nextText(child.stdout!)).toBe('up\n');
    const processes = descendants(child.pid!);
    expect(processes.length).toBeGreaterThan(0);
    child.kill('SIGKILL');
    await until('the processes are gone', () => !processes.some(isAlive));
  });

  test('sees the files of an image, and changes only its own copy', async () => {
    await here.type(
      'mkdir -p tree/lib && echo "X = 42" > tree/lib/answer.py && tar cf lib.tar -C tree . && md5sum lib.tar > sum',
    );
    const script = `import sys; sys.path.append('/opt/lib'); import answer
open('/opt/lib/answer.py', 'w').write('gone'); print(answer.X, open('/opt/lib/answer.py').read())`;
    const { stdout } = await here.run('zvsh', [
      '--zvm-image',
      'python',
      '--zvm-image',
      'lib.tar,/opt',
      'python',
      '-c',
      script,
    ]);
    expect(stdout).toBe('42 gone\n');
    expect((await here.type('md5sum -c sum')).code).toBe(0);
  });

  test('has a directory saved as an archive when it ends', async () => {
    const long = 'n'.repeat(120);
    const script = `import os
os.makedirs('/out/sub'); open('/out/a.txt', 'w').write('first'); open('/out/sub/${long}', 'w').write('x' * 2000000)
os.symlink('a.txt', '/out/link')`;
    const saved = ['--zvm-image', 'saved.tar,/out,wo', '--zvm-image', 'python', 'python', '-c', script];
    expect(await here.run('zvsh', saved)).toMatchObject({ code: 0, stderr: '' });
    const { stdout } = await here.type(`tar tf saved.tar; tar xf saved.tar; cat link; wc -c < sub/${long}`);
    expect(stdout).toBe(`a.txt\nlink\nsub/\nsub/${long}\nfirst2000000\n`);
    const back = 'print(sorted(os.listdir("/in")), open("/in/link").read())';
    const again = await here.run('zvsh', [
      '--zvm-image',
      'saved.tar,/in',
      '--zvm-image',
      'python',
      'python',
      '-c',
      `import os; ${back}`,
    ]);
    expect(again.stdout).toBe("['a.txt', 'link', 'sub'] first\n");
  });

  test('is told when it has put something else in the place of a directory to save', async () => {
    const script = "import os; os.rmdir('/out'); os.symlink('/dev', '/out')";
    const saved = ['--zvm-image', 'saved.tar,/out,wo', '--zvm-image', 'python', 'python', '-c', script];
    const { code, stderr } = await here.run('zvsh', saved);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: 'zvsh: warning: /out is not a directory any more, and not saved\n',
    });
  });

  test('is told when a saved directory does not fit its channel', async () => {
    await here.write('.zvsh.cfg', '[limits]\nwbytes = 600\n');
    const script = "open('/out/a', 'w').write('x' * 1000)";
    const saved = ['--zvm-image', 'saved.tar,/out,wo', '--zvm-image', 'python', 'python', '-c', script];
    const { code, stderr } = await here.run('zvsh', saved);
    await here.type('rm .zvsh.cfg');
    expect(code).toBe(0);
    expect(stderr).toBe('zvsh: warning: the archive of /out does not fit the limits of /dev/1.saved.tar\n');
    expect(statSync(path.join(here.directory, 'saved.tar')).size).toBe(600);
  });

  test('logs its calls where it is asked to', async () => {
    await here.writeGuest('hello');
    const { code } = await here.run('zvsh', ['--zvm-debug', '--zvm-trace', 'hello']);
    expect(code).toBe(0);
    expect(read('zvsh.log')).toMatch(/^\d+\.\d{6} \[\d+\.\d{6}\]: fd_write\(1, \d+, 1, \d+\) = 0$/m);
    expect(read('zvsh.trace.log')).toMatch(
      /^\[\d+\] 0{48}\n[\s\S]*\[jail: \w+\]\n[\s\S]*\]: fd_write\([\s\S]*\[exit\]\n\n$/,
    );
  });
});

describe('configuration files', () => {
  test('set limits, variables, images and the manifest; the nearest one wins', async () => {
    const nested = path.join(here.directory, 'nested');
    await here.type(`mkdir -p nested run && tar cf run/data.tar -C tree lib
      printf '[limits]\\nreads = 7\\nwbytes: 8\\n[env]\\nWho = home\\nWhere = home\\n' > .zvsh.cfg
      printf '# near\\n[manifest]\\nNode = 5\\nTimeout = 9\\n[env]\\nWho = near\\n[fstab]\\n../run/data.tar = /mnt ro\\n' > nested/zvsh.cfg`);
    const { code, stderr } = await here.type(
      'cd nested && zvsh --zvm-save-dir ../run ../hello @Y=1 > /dev/null && rm ../.zvsh.cfg',
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const manifest = read('run/manifest.5');
    expect(manifest).toContain('Node = 5\nVersion = 20130611\nTimeout = 9\n');
    expect(manifest).toContain('/stdout.5,/dev/stdout,0,0,0,0,4294967296,8\n');
    expect(manifest).toContain('/run/data.tar,/dev/1.data.tar,3,0,7,4294967296,0,0\n');
    const nvram = read('run/nvram.5');
    expect(nvram).toContain('[env]\nname=Who,value=near\nname=Where,value=home\nname=Y,value=1\n');
    expect(nvram).toContain('channel=/dev/1.data.tar,mountpoint=/mnt,access=ro,removable=no\n');
    expect(existsSync(path.join(nested, 'manifest.5'))).toBe(false);
  });

  test('name an installed image by any of its names, whatever lies in the current directory', async () => {
    await here.type("printf '[fstab]\\npython2.7 = /\\n' > .zvsh.cfg; mkdir -p other; echo no image > other/python2.7");
    const { code, stdout, stderr } = await here.type("cd other && zvsh python -c 'print(6 * 7)'; rm ../.zvsh.cfg");
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '42\n', stderr: '' });
  });

  test.each([
    ['[colours]\n', /zvsh.cfg:1: unknown section \[colours\]/],
    ['[manifest]\nColour = 1\n', /zvsh.cfg:2: unknown key Colour in \[manifest\]/],
    ['[limits]\nreads = many\n', /zvsh.cfg: limit reads: 'many' is not a number/],
    ['[manifest]\nNode = ../1\n', /zvsh.cfg: node '..\/1' is not a number from 1/],
    ['[fstab]\nx.tar = / rw\n', /image 'x.tar': access rw is not supported, only ro and wo/],
  ])('are refused where they say what is not known: %j', async (text, sentence) => {
    await here.write('.zvsh.cfg', text);
    const { code, stderr } = await here.run('zvsh', ['hello']);
    await here.type('rm .zvsh.cfg');
    expect(code).toBe(2);
    expect(stderr).toMatch(sentence);
  });
});

describe('the command line', () => {
  test.each<[string[], string | RegExp]>([
    [['--zvm-colour', 'x'], 'unknown option --zvm-colour'],
    [[], 'too few arguments: COMMAND is missing'],
    [['--zvm-image'], 'option --zvm-image needs a path'],
    [['--zvm-image', 'a,/b,rw', 'x'], "image 'a,/b,rw': access rw is not supported, only ro and wo"],
    [['--zvm-image', 'a,/,wo', 'x'], "image 'a,/,wo': the root cannot be saved"],
    [['--zvm-image', 'a,b', 'x'], "image 'a,b': mount point b is not an absolute path"],
    [['--zvm-image', 'nothing', 'x'], 'nothing: neither a file nor an installed image (zvsh --zvm-list-images)'],
    [['--zvm-verbosity', '9', 'x'], "option --zvm-verbosity: '9' is not a number from 0 to 4"],
    [['--zvm-debug=1', 'x'], 'option --zvm-debug has no value'],
    [['nowhere'], 'nowhere: no such file'],
    [['hello/x'], 'hello/x: no such file'],
    [['--zvm-image', 'python.tar', 'perl'], 'perl: neither a file nor a program in the images'],
    [['hello', '@/tmp'], '@/tmp: it is a directory'],
    [['hello', '@a=b'], /: a manifest cannot hold a path with '='; a variable has capitals, digits and underscores/],
    [['--zvm-export-image', 'perl', 'perl.tar'], 'perl: no such installed image (zvsh --zvm-list-images)'],
  ])('%j is refused: %s', async (args, sentence) => {
    const { code, stdout, stderr } = await here.run('zvsh', args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^usage: zvsh/);
    if (typeof sentence === 'string') expect(stderr.endsWith(`zvsh: error: ${sentence}\n`)).toBe(true);
    else expect(stderr).toMatch(sentence);
  });

  test('teaches with examples', async () => {
    const { code, stdout } = await here.run('zvsh', ['--help']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/examples:\n {2}zvsh prog.wasm/);
  });

  test('lists installed images, the configured ones too, and writes them as archives', async () => {
    const env = { ZEROCLOUD_SYSTEM_IMAGES: `tree=${here.directory}/tree` };
    const { stdout } = await here.run('zvsh', ['--zvm-list-images'], { env });
    expect(stdout.split('\n').map((line) => line.split('\t')[0])).toEqual([
      'python',
      'python2.7',
      'javascript',
      'tree',
      '',
    ]);
    const listed = await here.type('zvsh --zvm-export-image tree tree.tar && tar tf tree.tar', env);
    expect(listed.stdout).toBe('lib/\nlib/answer.py\n');
    const refused = await here.run('zvsh', ['--zvm-export-image', 'tree', 'nowhere/tree.tar'], { env });
    expect(refused).toMatchObject({ code: 1, stderr: 'zvsh: nowhere/tree.tar: no such file or directory\n' });
  });
});
