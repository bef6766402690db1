import { RootFs } from '@zerocloud/sandbox/images/root-fs';
import { errno } from '@zerocloud/sandbox/wasi/errno';
import { createWorld } from '../../../support/guest-world';
import { type FileStat, readRight, WasiCaller, writeRight } from '../../../support/wasi-caller';

const openCreate = 1;
const openDirectory = 2;
const openExclusive = 4;
const openTruncate = 8;

let guest: WasiCaller;

beforeEach(() => {
  guest = new WasiCaller(createWorld([]));
});

/** A small tree to try rules on: files `f`, `d/g`, directories `d`, `d/e`, links `l -> d`, `broken -> nowhere`, `loop -> loop`. */
function plant(): void {
  guest.create('f', 'file f');
  guest.path('path_create_directory', 'd');
  guest.path('path_create_directory', 'd/e');
  guest.create('d/g', 'file g');
  guest.symlink('d', 'l');
  guest.symlink('nowhere', 'broken');
  guest.symlink('loop', 'loop');
}

describe('a path', () => {
  beforeEach(plant);

  test.each([
    ['f', 'file f'],
    ['/f', 'file f'],
    ['./f', 'file f'],
    ['d/../f', 'file f'],
    ['../../../f', 'file f'],
    ['d/e/../../../../f', 'file f'],
    ['d//g', 'file g'],
    ['d/./g', 'file g'],
    ['l/g', 'file g'],
    ['l/e/../g', 'file g'],
    ['l/../f', 'file f'],
    ['', -errno.noent],
    ['nothing', -errno.noent],
    ['nothing/f', -errno.noent],
    ['f/', -errno.notdir],
    ['f/.', -errno.notdir],
    ['f/..', -errno.notdir],
    ['f/x', -errno.notdir],
    ['broken', -errno.noent],
    ['loop', -errno.loop],
    ['loop/x', -errno.loop],
    ['a\0b', -errno.inval],
    ['n'.repeat(256), -errno.nametoolong],
    ['ü'.repeat(128), -errno.nametoolong],
    ['ü'.repeat(127), -errno.noent],
    ['d/'.repeat(2100), -errno.nametoolong],
  ])('%p leads to %p', (path, expected) => {
    expect(guest.content(path)).toBe(expected);
  });

  test('that is no UTF-8 is refused', () => {
    expect(guest.call('path_filestat_get', 3, 0, ...guest.put(Buffer.from([0xff, 0xfe])), 0x100)).toBe(errno.ilseq);
  });

  test('outside of memory is a fault', () => {
    expect(guest.call('path_filestat_get', 3, 0, -8, 100, 0x100)).toBe(errno.fault);
  });

  test('starts at the directory it is given with', () => {
    const fd = guest.open('d', { flags: openDirectory });
    const opened = guest.open('g', { at: fd });
    expect(guest.read(opened, 10)).toBe('file g');
    expect(guest.read(guest.open('../f', { at: fd }), 10)).toBe('file f');
    expect(guest.open('g', { at: opened })).toBe(-errno.notdir);
    expect(guest.open('g', { at: 77 })).toBe(-errno.badf);
  });

  test('expands links forty times and no more', () => {
    guest.create('end', 'end');
    guest.symlink('end', 'link-0');
    for (let i = 1; i <= 45; i++) guest.symlink(`link-${i - 1}`, `link-${i}`);
    expect(guest.content('link-39')).toBe('end');
    expect(guest.content('link-40')).toBe(-errno.loop);
  });
});

