import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errno } from '@zerocloud/sandbox/wasi/errno';
import { createWorld, heldText, inputSpec, outputSpec } from '../../../support/guest-world';
import { readRight, WasiCaller, writeRight } from '../../../support/wasi-caller';

const start = 0;
const current = 1;
const end = 2;
const append = 1;
const openCreate = 1;
const openTruncate = 8;
const seekRights = 4n | 32n;

const both = { reads: 99, readBytes: 999, writes: 99, writeBytes: 999 };

describe('a file', () => {
  let guest: WasiCaller;
  let fd: number;

  beforeEach(() => {
    guest = new WasiCaller(createWorld([]));
    fd = guest.open('file', { rights: readRight | writeRight, flags: openCreate });
    guest.write(fd, '0123456789');
  });

  test('is read and written where its descriptor stands', () => {
    expect(guest.seek(fd, 3n, start)).toBe(3);
    expect(guest.read(fd, 2)).toBe('34');
    expect(guest.write(fd, 'xy')).toBe(2);
    expect(guest.seek(fd, -2n, current)).toBe(5);
    expect(guest.seek(fd, -1n, end)).toBe(9);
    expect(guest.read(fd, 5)).toBe('9');
    expect(guest.content('file')).toBe('01234xy789');
  });

  test('is read and written at an offset without moving', () => {
    expect(guest.read(fd, 3, 4n)).toBe('456');
    expect(guest.write(fd, 'x', 0n)).toBe(1);
    expect(guest.call('fd_tell', fd, 0x100)).toBe(0);
    expect(guest.bytes.readBigUInt64LE(0x100)).toBe(10n);
  });

  test('gets zeros where nothing was written', () => {
    guest.write(fd, 'end', 14n);
    expect(guest.content('file')).toBe('0123456789\0\0\0\0end');
    expect(guest.seek(fd, 100n, start)).toBe(100);
    expect(guest.read(fd, 1)).toBe('');
    expect(guest.call('fd_filestat_set_size', fd, 2n)).toBe(0);
    expect(guest.call('fd_filestat_set_size', fd, 4n)).toBe(0);
    expect(guest.content('file')).toBe('01\0\0');
    expect(guest.call('fd_allocate', fd, 3n, 3n)).toBe(0);
    expect(guest.fstat(fd)).toMatchObject({ size: 6, type: 4 });
  });

  test('is appended to when opened so', () => {
    const log = guest.open('file', { rights: writeRight, fdFlags: append });
    guest.write(log, 'a');
    guest.write(log, 'b', 0n);
    expect(guest.content('file')).toBe('0123456789ab');
    expect(guest.call('fd_fdstat_set_flags', log, 0)).toBe(0);
    guest.write(log, 'X', 0n);
    expect(guest.content('file')).toBe('X123456789ab');
    expect(guest.call('fd_fdstat_set_flags', log, 32)).toBe(errno.inval);
  });

  test('takes and gives several buffers in one call', () => {
    guest.put('abc', 0x8000);
    guest.put('de', 0x9000);
    guest.vectors([
      [0x8000, 3],
      [0xffffff, 0],
      [0x9000, 2],
    ]);
    expect(guest.call('fd_pwrite', fd, 0, 3, 0n, 0x100)).toBe(errno.fault);
    guest.vectors([
      [0x8000, 3],
      [0x8000, 0],
      [0x9000, 2],
    ]);
    expect(guest.call('fd_pwrite', fd, 0, 3, 0n, 0x100)).toBe(0);
    expect(guest.bytes.readUInt32LE(0x100)).toBe(5);
    expect(guest.content('file')).toBe('abcde56789');
  });

  test.each<[string, () => number, number]>([
    ['an unknown descriptor', () => guest.call('fd_read', 99, 0, 1, 0x100), errno.badf],
    ['a negative descriptor', () => guest.call('fd_read', -1, 0, 1, 0x100), errno.badf],
    ['too many buffers', () => guest.call('fd_read', fd, 0, 1025, 0x100), errno.inval],
    ['a list outside of memory', () => guest.call('fd_read', fd, -8, 2, 0x100), errno.fault],
    ['a result outside of memory', () => guest.call('fd_write', fd, 0, 0, -2), errno.fault],
    ['an unknown origin', () => guest.call('fd_seek', fd, 0n, 3, 0x100), errno.inval],
    ['a negative position', () => guest.call('fd_seek', fd, -11n, 1, 0x100), errno.inval],
    ['a position beyond all numbers', () => guest.call('fd_seek', fd, (1n << 63n) - 1n, 1, 0x100), errno.inval],
    ['a negative offset', () => guest.call('fd_pread', fd, 0, 0, -1n, 0x100), errno.inval],
    ['an allocation of nothing', () => guest.call('fd_allocate', fd, 0n, 0n), errno.inval],
    ['unknown advice', () => guest.call('fd_advise', fd, 0n, 0n, 6), errno.inval],
    ['advice', () => guest.call('fd_advise', fd, 0n, 0n, 3), 0],
    ['a sync', () => guest.call('fd_sync', fd), 0],
    ['a data sync', () => guest.call('fd_datasync', fd), 0],
    ['a sync of nothing', () => guest.call('fd_sync', 99), errno.badf],
    ['a socket call', () => guest.call('sock_send', fd, 0, 0, 0, 0), errno.notsock],
    ['a socket call on nothing', () => guest.call('sock_shutdown', 99, 0), errno.badf],
    ['a seek in a directory', () => guest.call('fd_seek', 3, 0n, 0, 0x100), errno.notcapable],
    ['a size for a directory', () => guest.call('fd_filestat_set_size', 3, 0n), errno.isdir],
  ])('%s', (_title, call, expected) => {
    guest.vectors([[0x8000, 1]]);
    expect(call()).toBe(expected);
  });

  test('gets another number by renumbering, and the old file of that number is closed', () => {
    const other = guest.open('other', { rights: writeRight, flags: openCreate });
    expect(guest.call('fd_renumber', fd, other)).toBe(0);
    expect(guest.read(other, 3, 0n)).toBe('012');
    expect(guest.read(fd, 1)).toBe(errno.badf);
    expect(guest.call('fd_renumber', other, fd)).toBe(errno.badf);
    expect(guest.call('fd_renumber', other, other)).toBe(0);
    expect(guest.call('fd_close', other)).toBe(0);
    expect(guest.call('fd_close', other)).toBe(errno.badf);
  });

  test('gives up rights for good', () => {
    const { rights } = guest.fdstat(fd);
    expect(guest.call('fd_fdstat_set_rights', fd, rights & ~writeRight & ~4n, 0n)).toBe(0);
    expect(guest.write(fd, 'x')).toBe(-errno.badf);
    expect(guest.seek(fd, 0n, start)).toBe(-errno.notcapable);
    expect(guest.read(fd, 2, 0n)).toBe('01');
    expect(guest.call('fd_fdstat_set_rights', fd, rights, 0n)).toBe(errno.notcapable);
  });
});

