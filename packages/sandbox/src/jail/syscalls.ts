/**
 * The system calls of an executor, by architecture: Node with its worker threads, V8, a glibc or musl below, and
 * bubblewrap's init process, which lives under the same filter. Everything else does not exist for them. A missing number
 * means that the architecture has no such call (arm64 has none of the old forms without a directory descriptor).
 */

export type FilterArchitecture = 'x64' | 'arm64';

/** `AUDIT_ARCH_…` of the kernel: a call made in another mode of the processor (32 bits) is none of ours. */
export const auditArchitecture: Readonly<Record<FilterArchitecture, number>> = {
  x64: 0xc000_003e,
  arm64: 0xc000_00b7,
};

/** From here on are x64's calls with 32-bit pointers. */
export const x32Bit = 0x4000_0000;

type Numbers = readonly [x64: number | undefined, arm64: number | undefined];

/** Allowed whatever their arguments are, the frequent ones first. */
export const allowedCalls: Readonly<Record<string, Numbers>> = {
  // Files and channels.
  read: [0, 63],
  write: [1, 64],
  pread64: [17, 67],
  pwrite64: [18, 68],
  close: [3, 57],
  newfstatat: [262, 79],
  statx: [332, 291],
  unlinkat: [263, 35],
  lseek: [8, 62],
  readv: [19, 65],
  writev: [20, 66],
  preadv: [295, 69],
  pwritev: [296, 70],
  preadv2: [327, 286],
  pwritev2: [328, 287],
  stat: [4, undefined],
  fstat: [5, 80],
  lstat: [6, undefined],
  unlink: [87, undefined],
  access: [21, undefined],
  faccessat: [269, 48],
  faccessat2: [439, 439],
  readlink: [89, undefined],
  readlinkat: [267, 78],
  getdents64: [217, 61],
  getcwd: [79, 17],
  chdir: [80, 49],
  fcntl: [72, 25],
  dup: [32, 23],
  dup2: [33, undefined],
  dup3: [292, 24],
  ftruncate: [77, 46],
  fsync: [74, 82],
  fdatasync: [75, 83],
  fadvise64: [221, 223],
  copy_file_range: [326, 285],
  sendfile: [40, 71],
  statfs: [137, 43],
  fstatfs: [138, 44],
  umask: [95, 166],
  // Threads and waiting.
  futex: [202, 98],
  futex_waitv: [449, 449],
  sched_yield: [24, 124],
  epoll_wait: [232, undefined],
  epoll_pwait: [281, 22],
  epoll_pwait2: [441, 441],
  epoll_ctl: [233, 21],
  epoll_create1: [291, 20],
  eventfd2: [290, 19],
  pipe: [22, undefined],
  pipe2: [293, 59],
  poll: [7, undefined],
  ppoll: [271, 73],
  select: [23, undefined],
  pselect6: [270, 72],
  nanosleep: [35, 101],
  clock_nanosleep: [230, 115],
  restart_syscall: [219, 128],
  set_tid_address: [218, 96],
  set_robust_list: [273, 99],
  get_robust_list: [274, 100],
  rseq: [334, 293],
  membarrier: [324, 283],
  gettid: [186, 178],
  getcpu: [309, 168],
  sched_getaffinity: [204, 123],
  sched_getscheduler: [145, 120],
  sched_getparam: [143, 121],
  exit: [60, 93],
  exit_group: [231, 94],
  // Memory.
  mmap: [9, 222],
  munmap: [11, 215],
  mprotect: [10, 226],
  madvise: [28, 233],
  mremap: [25, 216],
  mincore: [27, 232],
  brk: [12, 214],
  pkey_mprotect: [329, 288],
  pkey_alloc: [330, 289],
  pkey_free: [331, 290],
  // The sockets it was started with: frames and the line. No call makes or connects one.
  sendmsg: [46, 211],
  recvmsg: [47, 212],
  sendto: [44, 206],
  recvfrom: [45, 207],
  shutdown: [48, 210],
  getsockname: [51, 204],
  getpeername: [52, 205],
  getsockopt: [55, 209],
  setsockopt: [54, 208],
  // Signals; the process namespace says whom they reach.
  rt_sigaction: [13, 134],
  rt_sigprocmask: [14, 135],
  rt_sigreturn: [15, 139],
  sigaltstack: [131, 132],
  kill: [62, 129],
  tgkill: [234, 131],
  // Time, randomness, and what a process knows of itself.
  clock_gettime: [228, 113],
  clock_getres: [229, 114],
  gettimeofday: [96, 169],
  times: [100, 153],
  getrandom: [318, 278],
  getrusage: [98, 165],
  getrlimit: [97, 163],
  prlimit64: [302, 261],
  sysinfo: [99, 179],
  uname: [63, 160],
  getpid: [39, 172],
  getppid: [110, 173],
  getuid: [102, 174],
  geteuid: [107, 175],
  getgid: [104, 176],
  getegid: [108, 177],
  getgroups: [115, 158],
  getresuid: [118, 148],
  getresgid: [120, 150],
  capget: [125, 90],
  prctl: [157, 167],
  arch_prctl: [158, undefined],
  // Becoming the slot's user, which works once.
  setuid: [105, 146],
  setgid: [106, 144],
  setgroups: [116, 159],
  // bubblewrap starts the executor under the filter, and its init process waits for it. What an executor could start later
  // is what it can see: Node again, in the same jail, in its own place.
  execve: [59, 221],
  wait4: [61, 260],
};

/** Allowed with certain arguments only. */
export const checkedCalls = {
  openat: [257, 56],
  open: [2, undefined],
  clone: [56, 220],
  fchmod: [91, 52],
  ioctl: [16, 29],
} as const satisfies Record<string, Numbers>;

/** The number of a call, or undefined where there is none. */
export function findNumber(numbers: Numbers, architecture: FilterArchitecture): number | undefined {
  return numbers[architecture === 'x64' ? 0 : 1];
}