describe('opening', () => {
  beforeEach(plant);

  const cases: [string, Parameters<WasiCaller['open']>, number][] = [
    ['a missing file without create', ['new', { rights: writeRight }], -errno.noent],
    ['an existing file exclusively', ['f', { flags: openCreate | openExclusive }], -errno.exist],
    ['an existing link exclusively', ['broken', { flags: openCreate | openExclusive }], -errno.exist],
    ['a link without following it', ['l', { follow: false }], -errno.loop],
    ['a file as a directory', ['f', { flags: openDirectory }], -errno.notdir],
    ['a directory for writing', ['d', { rights: writeRight }], -errno.isdir],
    ['a directory with create', ['d', { flags: openCreate }], -errno.isdir],
    ['a directory with truncate', ['d', { flags: openTruncate }], -errno.isdir],
    ['a directory to be created', ['new', { flags: openCreate | openDirectory }], -errno.inval],
    ['a new file with a slash', ['new/', { flags: openCreate }], -errno.isdir],
    ['a new file in a missing directory', ['no/new', { flags: openCreate }], -errno.noent],
    ['a new file in /dev', ['dev/new', { flags: openCreate }], -errno.perm],
    ['a missing file in /dev', ['dev/new'], -errno.noent],
    ['with unknown flags', ['f', { flags: 16 }], -errno.inval],
    ['with unknown descriptor flags', ['f', { fdFlags: 32 }], -errno.inval],
  ];

  test.each(cases)('%s', (_title, args, expected) => {
    expect(guest.open(...args)).toBe(expected);
  });

  test('creates through a link that leads nowhere yet', () => {
    expect(guest.open('broken', { rights: writeRight, flags: openCreate })).toBeGreaterThan(3);
    expect(guest.content('nowhere')).toBe('');
  });

  test('truncates', () => {
    guest.open('f', { rights: writeRight, flags: openTruncate });
    expect(guest.content('f')).toBe('');
  });

  test('grants what was asked for and nothing else', () => {
    expect(guest.write(guest.open('f', { rights: readRight }), 'x')).toBe(-errno.badf);
    expect(guest.read(guest.open('f', { rights: writeRight }), 1)).toBe(errno.badf);
    expect(guest.read(guest.open('d', { flags: openDirectory }), 1)).toBe(errno.isdir);
  });

  test('stops at 1024 descriptors with mfile and goes on after one is closed', () => {
    let last = 0;
    let result = 0;
    for (result = guest.open('f'); result > 0; result = guest.open('f')) last = result;
    expect([last, result]).toEqual([1023, -errno.mfile]);
    expect(guest.open('new', { rights: writeRight, flags: openCreate })).toBe(-errno.mfile);
    expect(guest.stat('new')).toBe(errno.noent);
    guest.call('fd_close', 500);
    expect(guest.open('f')).toBe(500);
  });
});