describe('the preopened root', () => {
  test('is descriptor 3 and the only one', () => {
    const guest = new WasiCaller(createWorld([]));
    expect(guest.call('fd_prestat_get', 3, 0x100)).toBe(0);
    expect([guest.bytes[0x100], guest.bytes.readUInt32LE(0x104)]).toEqual([0, 1]);
    expect(guest.call('fd_prestat_dir_name', 3, 0x200, 1)).toBe(0);
    expect(guest.bytes.toString('utf8', 0x200, 0x201)).toBe('/');
    expect(guest.call('fd_prestat_dir_name', 3, 0x200, 0)).toBe(errno.nametoolong);
    expect(guest.call('fd_prestat_get', 4, 0x100)).toBe(errno.badf);
    expect(guest.call('fd_prestat_get', 0, 0x100)).toBe(errno.badf);
    expect(guest.fdstat(3)).toMatchObject({ type: 3 });
  });
});

describe('built-in devices', () => {
  let guest: WasiCaller;

  beforeEach(() => {
    guest = new WasiCaller(createWorld([]));
  });

  const open = (name: string): number => guest.open(`dev/${name}`, { rights: readRight | writeRight });

  test('null is empty and takes everything', () => {
    const fd = open('null');
    expect(guest.read(fd, 10)).toBe('');
    expect(guest.write(fd, 'abc')).toBe(3);
    expect(guest.seek(fd, 10n, start)).toBe(0);
    expect(guest.fstat(fd)).toMatchObject({ type: 2, size: 0 });
  });

  test('zero gives zeros', () => {
    expect(guest.read(open('zero'), 3)).toBe('\0\0\0');
  });

  test('full is full', () => {
    expect(guest.write(open('full'), 'x')).toBe(-errno.nospc);
    expect(guest.write(open('full'), '')).toBe(-errno.nospc);
    expect(guest.read(open('full'), 2)).toBe('\0\0');
  });

  test.each(['random', 'urandom'])('%s is random', (name) => {
    const fd = open(name);
    expect(guest.read(fd, 32)).not.toBe(guest.read(fd, 32));
  });

  test('stand in for standard channels that are not there', () => {
    expect(guest.read(0, 10)).toBe('');
    expect(guest.write(1, 'abc')).toBe(3);
    expect(guest.write(2, 'abc')).toBe(3);
  });

  test('are no terminals', () => {
    expect(guest.fdstat(1).rights & seekRights).toBe(seekRights);
  });
});

