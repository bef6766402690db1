/**
 * Bounds that hold for every session, whatever it asks for. What a session may choose for itself (time, memory, channel
 * quotas) is in `Session`; these stop a guest from hurting the host on the way.
 */

/** What a module may contain. Anything beyond is refused before the engine sees it. */
export interface ModuleLimits {
  moduleBytes: number;
  typeCount: number;
  importCount: number;
  exportCount: number;
  functionCount: number;
  /** Size of one function body; the optimising compiler needs time and memory superlinear in it. */
  bodyBytes: number;
  globalCount: number;
  elementBytes: number;
  dataSegmentCount: number;
  /** Entries of the table, initially and after growth. A table of 10^7 entries aborts the whole process. */
  tableEntries: number;
}

export const moduleLimits: Readonly<ModuleLimits> = {
  moduleBytes: 64 * 1024 ** 2,
  typeCount: 20_000,
  importCount: 1000,
  exportCount: 10_000,
  functionCount: 200_000,
  bodyBytes: 1024 ** 2,
  globalCount: 20_000,
  elementBytes: 2 * 1024 ** 2,
  dataSegmentCount: 50_000,
  tableEntries: 100_000,
};

/** System images are trusted: their programs are only taken apart to give them their memory. */
export const trustedModuleLimits: Readonly<ModuleLimits> = {
  moduleBytes: Infinity,
  typeCount: Infinity,
  importCount: Infinity,
  exportCount: Infinity,
  functionCount: Infinity,
  bodyBytes: Infinity,
  globalCount: Infinity,
  elementBytes: Infinity,
  dataSegmentCount: Infinity,
  tableEntries: Infinity,
};

/** Bytes of linear memory per wasm page. */
export const pageBytes = 65_536;

/** Pages that 32-bit linear memory can have. */
export const maxPages = 65_536;

/** Compiled modules an executor keeps for its tenant. */
export const moduleCacheLimits = { entries: 64, bytes: 64 * 1024 ** 2 } as const;

/** Copies of applications that an executor keeps ready for its tenant, and the memory of all their instances together. */
export const heldDaemons = { count: 3, bytes: 256 * 1024 ** 2 } as const;

/** Milliseconds a session may spend before its guest starts (admission, compiling, unpacking images). */
export const maxSetupMs = 30_000;

/** Milliseconds without a word from an executor, or beyond those that it asked for, after which its process is killed. */
export const terminateGraceMs = 100;

/**
 * Milliseconds that the thread of a guest whose time is over gets to end. Mostly it takes one or two, but among many busy threads a
 * second; with its process goes what it wrote, and what its neighbours in a group did.
 */
export const maxTerminationMs = 3000;

/** Milliseconds for collecting the outputs of a session that has ended (checksums of large files). */
export const maxFinishMs = 60_000;

/** Milliseconds a fresh executor process may take until it is ready (images warmed). */
export const maxExecutorStartMs = 30_000;

/** JavaScript heap of a guest's thread in MiB, which holds the host's view of its files; linear memory is apart. */
export const workerHeapMiB = 256;

/** The part of that heap in MiB where garbage of short sessions waits; what it once grew to, an idle process keeps. */
export const workerYoungHeapMiB = 2;

/** Milliseconds in which the interpreters of all system images are started and copied. */
export const maxSnapshotMs = 60_000;

/** Native stack of a guest's thread in MiB: deep recursion traps here. */
export const workerStackMiB = 4;

/** Milliseconds without a session after which an executor gives back the memory of instances that it keeps ready. */
export const restAfterMs = 2000;

/** Outputs in files up to this size are copied out of the executor's reach; for larger ones it ends instead. */
export const maxCopiedOutputBytes = 16 * 1024 ** 2;

/** Unassigned executors kept ready, so that the first session of another tenant does not wait for a process to start. */
export const spareExecutors = 2;

/** Sessions of one group: each is a thread of one process. */
export const maxGroupSessions = 64;

/**
 * Processes for groups that wait for their next one, and for how long: those of tenants, and the one that is nobody's yet, with
 * its threads started.
 */
export const groupProcesses = { idleCount: 3, idleMs: 60_000, spareMs: 600_000, threadsAhead: 2 } as const;

/** Waiting sessions looked at for each executor that comes free, the longest waiting first. */
export const dispatchWindow = 64;

/** The largest reply an executor may send besides its outputs' bytes. */
export const maxReplyBytes = 16 * 1024 ** 2;

/** The largest message of an executor about its time, and how many of them it may have for a session. */
export const maxStatusBytes = 1000;
export const maxStatusCount = 100;

/** Bytes of the largest file an executor may write, if the sandbox is not told. */
export const defaultMaxFileBytes = 16 * 1024 ** 3;

/** Bytes of the largest linear memory a session may have, if the sandbox is not told: all that 32 bits address. */
export const defaultMaxMemoryBytes = 4 * 1024 ** 3;

/** Writable memory of an executor besides its guest's: heaps, stacks, compiled code, unpacked images, snapshots. */
export const executorMemoryBytes = 2 * 1024 ** 3;