describe('names', () => {
  beforeEach(plant);

  const changes: [string, () => number, number][] = [
    ['making a directory twice', () => guest.path('path_create_directory', 'd'), errno.exist],
    ['making the root', () => guest.path('path_create_directory', '/'), errno.exist],
    ['making a directory in /dev', () => guest.path('path_create_directory', 'dev/x'), errno.perm],
    ['removing a full directory', () => guest.path('path_remove_directory', 'd'), errno.notempty],
    ['removing a file as a directory', () => guest.path('path_remove_directory', 'f'), errno.notdir],
    ['removing the root', () => guest.path('path_remove_directory', '/'), errno.inval],
    ['removing /dev', () => guest.path('path_remove_directory', 'dev'), errno.perm],
    ['removing a missing directory', () => guest.path('path_remove_directory', 'x'), errno.noent],
    ['removing an empty directory', () => guest.path('path_remove_directory', 'd/e'), 0],
    ['unlinking a directory', () => guest.path('path_unlink_file', 'd'), errno.isdir],
    ['unlinking a device', () => guest.path('path_unlink_file', 'dev/null'), errno.perm],
    ['unlinking a missing file', () => guest.path('path_unlink_file', 'x'), errno.noent],
    ['unlinking a link', () => guest.path('path_unlink_file', 'l'), 0],
    ['renaming a missing file', () => guest.rename('x', 'y'), errno.noent],
    ['renaming into /dev', () => guest.rename('f', 'dev/f'), errno.perm],
    ['renaming a device', () => guest.rename('dev/null', 'n'), errno.perm],
    ['renaming /dev', () => guest.rename('dev', 'n'), errno.perm],
    ['renaming the root', () => guest.rename('/', 'n'), errno.inval],
    ['renaming a file over a directory', () => guest.rename('f', 'd'), errno.isdir],
    ['renaming a directory over a file', () => guest.rename('d', 'f'), errno.notdir],
    ['renaming a directory into itself', () => guest.rename('d', 'd/e/x'), errno.inval],
    ['renaming over a full directory', () => guest.rename('d/e', 'd'), errno.notempty],
    ['renaming a file to a name with a slash', () => guest.rename('f', 'x/'), errno.notdir],
    ['renaming to itself', () => guest.rename('f', 'f'), 0],
    ['linking a directory', () => guest.link('d', 'x'), errno.perm],
    ['linking a device', () => guest.link('dev/null', 'x'), errno.perm],
    ['linking into /dev', () => guest.link('f', 'dev/x'), errno.perm],
    ['linking over a file', () => guest.link('f', 'd/g'), errno.exist],
    ['linking a missing file', () => guest.link('x', 'y'), errno.noent],
    ['a symbolic link over a file', () => guest.symlink('f', 'd/g'), errno.exist],
    ['a symbolic link in /dev', () => guest.symlink('f', 'dev/x'), errno.perm],
    ['an empty symbolic link', () => guest.symlink('', 'x'), errno.noent],
    ['a symbolic link with NUL', () => guest.symlink('a\0b', 'x'), errno.inval],
    ['an overlong symbolic link', () => guest.symlink('x'.repeat(4097), 'x'), errno.nametoolong],
  ];

  test.each(changes)('%s', (_title, change, expected) => {
    expect(change()).toBe(expected);
  });

  test('rename moves a directory with what is in it', () => {
    expect(guest.rename('d', 'tmp/moved')).toBe(0);
    expect(guest.content('tmp/moved/g')).toBe('file g');
    expect(guest.stat('d')).toBe(errno.noent);
    const fd = guest.open('tmp/moved', { flags: openDirectory });
    expect(guest.read(guest.open('../../f', { at: fd }), 10)).toBe('file f');
  });

  test('rename replaces a file and an empty directory', () => {
    guest.path('path_create_directory', 'empty');
    expect(guest.rename('f', 'd/g')).toBe(0);
    expect(guest.content('d/g')).toBe('file f');
    expect(guest.rename('d', 'empty')).toBe(0);
    expect(guest.content('empty/g')).toBe('file f');
  });

  test('a hard link is the same file under another name', () => {
    expect(guest.link('f', 'd/same')).toBe(0);
    expect(guest.stat('f')).toMatchObject({ links: 2 });
    guest.write(guest.open('d/same', { rights: writeRight }), 'FILE');
    guest.path('path_unlink_file', 'f');
    expect(guest.content('d/same')).toBe('FILE f');
    expect(guest.stat('d/same')).toMatchObject({ links: 1 });
  });

  test('readlink gives the target, cut to the buffer', () => {
    expect(guest.readlink('l')).toBe('d');
    expect(guest.readlink('f')).toBe(errno.inval);
    expect(guest.readlink('x')).toBe(errno.noent);
    guest.symlink('0123456789', 'long');
    expect(guest.call('path_readlink', 3, ...guest.put('long'), 0x8000, 4, 0x100)).toBe(0);
    expect(guest.bytes.readUInt32LE(0x100)).toBe(4);
    expect(guest.stat('long', false)).toMatchObject({ type: 7, size: 10 });
  });

  test('an unlinked file lives until it is closed', () => {
    const fd = guest.open('f', { rights: readRight | writeRight });
    guest.path('path_unlink_file', 'f');
    expect(guest.read(fd, 10)).toBe('file f');
    expect(guest.write(fd, '!')).toBe(1);
    expect(guest.call('fd_close', fd)).toBe(0);
    expect(guest.read(fd, 1)).toBe(errno.badf);
  });

  test('nothing can be created in a directory that was removed while open', () => {
    const fd = guest.open('d/e', { flags: openDirectory });
    guest.path('path_remove_directory', 'd/e');
    expect(guest.open('x', { at: fd, flags: openCreate })).toBe(-errno.noent);
  });
});

describe('a listing', () => {
  test.each([25, 40, 100, 4096])('is complete with a buffer of %d bytes', (length) => {
    const names = Array.from({ length: 60 }, (_, i) => 'n'.repeat(i % 3 === 0 ? 1 : 9) + i);
    guest.path('path_create_directory', 'd');
    for (const name of names) guest.create(`d/${name}`, '');
    const longest = 24 + 12;
    const fd = guest.open('d', { flags: openDirectory });
    expect(guest.list(fd, Math.max(length, longest))).toEqual(['.', '..', ...names]);
    expect(guest.list(fd, 4096)).toEqual(['.', '..', ...names]);
  });

  test('goes on from any cookie', () => {
    plant();
    const fd = guest.open('d', { flags: openDirectory });
    const namesFrom = (cookie: bigint): number => {
      expect(guest.call('fd_readdir', fd, 0x8000, 4096, cookie, 0x100)).toBe(0);
      return guest.bytes.readUInt32LE(0x100);
    };
    expect(namesFrom(3n)).toBe(25);
    expect(namesFrom(4n)).toBe(0);
    expect(namesFrom(1n << 63n)).toBe(0);
    expect(namesFrom(2n)).toBe(50);
  });

  test('survives the removal of what it lists', () => {
    for (let i = 0; i < 50; i++) guest.create(`tmp/f${i}`, '');
    const fd = guest.open('tmp', { flags: openDirectory });
    for (const name of guest.list(fd).slice(2)) guest.path('path_unlink_file', `tmp/${name}`);
    expect(guest.list(fd)).toEqual(['.', '..']);
  });

  test('needs a directory', () => {
    plant();
    expect(guest.call('fd_readdir', guest.open('f'), 0x8000, 100, 0n, 0x100)).toBe(errno.notdir);
  });
});

