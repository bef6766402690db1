import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { openWorkplace, type Workplace } from './zvsh-support';

/** Interpreters that start from a copy, and where the commands keep it. */

let here: Workplace;
let cache: string;

beforeEach(async () => {
  here = await openWorkplace();
  cache = path.join(here.directory, '../cache');
  await here.write('hello.js', 'print("hello from " + scriptArgs.slice(1))\n');
  await here.write('hello.py', 'print("hello")\n');
});

afterEach(() => here.close());

const javascript = ['--zvm-image', 'javascript', 'qjs', '@hello.js', 'one'];
const python = ['--zvm-image', 'python', 'python', '@hello.py'];
const kept = () => readdirSync(path.join(cache, 'zerocloud/snapshots'));
const fine = (stdout: string) => ({ code: 0, stdout, stderr: '' });

describe('JavaScript', () => {
  test('runs a script, with arguments, files and exit code', async () => {
    expect(await here.run('zvsh', javascript)).toMatchObject(fine('hello from one\n'));
    await here.write('copy.js', 'std.out.puts(std.loadFile(scriptArgs[1])); std.exit(3)');
    await here.write('text', 'of a file\n');
    const { code, stdout } = await here.run('zvsh', ['--zvm-image', 'javascript', 'qjs', '--std', '@copy.js', '@text']);
    expect({ code, stdout }).toEqual({ code: 3, stdout: 'of a file\n' });
  });

  test('runs from an exported archive, and from a saved manifest', async () => {
    await here.type('zvsh --zvm-export-image javascript js.tar');
    const args = ['--zvm-save-dir', 'saved', '--zvm-image', 'js.tar', 'qjs', '@hello.js', 'two'];
    expect(await here.run('zvsh', args)).toMatchObject(fine('hello from two\n'));
    const { code, stdout } = await here.type(
      `sed -i "s|$PWD/saved/stdout.1|/dev/stdout|; s|$PWD/saved/stderr.1|/dev/stderr|" saved/manifest.1
       zerovm saved/manifest.1`,
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/^hello from two\n0\n0\n0\n/);
  });

  test('runs where there is no cache', async () => {
    const { code, stdout } = await here.run('zvsh', javascript, { env: { XDG_CACHE_HOME: '/proc' } });
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'hello from one\n' });
  });

  test('has its calls traced, its memory summed and its time stopped like any other program', async () => {
    await here.write('now.js', 'print(new Date().getFullYear())');
    await here.type('zvsh --zvm-save-dir . --zvm-trace --zvm-image javascript qjs @now.js');
    expect((await here.type('cat zvsh.trace.log')).stdout).toContain('fd_write(1, ');
    const { stdout } = await here.type(
      `sed -i "s|$PWD/stdout.1|/dev/stdout|; s|$PWD/stderr.1|/dev/stderr|; s|^Memory = .*|Memory = 4294967296,1|" manifest.1
       printf '[time]\\nseconds=86400\\n' >> nvram.1
       zerovm manifest.1`,
    );
    expect(stdout).toMatch(/^1970\n0\n0\n0\n\/dev\/memory [0-9a-f]{32}\n/);
  });
});

describe('the copy of an interpreter', () => {
  test('is kept for the next run, in a directory that is the user’s alone', async () => {
    expect(await here.run('zvsh', python)).toMatchObject(fine('hello\n'));
    const [first] = kept();
    expect(kept()).toHaveLength(1);
    for (const directory of ['', 'zerocloud', 'zerocloud/snapshots']) {
      expect(statSync(path.join(cache, directory)).mode & 0o777).toBe(0o700);
    }
    const { ino } = statSync(path.join(cache, 'zerocloud/snapshots', first!));
    expect(await here.run('zvsh', python)).toMatchObject(fine('hello\n'));
    expect(kept()).toEqual([first]);
    expect(statSync(path.join(cache, 'zerocloud/snapshots', first!)).ino).toBe(ino);
  });

  test('serves an archive of the image, whatever it is called, unless its library was changed', async () => {
    await here.run('zvsh', ['--zvm-export-image', 'python', 'python.tar']);
    const script = 'import sys; print("zerocloud" in str(sys._getframe().f_back))';
    await here.write('who.py', script);
    const run = async () => (await here.run('zvsh', ['--zvm-image', 'python.tar', 'python', '@who.py'])).stdout;
    expect(await run()).toBe('True\n');
    // As many members, of the same sizes, but younger.
    await here.type('mkdir x; tar -C x -xf python.tar; find x -type f -exec touch {} +; tar -C x -cf python.tar .');
    const library = (await here.type('find x -type f | wc -l')).stdout.trim();
    expect(await run()).toBe(library === '1' ? 'True\n' : 'False\n');
  });

  test.each([
    [
      'a directory that others may write to',
      () => {
        mkdirSync(path.join(cache, 'zerocloud'), { recursive: true });
        chmodSync(path.join(cache, 'zerocloud'), 0o777);
      },
    ],
    [
      'a link to a directory',
      () => {
        mkdirSync(cache);
        mkdirSync(path.join(here.directory, 'elsewhere'), { mode: 0o700 });
        symlinkSync(path.join(here.directory, 'elsewhere'), path.join(cache, 'zerocloud'));
      },
    ],
    ['a file', () => writeFileSync(cache, '')],
  ])('is not kept in, nor taken from, %s', async (_, prepare) => {
    prepare();
    expect(await here.run('zvsh', python)).toMatchObject(fine('hello\n'));
    expect(existsSync(path.join(cache, 'zerocloud/snapshots'))).toBe(false);
  });

  test('that is damaged, or that others could change, is made anew', async () => {
    await here.run('zvsh', javascript);
    const files = path.join(cache, 'zerocloud/snapshots', kept()[0]!);
    for (const damage of [
      () => writeFileSync(path.join(files, '0.json'), '{'),
      () => chmodSync(path.join(files, '0.wasm'), 0o666),
    ]) {
      damage();
      expect(await here.run('zvsh', javascript)).toMatchObject(fine('hello from one\n'));
      expect(kept()).toHaveLength(1);
      expect(statSync(path.join(files, '0.json')).size).toBeGreaterThan(2);
      expect(statSync(path.join(files, '0.wasm')).mode & 0o022).toBe(0);
    }
  });

  test('goes when it was not used for the longest time', async () => {
    mkdirSync(path.join(cache, 'zerocloud/snapshots'), { recursive: true, mode: 0o700 });
    for (const one of [cache, path.join(cache, 'zerocloud')]) chmodSync(one, 0o700);
    for (let day = 1; day <= 8; day++) {
      const old = path.join(cache, 'zerocloud/snapshots', `old${day}`);
      mkdirSync(old);
      utimesSync(old, day * 86_400, day * 86_400);
    }
    await here.run('zvsh', javascript);
    expect(
      kept()
        .filter((name) => name.startsWith('old'))
        .sort(),
    ).toEqual(['old4', 'old5', 'old6', 'old7', 'old8']);
    expect(kept()).toHaveLength(6);
  });
});
