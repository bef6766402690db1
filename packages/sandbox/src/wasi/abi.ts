/** Numbers and layouts of WASI preview 1 that the host speaks, as in `wasi_snapshot_preview1.witx`. */

export const fileTypes = {
  unknown: 0,
  blockDevice: 1,
  characterDevice: 2,
  directory: 3,
  regularFile: 4,
  symbolicLink: 7,
} as const;

/** Rights fit 30 bits, so the host keeps them as numbers although the interface has 64. */
export const rights = {
  fdDatasync: 1 << 0,
  fdRead: 1 << 1,
  fdSeek: 1 << 2,
  fdFdstatSetFlags: 1 << 3,
  fdSync: 1 << 4,
  fdTell: 1 << 5,
  fdWrite: 1 << 6,
  fdAdvise: 1 << 7,
  fdAllocate: 1 << 8,
  pathCreateDirectory: 1 << 9,
  pathCreateFile: 1 << 10,
  pathLinkSource: 1 << 11,
  pathLinkTarget: 1 << 12,
  pathOpen: 1 << 13,
  fdReaddir: 1 << 14,
  pathReadlink: 1 << 15,
  pathRenameSource: 1 << 16,
  pathRenameTarget: 1 << 17,
  pathFilestatGet: 1 << 18,
  pathFilestatSetSize: 1 << 19,
  pathFilestatSetTimes: 1 << 20,
  fdFilestatGet: 1 << 21,
  fdFilestatSetSize: 1 << 22,
  fdFilestatSetTimes: 1 << 23,
  pathSymlink: 1 << 24,
  pathRemoveDirectory: 1 << 25,
  pathUnlinkFile: 1 << 26,
  pollFdReadwrite: 1 << 27,
  sockShutdown: 1 << 28,
  sockAccept: 1 << 29,
} as const;

export const allRights = (1 << 30) - 1;

const positionRights = rights.fdSeek | rights.fdTell;
const writingRights = rights.fdWrite | rights.fdDatasync | rights.fdAllocate | rights.fdFilestatSetSize;
const descriptorRights =
  rights.fdFdstatSetFlags |
  rights.fdSync |
  rights.fdAdvise |
  rights.fdFilestatGet |
  rights.fdFilestatSetTimes |
  rights.pollFdReadwrite;

/** What can be done with a descriptor that is not a directory. */
export function fileRights(can: { read: boolean; write: boolean; seek: boolean }): number {
  return (
    descriptorRights |
    (can.read ? rights.fdRead : 0) |
    (can.write ? writingRights : 0) |
    (can.seek ? positionRights : 0)
  );
}

export const directoryRights =
  (allRights & ~(fileRights({ read: true, write: true, seek: true }) | rights.sockAccept | rights.sockShutdown)) |
  rights.fdFdstatSetFlags |
  rights.fdSync |
  rights.fdDatasync |
  rights.fdFilestatGet |
  rights.fdFilestatSetTimes;

export const openFlags = { create: 1, directory: 2, exclusive: 4, truncate: 8 } as const;
export const allOpenFlags = 15;

export const fdFlags = { append: 1, dsync: 2, nonblock: 4, rsync: 8, sync: 16 } as const;
export const allFdFlags = 31;

export const lookupFlags = { symlinkFollow: 1 } as const;

export const setTimeFlags = { accessed: 1, accessedNow: 2, modified: 4, modifiedNow: 8 } as const;

export const whence = { start: 0, current: 1, end: 2 } as const;

export const clockIds = { realtime: 0, monotonic: 1, processCpu: 2, threadCpu: 3 } as const;

export const eventTypes = { clock: 0, fdRead: 1, fdWrite: 2 } as const;

/** Sizes in bytes. */
export const structSizes = {
  ciovec: 8,
  dirent: 24,
  event: 32,
  fdstat: 24,
  filestat: 64,
  prestat: 8,
  subscription: 48,
} as const;
