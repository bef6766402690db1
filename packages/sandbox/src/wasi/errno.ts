/** Error numbers of WASI preview 1, as `wasi_snapshot_preview1.witx` lists them. */
export const errno = {
  success: 0,
  toobig: 1,
  acces: 2,
  again: 6,
  badf: 8,
  busy: 10,
  dquot: 19,
  exist: 20,
  fault: 21,
  fbig: 22,
  ilseq: 25,
  inval: 28,
  io: 29,
  isdir: 31,
  loop: 32,
  mfile: 33,
  mlink: 34,
  nametoolong: 37,
  nfile: 41,
  noent: 44,
  nomem: 48,
  nospc: 51,
  nosys: 52,
  notdir: 54,
  notempty: 55,
  notsock: 57,
  notsup: 58,
  overflow: 61,
  perm: 63,
  pipe: 64,
  rofs: 69,
  spipe: 70,
  xdev: 75,
  notcapable: 76,
} as const;

export type Errno = (typeof errno)[keyof typeof errno];

/** Ends the current guest call with an error number. Never leaves the host: `imports` turns it into the call's result. */
export class WasiError extends Error {
  constructor(readonly errno: Errno) {
    super(`WASI error ${errno}`);
    this.name = 'WasiError';
  }
}

const byNodeCode: Record<string, Errno> = {
  EACCES: errno.acces,
  EDQUOT: errno.nospc,
  EFBIG: errno.fbig,
  EMFILE: errno.nfile,
  ENFILE: errno.nfile,
  ENOMEM: errno.nomem,
  ENOSPC: errno.nospc,
  EPIPE: errno.pipe,
};

/** What the guest is told of a failed system call of the host: its kind, if the guest can act on it, else `io`. */
export function errnoOfSystemError(error: unknown): Errno {
  const code = (error as { code?: unknown } | null)?.code;
  return (typeof code === 'string' ? byNodeCode[code] : undefined) ?? errno.io;
}
