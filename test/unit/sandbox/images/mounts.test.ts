import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RootFs } from '@zerocloud/sandbox/images/root-fs';
import type { RootTreeOptions } from '@zerocloud/sandbox/images/root-tree';
import { errno } from '@zerocloud/sandbox/wasi/errno';
import { createWorld, inputSpec } from '../../../support/guest-world';
import { member } from '../../../support/tar-blocks';
import { type FileStat, WasiCaller, writeRight } from '../../../support/wasi-caller';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'zerocloud-mounts-'));
});

afterEach(() => rmSync(directory, { recursive: true }));

function tar(...parts: Uint8Array[]): { kind: 'bytes'; data: Uint8Array } {
  return { kind: 'bytes', data: Buffer.concat(parts) };
}

function guestOn(prepare: (root: RootFs) => void, options: RootTreeOptions = {}): WasiCaller {
  const root = new RootFs(options);
  prepare(root);
  return new WasiCaller(createWorld([], { root }));
}

describe('a mounted tar', () => {
  test('shows its files, links and directories', () => {
    const guest = guestOn((root) =>
      root.mountTar(
        tar(
          member({ name: 'lib/data.txt' }, 'some data'),
          member({ name: 'lib/same', type: '1', linkName: 'lib/data.txt' }),
          member({ name: 'link', type: '2', linkName: 'lib/data.txt' }),
          member({ name: 'lib/up', type: '2', linkName: '../lib' }),
          member({ name: 'empty/', type: '5' }),
        ),
      ),
    );
    expect(guest.list(3).sort()).toEqual(['.', '..', 'dev', 'empty', 'lib', 'link', 'tmp']);
    expect(guest.content('lib/data.txt')).toBe('some data');
    expect(guest.content('link')).toBe('some data');
    expect(guest.content('lib/up/up/same')).toBe('some data');
    expect(guest.stat('lib/same')).toMatchObject({ links: 2, size: 9 });
    expect((guest.stat('lib/same') as FileStat).inode).toBe((guest.stat('lib/data.txt') as FileStat).inode);
    expect((guest.stat('lib/data.txt') as FileStat).modifiedNs).toBe(BigInt(0o14525210000) * 1_000_000_000n);
  });

  test('is read from its file in slices and left as it is when the guest writes', () => {
    const path = join(directory, 'image.tar');
    const archive = Buffer.concat([member({ name: 'a' }, 'first'), member({ name: 'b' }, 'x'.repeat(200_000))]);
    writeFileSync(path, archive);
    const guest = guestOn((root) => root.mountTar({ kind: 'file', path }));
    const fd = guest.open('a', { rights: writeRight | 2n });
    expect(guest.write(fd, 'F')).toBe(1);
    expect(guest.read(fd, 10)).toBe('irst');
    expect(guest.content('a')).toBe('First');
    expect(guest.content('b')).toHaveLength(0x20000);
    expect(readFileSync(path).equals(archive)).toBe(true);
    guest.world.root.close();
  });

  test('comes over what was mounted before: later files win, directories merge', () => {
    const guest = guestOn((root) => {
      root.mountTar(tar(member({ name: 'd/a' }, 'old'), member({ name: 'd/b' }, 'old'), member({ name: 'f/x' }, 'x')));
      root.mountTar(
        tar(member({ name: 'd/', type: '5' }), member({ name: 'd/b' }, 'new'), member({ name: 'f' }, 'file')),
      );
    });
    expect(guest.content('d/a')).toBe('old');
    expect(guest.content('d/b')).toBe('new');
    expect(guest.content('f')).toBe('file');
  });

  test('goes below its mount point', () => {
    const guest = guestOn((root) => root.mountTar(tar(member({ name: 'a' }, 'x')), '/opt/image'));
    expect(guest.content('opt/image/a')).toBe('x');
  });

  test('cannot change /dev, not even through a link', () => {
    const guest = guestOn((root) =>
      root.mountTar(
        tar(
          member({ name: 'dev/null' }, 'x'),
          member({ name: 'away', type: '2', linkName: '/dev' }),
          member({ name: 'away/null' }, 'x'),
          member({ name: 'away/new' }, 'x'),
          member({ name: 'away/deep/new' }, 'x'),
        ),
      ),
    );
    expect(guest.list(guest.open('dev', { flags: 2 })).sort()).toEqual([
      ...['.', '..', 'full', 'null', 'random', 'stderr', 'stdin', 'stdout', 'urandom', 'zero'].filter(
        (name) => !name.startsWith('std'),
      ),
    ]);
    expect(guest.content('dev/null')).toBe('');
  });

  test('is refused below /dev', () => {
    expect(() => guestOn((root) => root.mountTar(tar(member({ name: 'a' })), '/dev/x'))).toThrow(
      expect.objectContaining({ code: 'bad-image' }),
    );
  });

  test('of too many files is refused', () => {
    const files = Array.from({ length: 20 }, (_, i) => member({ name: `d${i}/a` }));
    expect(() => guestOn((root) => root.mountTar(tar(...files)), { maxNodes: 30 })).toThrow(
      expect.objectContaining({ code: 'image-too-large' }),
    );
  });

  test('with a hard link to nothing is refused', () => {
    expect(() => guestOn((root) => root.mountTar(tar(member({ name: 'a', type: '1', linkName: 'b' }))))).toThrow(
      expect.objectContaining({ code: 'bad-image' }),
    );
  });

  test('costs no budget until the guest writes to a file, then the whole file', () => {
    const guest = guestOn((root) => root.mountTar(tar(member({ name: 'a' }, 'x'.repeat(900)))), { maxBytes: 1000 });
    expect(guest.content('a')).toHaveLength(900);
    const fd = guest.open('a', { rights: writeRight });
    expect(guest.write(fd, 'y')).toBe(1);
    expect(guest.open('b', { rights: writeRight, flags: 1 })).toBeGreaterThan(3);
    expect(guest.write(guest.open('b', { rights: writeRight }), 'z'.repeat(101))).toBe(-errno.nospc);
    expect(guest.write(guest.open('b', { rights: writeRight }), 'z'.repeat(100))).toBe(100);
  });
});