describe('the budget', () => {
  test('of bytes is nospc when it is used up and comes back when files go', () => {
    guest = new WasiCaller(createWorld([], { root: new RootFs({ maxBytes: 1000 }) }));
    const fd = guest.open('a', { rights: writeRight, flags: openCreate });
    expect(guest.write(fd, 'x'.repeat(600))).toBe(600);
    expect(guest.write(fd, 'x'.repeat(600))).toBe(-errno.nospc);
    expect(guest.call('fd_filestat_set_size', fd, 1001n)).toBe(errno.nospc);
    expect(guest.write(fd, 'x', 1n << 40n)).toBe(-errno.nospc);
    expect(guest.call('fd_allocate', fd, 0n, 1001n)).toBe(errno.nospc);
    guest.path('path_unlink_file', 'a');
    const other = guest.open('b', { rights: writeRight, flags: openCreate });
    expect(guest.write(other, 'x'.repeat(600))).toBe(-errno.nospc);
    guest.call('fd_close', fd);
    expect(guest.write(other, 'x'.repeat(1000))).toBe(1000);
    expect(guest.symlink('target', 'link')).toBe(errno.nospc);
  });

  test('of nodes is nospc when it is used up and comes back when names go', () => {
    guest = new WasiCaller(createWorld([], { root: new RootFs({ maxNodes: 13 }) }));
    let made = 0;
    while (guest.path('path_create_directory', `d${made}`) === 0) made++;
    expect(guest.path('path_create_directory', 'more')).toBe(errno.nospc);
    expect(guest.open('file', { flags: openCreate })).toBe(-errno.nospc);
    guest.path('path_remove_directory', 'd0');
    expect(guest.symlink('x', 'link')).toBe(0);
    guest.path('path_unlink_file', 'link');
    expect(guest.open('file', { flags: openCreate })).toBeGreaterThan(3);
    expect(made).toBeGreaterThan(5);
  });
});

describe('times', () => {
  test('are set as asked', () => {
    guest.create('f', '');
    const [pointer, length] = guest.put('f');
    expect(guest.call('path_filestat_set_times', 3, 0, pointer, length, 5n, 7n, 1 | 4)).toBe(0);
    expect(guest.stat('f')).toMatchObject({ accessedNs: 5n, modifiedNs: 7n });
    const fd = guest.open('f');
    expect(guest.call('fd_filestat_set_times', fd, 9n, 0n, 1 | 8)).toBe(0);
    const { accessedNs, modifiedNs } = guest.fstat(fd) as FileStat;
    expect(accessedNs).toBe(9n);
    expect(modifiedNs).toBeGreaterThan(1_600_000_000_000_000_000n);
    expect(guest.call('fd_filestat_set_times', fd, 0n, 0n, 1 | 2)).toBe(errno.inval);
    expect(guest.call('fd_filestat_set_times', fd, 0n, 0n, 16)).toBe(errno.inval);
    expect(guest.call('path_filestat_set_times', 3, 0, ...guest.put('dev/null'), 5n, 7n, 1)).toBe(errno.perm);
  });

  test('change when a file is written', () => {
    guest.create('f', '');
    guest.call('path_filestat_set_times', 3, 0, ...guest.put('f'), 5n, 7n, 1 | 4);
    guest.write(guest.open('f', { rights: writeRight }), 'x');
    expect((guest.stat('f') as FileStat).modifiedNs).toBeGreaterThan(1_600_000_000_000_000_000n);
  });
});
