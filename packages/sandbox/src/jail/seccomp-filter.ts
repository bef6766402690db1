import { conclude, ifAtLeast, ifEqual, load, mask, seccompData, verdict } from './bpf';
import { allowedCalls, auditArchitecture, checkedCalls, type FilterArchitecture, findNumber, x32Bit } from './syscalls';

const errorNumber = { EPERM: 1, ENOSYS: 38 } as const;

/** `CLONE_THREAD`, and `CLONE_NEW…` of all namespaces. */
const cloneThread = 0x0001_0000;
const cloneNamespaces = 0x7e02_0000;

/** Mode bits that make a file run as its owner, and the sticky bit. */
const specialModeBits = 0o7000;

/** `O_CREAT` and `O_TMPFILE`: files are made by the server, so an executor has as many as its session has outputs. */
const createFlags = 0x40_0040;

/** `ioctl` requests that libuv and libc make. Not among them: pushing input to a terminal, and everything of devices. */
const ioctlRequests = {
  TCGETS: 0x5401,
  TIOCGWINSZ: 0x5413,
  FIONREAD: 0x541b,
  FIONBIO: 0x5421,
  FIONCLEX: 0x5450,
  FIOCLEX: 0x5451,
} as const;

/** The instructions behind a matching call number, which conclude. */
const checks: Record<keyof typeof checkedCalls, Buffer[]> = {
  openat: withoutBits(2, createFlags),
  open: withoutBits(1, createFlags),
  /** Threads, no processes; threads in no other namespace. */
  clone: [
    load(seccompData.argument(0)),
    mask(cloneThread | cloneNamespaces),
    ifEqual(cloneThread, 0, 1),
    conclude(verdict.allow),
    conclude(verdict.error(errorNumber.EPERM)),
  ],
  fchmod: withoutBits(1, specialModeBits),
  ioctl: [
    load(seccompData.argument(1)),
    ...Object.values(ioctlRequests).flatMap((request) => [ifEqual(request, 0, 1), conclude(verdict.allow)]),
    conclude(verdict.error(errorNumber.EPERM)),
  ],
};

/** Allows a call if an argument has none of these bits. */
function withoutBits(argument: number, bits: number): Buffer[] {
  return [
    load(seccompData.argument(argument)),
    mask(bits),
    ifEqual(0, 0, 1),
    conclude(verdict.allow),
    conclude(verdict.error(errorNumber.EPERM)),
  ];
}

/**
 * The system-call filter of an executor, as `bwrap --seccomp` takes it: a list of what is allowed. Everything else fails
 * with ENOSYS, so that libc and libuv fall back to what they did before a call existed; `clone3`, whose flags a filter
 * cannot see, becomes `clone` that way. Undefined for an architecture whose call numbers are not known here.
 */
export function findSeccompFilter(architecture: string): Buffer | undefined {
  if (architecture !== 'x64' && architecture !== 'arm64') return undefined;
  return Buffer.concat([
    load(seccompData.architecture),
    ifEqual(auditArchitecture[architecture], 1, 0),
    conclude(verdict.killProcess),
    load(seccompData.number),
    ifAtLeast(x32Bit, 0, 1),
    conclude(verdict.error(errorNumber.ENOSYS)),
    ...rules(architecture),
    conclude(verdict.error(errorNumber.ENOSYS)),
  ]);
}

function* rules(architecture: FilterArchitecture): Iterable<Buffer> {
  for (const numbers of Object.values(allowedCalls)) {
    const number = findNumber(numbers, architecture);
    if (number === undefined) continue;
    yield ifEqual(number, 0, 1);
    yield conclude(verdict.allow);
  }
  for (const [name, check] of Object.entries(checks)) {
    const number = findNumber(checkedCalls[name as keyof typeof checks], architecture);
    if (number === undefined) continue;
    yield ifEqual(number, 0, check.length);
    yield* check;
  }
}
