/** Numbers and layouts of WASI preview 1 that the host speaks, as in `wasi_snapshot_preview1.witx`. */

export const fileTypes = {
  unknown: 0,
  blockDevice: 1,
  characterDevice: 2,
  directory: 3,
  regularFile: 4,
  symbolicLink: 7,
} as const;

export const rights = {
  fdDatasync: 1n << 0n,
  fdRead: 1n << 1n,
  fdSeek: 1n << 2n,
  fdFdstatSetFlags: 1n << 3n,
  fdSync: 1n << 4n,
  fdTell: 1n << 5n,
  fdWrite: 1n << 6n,
  fdAdvise: 1n << 7n,
  fdAllocate: 1n << 8n,
  fdReaddir: 1n << 14n,
  fdFilestatGet: 1n << 21n,
  fdFilestatSetSize: 1n << 22n,
  fdFilestatSetTimes: 1n << 23n,
  pollFdReadwrite: 1n << 27n,
} as const;

/** Bits 0–29; `sock_accept` is the last. */
export const allRights = (1n << 30n) - 1n;

/** What only makes sense on a directory: `path_*` and `fd_readdir`. */
export const directoryRights = 0x7bffe00n & ~((1n << 21n) | (1n << 22n) | (1n << 23n));

export const openFlags = { create: 1, directory: 2, exclusive: 4, truncate: 8 } as const;

export const fdFlags = { append: 1, dsync: 2, nonblock: 4, rsync: 8, sync: 16 } as const;
export const allFdFlags = 31;

export const lookupFlags = { symlinkFollow: 1 } as const;

export const setTimeFlags = { accessTime: 1, accessNow: 2, modifyTime: 4, modifyNow: 8 } as const;

export const whence = { start: 0, current: 1, end: 2 } as const;

export const clockIds = { realtime: 0, monotonic: 1, processCpu: 2, threadCpu: 3 } as const;

export const eventTypes = { clock: 0, fdRead: 1, fdWrite: 2 } as const;

export const structSizes = {
  ciovec: 8,
  dirent: 24,
  event: 32,
  fdstat: 24,
  filestat: 64,
  prestat: 8,
  subscription: 48,
} as const;