describe('channels', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'zerocloud-channels-'));
  });

  afterEach(() => rmSync(directory, { recursive: true }));

  test('are descriptors 0, 1 and 2 and the same streams by name', () => {
    const world = createWorld([
      inputSpec('/dev/stdin', 'abcdef'),
      outputSpec('/dev/stdout'),
      outputSpec('/dev/stderr'),
    ]);
    const guest = new WasiCaller(world);
    const again = guest.open('dev/stdin');
    expect([guest.read(0, 2), guest.read(again, 2), guest.read(0, 2)]).toEqual(['ab', 'cd', 'ef']);
    const stdout = guest.open('dev/stdout', { rights: writeRight });
    guest.write(1, 'one ');
    guest.write(stdout, 'two');
    guest.write(2, 'err');
    expect([heldText(world, '/dev/stdout'), heldText(world, '/dev/stderr')]).toEqual(['one two', 'err']);
  });

  const streams = () => new WasiCaller(createWorld([inputSpec('/dev/stdin', 'abc'), outputSpec('/dev/stdout')]));

  test.each<[string, (guest: WasiCaller) => string | number, string | number]>([
    ['seek', (guest) => guest.seek(0, 0n, start), -errno.spipe],
    ['tell', (guest) => guest.call('fd_tell', 1, 0x100), errno.spipe],
    ['read at an offset', (guest) => guest.read(0, 1, 0n), errno.spipe],
    ['write at an offset', (guest) => guest.write(1, 'x', 0n), -errno.spipe],
    ['be written against their direction', (guest) => guest.write(0, 'x'), -errno.dquot],
    ['be read against their direction', (guest) => guest.read(1, 1), errno.dquot],
    ['be cut once written', (guest) => guest.write(1, 'x') && guest.call('fd_filestat_set_size', 1, 0n), errno.inval],
    ['be opened against their direction', (guest) => guest.open('dev/stdout'), -errno.acces],
    ['be opened in both directions', (guest) => guest.open('dev/stdin', { rights: 66n }), -errno.acces],
    ['be truncated against their direction', (guest) => guest.open('dev/stdin', { flags: 8 }), -errno.acces],
    ['be opened as directories', (guest) => guest.open('dev/stdin', { flags: 2 }), -errno.notdir],
    ['be opened exclusively', (guest) => guest.open('dev/stdout', { rights: writeRight, flags: 5 }), -errno.exist],
  ])('that are streams cannot %s', (_title, call, expected) => {
    expect(call(streams())).toBe(expected);
  });

  test('show their kind, direction and size', () => {
    const guest = new WasiCaller(
      createWorld([
        inputSpec('/dev/stdin', 'abc', { fileType: 'char' }),
        outputSpec('/dev/stdout'),
        inputSpec('/dev/input', 'abcd', { type: 3, fileType: 'file' }),
        inputSpec('/dev/image', 'abcde', { type: 3, fileType: 'block' }),
      ]),
    );
    expect(guest.fstat(0)).toMatchObject({ type: 2, size: 0 });
    expect(guest.fstat(1)).toMatchObject({ type: 0, size: 0 });
    expect(guest.stat('dev/input')).toMatchObject({ type: 4, size: 4 });
    expect(guest.stat('dev/image')).toMatchObject({ type: 1, size: 5 });
    expect(guest.fdstat(0).rights & (readRight | writeRight | seekRights)).toBe(readRight);
    expect(guest.fdstat(1).rights & (readRight | writeRight | seekRights)).toBe(writeRight);
    const input = guest.fdstat(guest.open('dev/input'));
    expect(input.rights & (readRight | writeRight | seekRights)).toBe(readRight | seekRights);
  });

  test('read at random have a position per descriptor', () => {
    const guest = new WasiCaller(createWorld([inputSpec('/dev/input', '0123456789', { type: 3 })]));
    const [one, two] = [guest.open('dev/input'), guest.open('dev/input')];
    expect(guest.seek(one, -3n, end)).toBe(7);
    expect([guest.read(one, 2), guest.read(two, 2), guest.read(one, 5), guest.read(one, 5)]).toEqual([
      '78',
      '01',
      '9',
      '',
    ]);
    expect(guest.read(two, 3, 4n)).toBe('456');
  });

  test('accept mode "w" while nothing is written', () => {
    const world = createWorld([outputSpec('/dev/output'), outputSpec('/dev/random-output', { type: 3 })]);
    const guest = new WasiCaller(world);
    const mode = { rights: writeRight, flags: openCreate | openTruncate };
    guest.write(guest.open('dev/output', mode), 'first');
    expect(guest.open('dev/output', mode)).toBe(-errno.perm);
    guest.write(guest.open('dev/random-output', mode), 'first');
    guest.write(guest.open('dev/random-output', mode), '2nd');
    expect([heldText(world, '/dev/output'), heldText(world, '/dev/random-output')]).toEqual(['first', '2nd']);
  });

  test('written at random take positions, appending and sizes', () => {
    const world = createWorld([outputSpec('/dev/output', { type: 3, limits: { ...both, reads: 0 } })]);
    const guest = new WasiCaller(world);
    const fd = guest.open('dev/output', { rights: writeRight });
    guest.write(fd, 'abcdef');
    guest.write(fd, 'X', 2n);
    expect(guest.seek(fd, 0n, start)).toBe(0);
    guest.write(fd, 'Y');
    const log = guest.open('dev/output', { rights: writeRight, fdFlags: append });
    guest.write(log, '!');
    expect(guest.fstat(fd)).toMatchObject({ size: 7 });
    expect(guest.call('fd_filestat_set_size', fd, 5n)).toBe(0);
    expect(guest.call('fd_filestat_set_size', fd, 1000n)).toBe(errno.inval);
    expect(heldText(world, '/dev/output')).toBe('YbXde');
  });

  test('that append are read at random and written at their end', () => {
    const world = createWorld([inputSpec('/dev/log', 'one ', { type: 1, limits: both })]);
    const guest = new WasiCaller(world);
    const fd = guest.open('dev/log', { rights: readRight | writeRight });
    expect(guest.write(fd, 'two')).toBe(3);
    expect(guest.read(fd, 9)).toBe('');
    expect(guest.read(fd, 9, 0n)).toBe('one two');
    expect(guest.open('dev/log', { rights: writeRight, flags: openTruncate })).toBe(-errno.perm);
  });

  test('cut the last transfer and end with dquot, however many buffers a call has', () => {
    const limits = { reads: 3, readBytes: 8, writes: 0, writeBytes: 0 };
    const world = createWorld([inputSpec('/dev/stdin', '0123456789', { limits })]);
    const guest = new WasiCaller(world);
    guest.vectors([
      [0x8000, 2],
      [0x9000, 3],
    ]);
    expect(guest.call('fd_read', 0, 0, 2, 0x100)).toBe(0);
    expect(guest.bytes.toString('utf8', 0x9000, 0x9003)).toBe('234');
    expect(guest.read(0, 0)).toBe('');
    expect(guest.read(0, 5)).toBe('567');
    expect(guest.read(0, 5)).toBe(errno.dquot);
    expect(guest.read(0, 0)).toBe('');
    expect(world.states.get('/dev/stdin')!.reads).toBe(2);
  });

  test('lose nothing to a result pointer outside of memory', () => {
    const guest = new WasiCaller(createWorld([inputSpec('/dev/stdin', 'abc')]));
    guest.vectors([[0x8000, 2]]);
    expect(guest.call('fd_read', 0, 0, 1, -1)).toBe(errno.fault);
    expect(guest.read(0, 3)).toBe('abc');
  });
});
