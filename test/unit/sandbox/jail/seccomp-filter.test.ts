import { findSeccompFilter } from '@zerocloud/sandbox/jail/seccomp-filter';
import { allowedCalls, auditArchitecture, type FilterArchitecture, findNumber } from '@zerocloud/sandbox/jail/syscalls';

const allow = 0x7fff_0000;
const kill = 0x8000_0000;
const eperm = 0x0005_0001;
const enosys = 0x0005_0026;

interface Call {
  number: number;
  architecture?: number;
  args?: bigint[];
}

/** Runs a filter as the kernel does (`seccomp_run_filters`), for one call; throws on anything the kernel would refuse to load. */
function runFilter(filter: Buffer, defaultArchitecture: number, { number, architecture, args = [] }: Call): number {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(number >>> 0, 0);
  data.writeUInt32LE(architecture ?? defaultArchitecture, 4);
  args.forEach((value, index) => {
    data.writeBigUInt64LE(BigInt.asUintN(64, value), 16 + 8 * index);
  });
  let accumulator = 0;
  for (let at = 0; at < filter.length / 8; at++) {
    const code = filter.readUInt16LE(8 * at);
    const [ifTrue, ifFalse] = [filter.readUInt8(8 * at + 2), filter.readUInt8(8 * at + 3)];
    const value = filter.readUInt32LE(8 * at + 4);
    if (code === 0x06) return value;
    else if (code === 0x20) accumulator = data.readUInt32LE(value);
    else if (code === 0x54) accumulator = (accumulator & value) >>> 0;
    else if (code === 0x15) at += accumulator === value ? ifTrue : ifFalse;
    else if (code === 0x35) at += accumulator >= value ? ifTrue : ifFalse;
    else throw new Error(`unknown instruction ${code}`);
  }
  throw new Error('the filter ends without a verdict');
}

/** Numbers from the kernel's tables, by architecture. */
const forbidden: [string, number, number][] = [
  ['socket', 41, 198],
  ['socketpair', 53, 199],
  ['connect', 42, 203],
  ['bind', 49, 200],
  ['listen', 50, 201],
  ['accept4', 288, 242],
  ['ptrace', 101, 117],
  ['process_vm_readv', 310, 270],
  ['process_vm_writev', 311, 271],
  ['mount', 165, 40],
  ['umount2', 166, 39],
  ['pivot_root', 155, 41],
  ['chroot', 161, 51],
  ['unshare', 272, 97],
  ['setns', 308, 268],
  ['bpf', 321, 280],
  ['perf_event_open', 298, 241],
  ['io_uring_setup', 425, 425],
  ['io_uring_enter', 426, 426],
  ['io_uring_register', 427, 427],
  ['keyctl', 250, 219],
  ['add_key', 248, 217],
  ['userfaultfd', 323, 282],
  ['execveat', 322, 281],
  ['clone3', 435, 435],
  ['open_by_handle_at', 304, 265],
  ['openat2', 437, 437],
  ['symlinkat', 266, 36],
  ['linkat', 265, 37],
  ['mknodat', 259, 33],
  ['mkdirat', 258, 34],
  ['renameat2', 316, 276],
  ['fchmodat', 268, 53],
  ['fchownat', 260, 54],
  ['memfd_create', 319, 279],
  ['pidfd_getfd', 438, 438],
  ['init_module', 175, 105],
  ['kexec_load', 246, 104],
  ['personality', 135, 92],
  ['reboot', 169, 142],
  ['setpriority', 141, 140],
];

describe.each<[FilterArchitecture, 0 | 1]>([
  ['x64', 0],
  ['arm64', 1],
])('the filter for %s', (architecture, column) => {
  const filter = findSeccompFilter(architecture)!;
  const run = (call: Call) => runFilter(filter, auditArchitecture[architecture], call);
  const clone = [56, 220][column]!;
  const ioctl = [16, 29][column]!;
  const fchmod = [91, 52][column]!;

  test('is one that the kernel takes: whole instructions, not too many, every path with a verdict', () => {
    expect(filter.length % 8).toBe(0);
    expect(filter.length / 8).toBeLessThanOrEqual(4096);
    for (let number = 0; number < 500; number++) expect([allow, eperm, enosys]).toContain(run({ number }));
  });

  test.each(Object.keys(allowedCalls))('allows %s where there is one', (name) => {
    const number = findNumber(allowedCalls[name]!, architecture);
    if (number !== undefined) expect(run({ number })).toBe(allow);
  });

  test.each(forbidden)('has no %s', (_name, ...numbers) => {
    expect(run({ number: numbers[column]! })).toBe(enosys);
  });

  test.each<[string, bigint, number]>([
    ['a thread, as glibc makes it', 0x3d0f00n, allow],
    ['a process', 0x11n, eperm],
    ['a process that shares memory, as posix_spawn makes it', 0x4111n, eperm],
    ['a thread in another user namespace', 0x3d0f00n | 0x1000_0000n, eperm],
    ['a thread in another mount namespace', 0x3d0f00n | 0x2_0000n, eperm],
    ['a thread, whatever stands in the upper half', 0xffff_ffff_003d_0f00n, allow],
  ])('clone of %s', (_what, flags, verdict) => {
    expect(run({ number: clone, args: [flags] })).toBe(verdict);
  });

  test.each<[string, bigint, number]>([
    ['FIOCLEX', 0x5451n, allow],
    ['FIONBIO', 0x5421n, allow],
    ['TIOCSTI, input for a terminal', 0x5412n, eperm],
    ['TIOCLINUX', 0x541cn, eperm],
    ['0', 0n, eperm],
  ])('ioctl %s', (_what, request, verdict) => {
    expect(run({ number: ioctl, args: [0n, request] })).toBe(verdict);
  });

  test.each<[string, bigint, number]>([
    ['0644', 0o100644n, allow],
    ['04755', 0o104755n, eperm],
    ['02755', 0o102755n, eperm],
  ])('fchmod %s', (_what, mode, verdict) => {
    expect(run({ number: fchmod, args: [3n, mode] })).toBe(verdict);
  });

  test.each<[string, bigint, number]>([
    ['for reading', 0n, allow],
    ['for writing, emptied', 0x201n, allow],
    ['a new file', 0x41n, eperm],
    ['a file without a name', 0x41_0002n, eperm],
  ])('openat %s', (_what, flags, verdict) => {
    expect(run({ number: [257, 56][column]!, args: [0n, 0n, flags] })).toBe(verdict);
    if (architecture === 'x64') expect(run({ number: 2, args: [0n, flags] })).toBe(verdict);
  });

  test('kills a process that calls in another mode of the processor', () => {
    const i386 = 0x4000_0003;
    expect(run({ number: 1, architecture: i386 })).toBe(kill);
  });

  test('has none of the calls with 32-bit pointers', () => {
    expect(run({ number: 0x4000_0000 })).toBe(enosys);
    expect(run({ number: 0x4000_0001 })).toBe(enosys);
    expect(run({ number: -1 })).toBe(enosys);
  });
});

test('there is no filter for an architecture whose numbers are not known', () => {
  expect(findSeccompFilter('riscv64')).toBeUndefined();
});