describe('a mounted directory', () => {
  beforeEach(() => {
    mkdirSync(join(directory, 'lib/python'), { recursive: true });
    mkdirSync(join(directory, 'dev'));
    writeFileSync(join(directory, 'dev/evil'), '');
    writeFileSync(join(directory, 'lib/python/os.py'), 'import sys');
    writeFileSync(join(directory, 'run'), 'program');
    symlinkSync('lib/python/os.py', join(directory, 'link'));
    symlinkSync('/etc/passwd', join(directory, 'outside'));
  });

  test('shows its files as they are looked for', () => {
    const guest = guestOn((root) => root.mountDirectory(directory));
    expect(guest.content('lib/python/os.py')).toBe('import sys');
    expect(guest.content('link')).toBe('import sys');
    expect(guest.list(3).sort()).toEqual(['.', '..', 'dev', 'lib', 'link', 'outside', 'run', 'tmp']);
    guest.world.root.close();
  });

  test('keeps its links inside the guest', () => {
    const guest = guestOn((root) => root.mountDirectory(directory));
    expect(guest.content('outside')).toBe(-errno.noent);
  });

  test('cannot change /dev', () => {
    const guest = guestOn((root) => root.mountDirectory(directory));
    expect(guest.stat('dev/evil')).toBe(errno.noent);
  });

  test('is never written to', () => {
    const guest = guestOn((root) => root.mountDirectory(directory));
    expect(guest.write(guest.open('run', { rights: writeRight }), 'PRO')).toBe(3);
    expect(guest.content('run')).toBe('PROgram');
    expect(guest.path('path_unlink_file', 'lib/python/os.py')).toBe(0);
    expect(guest.path('path_remove_directory', 'lib/python')).toBe(0);
    expect(guest.stat('lib/python')).toBe(errno.noent);
    expect(readFileSync(join(directory, 'run'), 'utf8')).toBe('program');
    expect(readdirSync(join(directory, 'lib/python'))).toEqual(['os.py']);
    guest.world.root.close();
  });

  test('lies over a tar mounted before and under one mounted after', () => {
    const guest = guestOn((root) => {
      root.mountTar(tar(member({ name: 'lib/python/os.py' }, 'before'), member({ name: 'lib/tar' }, 'tar')));
      root.mountDirectory(directory);
      root.mountTar(tar(member({ name: 'run' }, 'after')));
    });
    expect(guest.content('lib/python/os.py')).toBe('import sys');
    expect(guest.content('lib/tar')).toBe('tar');
    expect(guest.content('run')).toBe('after');
    guest.world.root.close();
  });

  test('keeps few files open however many the guest holds', () => {
    for (let i = 0; i < 200; i++) writeFileSync(join(directory, `f${i}`), `content ${i}`);
    const guest = guestOn((root) => root.mountDirectory(directory));
    const before = readdirSync('/proc/self/fd').length;
    const fds = Array.from({ length: 200 }, (_, i) => guest.open(`f${i}`));
    fds.forEach((fd, i) => {
      expect(guest.read(fd, 100)).toBe(`content ${i}`);
    });
    expect(readdirSync('/proc/self/fd').length - before).toBeLessThanOrEqual(40);
    fds.forEach((fd, i) => {
      expect(guest.read(fd, 100, 0n)).toBe(`content ${i}`);
    });
    guest.world.root.close();
    expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(before);
  });

  test('that cannot be read gives an error, not a crash', () => {
    const guest = guestOn((root) => root.mountDirectory(directory));
    expect(guest.stat('lib')).toMatchObject({ type: 3 });
    chmodSync(join(directory, 'lib'), 0o755);
    rmSync(join(directory, 'lib'), { recursive: true });
    expect(guest.stat('lib/python')).toBe(errno.io);
    expect(guest.world.host.fault).toMatchObject({ code: 'ENOENT' });
  });
});

describe('a channel', () => {
  test('is shown below directories made for it', () => {
    const guest = new WasiCaller(createWorld([inputSpec('/dev/in/map-1', 'a'), inputSpec('/dev/in/map-2', 'b')]));
    expect(guest.list(guest.open('dev/in', { flags: 2 }))).toEqual(['.', '..', 'map-1', 'map-2']);
    expect(guest.content('dev/in/map-2')).toBe('b');
    expect(guest.path('path_unlink_file', 'dev/in/map-1')).toBe(errno.perm);
    expect(guest.path('path_remove_directory', 'dev/in')).toBe(errno.perm);
    expect(guest.path('path_create_directory', 'dev/in/new')).toBe(errno.perm);
  });
});
