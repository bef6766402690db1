/**
 * What goes into the sandbox and what comes out. A session is one run of one program over channels; its whole
 * fate, good or bad, is the `Report` in its result. Nothing here knows HTTP, LevelDB or Swift.
 */

import type { JailForm, JailMode } from './jail/forms';
import type { SnapshotFacts } from './snapshots/snapshot-files';
import type { StopSignal } from './stop-signal';

/** Bytes that a session reads: held in memory (small) or a regular file, which is handed over as a hard link. */
export type ByteSource = { kind: 'bytes'; data: Uint8Array } | { kind: 'file'; path: string; sizeBytes: number };

/**
 * A regular file that the executor process was started with, open. Only whoever starts an executor for one session has
 * such files (the command line); the executors of a pool inherit nothing.
 */
export interface InheritedFile {
  kind: 'inherited';
  /** Descriptor in the executor process. */
  fd: number;
  sizeBytes: number;
}

/** What an inherited descriptor is: a regular file at any position, or bytes that come and go (FIFO, terminal, device). */
export interface InheritedChannel {
  kind: 'file' | 'stream';
  fd: number;
  /** Length at the start; 0 for a stream. */
  sizeBytes: number;
}

/** ZeroVM's access types: 0 sequential, 1 random read + sequential write, 2 sequential read + random write, 3 random. */
export type ChannelType = 0 | 1 | 2 | 3;

/** What `stat` says about a channel in the guest; WASI has no FIFO, so `pipe` shows as "unknown". */
export type FileType = 'file' | 'char' | 'pipe' | 'block';

/** Bounds of one channel for one session. Calls are counted once each, bytes as transferred; a zero closes the direction. */
export interface ChannelLimits {
  reads: number;
  readBytes: number;
  writes: number;
  writeBytes: number;
}

/** A declared way in or out. The direction follows from `limits`, as in a ZeroVM manifest. */
export interface Channel {
  /** Name in the guest, for example `/dev/stdin`, `/dev/input`, `/dev/image`. Unique in a session. */
  name: string;
  type: ChannelType;
  limits: ChannelLimits;
  fileType: FileType;
  /** Keep a running md5 of what passes; it appears in the report and in the output. */
  etag: boolean;
  /** What a readable channel reads; absent: end of file at once. */
  source?: ByteSource;
  /** Writable channels: count what is written, keep nothing; the output has its size but no bytes. */
  discard?: boolean;
  /** Read and write this instead: no `source`, and the output has its size but no bytes. See `InheritedFile`. */
  inherited?: InheritedChannel;
}

/** A tar (plain) or directory laid into the guest's in-memory root, later mounts over earlier ones. */
export interface Mount {
  /** `tar`: an archive. `directory`: a trusted directory on this host (system images only). */
  kind: 'tar' | 'directory';
  source: ByteSource | InheritedFile;
  /** Absolute guest path, usually `/`. */
  mountPoint: string;
}

/** The program: module bytes, a member of one of the session's mounts, or a member of an installed system image. */
export type Program =
  | {
      kind: 'module';
      source: ByteSource | InheritedFile;
      /** Stable identity of the content, for the cache of compiled modules. */
      cacheKey?: string;
    }
  | { kind: 'mount'; mount: number; path: string; cacheKey?: string }
  | { kind: 'system-image'; image: string; path: string };

export interface Session {
  /** Trust boundary: sessions of two tenants never share an executor process. */
  tenant: string;
  program: Program;
  /** Guest argv, argv[0] included. */
  args: string[];
  env: Record<string, string>;
  channels: Channel[];
  /** User images, in mounting order. */
  mounts: Mount[];
  /** Names of installed system images to mount at `/` (before `mounts`) and to show as `/dev/<name>`. */
  systemImages: string[];
  /** Wall-clock limit in milliseconds, from the moment the guest starts. */
  timeoutMs: number;
  /** Limit of the guest's linear memory in bytes; growth beyond it fails inside the guest. */
  memoryBytes: number;
  /** Options of the command line; absent for jobs. */
  local?: LocalOptions;
  /** The program is an application of which a copy may be kept, so that later sessions find it started. */
  daemon?: DaemonApplication;
  /** Set by the sandbox itself: make such a copy, or start from it. */
  copy?: SessionCopy;
}

/** An application whose modules are imported once for many sessions. Nothing of the session itself gets into the copy. */
export interface DaemonApplication {
  /** Which application of the tenant's it is. */
  name: string;
  /** Where it lies, for people. */
  place: string;
  /** What it is at present: another key means that the copy of before is of no use any more. */
  key: string;
  /** Names of Python modules, in the order in which they are imported. */
  modules: string[];
}

export type SessionCopy =
  /** Import modules, and write the copy, if it has no more than so many bytes, to the session's last channel. */
  | { kind: 'make'; modules: string[]; maxBytes: number }
  /** Start from the copy in a file, known to executors by its id. */
  | { kind: 'start'; id: string; source: ByteSource };

/** Bounds of the copies of applications that are kept. */
export interface DaemonLimits {
  /** Copies of one tenant; 0: none are made. */
  perTenant: number;
  /** Bytes on disk of one tenant's, and of all together. */
  tenantBytes: number;
  totalBytes: number;
  /** Milliseconds without use after which a copy is removed. */
  idleMs: number;
}

/** The snapshot of a program, in files that the executor process was started with. */
export interface InheritedSnapshot {
  facts: SnapshotFacts;
  module: InheritedFile;
  memory: InheritedFile;
}

/** What ZeroVM's own command line can ask for besides. */
export interface LocalOptions {
  /** The program is an interpreter of which this is a copy: the session starts from it where that is the same to the guest. */
  snapshot?: InheritedSnapshot;
  /** Check the program and open the channels, then report without running it. */
  checkOnly?: boolean;
  /** ZeroVM's repeatable world: the clock starts at this second since 1970, and random numbers follow from it. */
  startSeconds?: number;
  /** Adds the md5 of the guest's memory at its end to the report's checksums, as `/dev/memory`. */
  memoryEtag?: boolean;
  /** Directories of the guest's root that become archives on channels (by their position) when it has ended by itself. */
  saves?: { channel: number; directory: string }[];
  /** Log the guest's calls: all of them, those that name a path or fail, or those that fail. */
  trace?: {
    fd: number;
    calls: 'all' | 'paths' | 'failed';
    /** Wall-clock milliseconds that count as 0. */
    originMs: number;
  }[];
}

/** Validator state, as ZeroVM's report line 1. */
export type Validation = 0 | 1 | 2;

/** Counters of ZeroVM's accounting line. Times in seconds; local transfers, then transfers between nodes. */
export interface Accounting {
  systemSeconds: number;
  userSeconds: number;
  reads: number;
  readBytes: number;
  writes: number;
  writeBytes: number;
  networkReads: number;
  networkReadBytes: number;
  networkWrites: number;
  networkWriteBytes: number;
}

/** How a session ended. `state` is `ok` or ZeroVM's sentence (`session timeout`, `validation failed`, …). */
export interface Report {
  /** 0 validated, 1 refused, 2 not validated (trusted system image). */
  validation: Validation;
  /** True when the session was served from a snapshot of a daemon. */
  daemon: boolean;
  /** The program's own exit code; 0 if it never exited. */
  exitCode: number;
  /** Running checksums of channels with `etag`, in closing order. */
  etags: { name: string; md5: string }[];
  accounting: Accounting;
  state: string;
  /** ZeroVM's process exit code: 0 regular end, 4 timeout or trap, 8 refused program, 12 memory, … */
  code: number;
  /** Why a program was refused, or had no daemon, in one plain sentence. Not part of ZeroVM's report. */
  detail?: string;
  /** Milliseconds of wall-clock time from start of the guest to its end. */
  elapsedMs: number;
}

/** What a writable channel received, also when the session failed: everything transferred stays valid. */
export interface Output {
  name: string;
  sizeBytes: number;
  /** md5 of the content, present when the channel asked for an etag. */
  md5?: string;
  /** What was written is gone with the process of the session: not even that it was nothing is known. */
  isLost?: true;
  /** `bytes`: at most `inlineOutputBytes`. `file`: a file the receiver now owns and must rename or unlink. */
  body: { kind: 'bytes'; data: Uint8Array } | { kind: 'file'; path: string };
}

export interface SessionResult {
  report: Report;
  /** One entry per writable channel, in the order of `Session.channels`. */
  outputs: Output[];
}

/** A program or its files shipped with the server, trusted, and addressed as `file://<name>:<path>`. */
export interface SystemImage {
  name: string;
  /** A directory (programs are files in it) or a plain tar. */
  path: string;
  /** Programs that are not found under their own name: member name → file path on this host. */
  programs?: Record<string, string>;
  /** Programs that are started ahead and copied, so that a session begins where they wait for a script: member name → what it is. */
  snapshots?: Record<string, 'python' | 'javascript'>;
  /** A directory of this host that programs of the image find in their root, over whatever the session mounts. */
  library?: string;
  /** Whether the directory or tar is laid into the guest's root when a job lists the image as a device. */
  mounted: boolean;
  /** A program to run once in every fresh executor (before it takes sessions), so that the first real run finds compiled code. */
  warmUp?: { program: string; args: string[] };
}

export interface SandboxOptions {
  /** Directory for slots, on the same file system as every `file` source and as the receiver of outputs. Created; emptied at start. */
  workDir: string;
  /** Sessions that may run at once; one executor process each. */
  maxSessions: number;
  /** Sessions of groups that may run at once beside them (`maxSessions`); one process for each group. */
  maxGroupSessions?: number;
  systemImages: SystemImage[];
  /** Outputs up to this size come back as bytes, larger ones as files. */
  inlineOutputBytes: number;
  /** Copies of applications; absent: none are made. */
  daemons?: DaemonLimits;
  /** How executor processes are confined; `auto` (the default) takes the strongest form that the host offers. */
  jail?: JailMode;
  /** Largest file that an executor may write in bytes (`defaultMaxFileBytes`): an output, with what its channel held before. */
  maxFileBytes?: number;
  /** Largest `Session.memoryBytes` there will be (`defaultMaxMemoryBytes`); what else an executor needs is added to it. */
  maxMemoryBytes?: number;
  /** Called with one line per notable event (executor died, recycled …). */
  log?: (event: Record<string, unknown>, message: string) => void;
}

/** A kept copy of an application. */
export interface KeptDaemon {
  name: string;
  place: string;
  modules: string[];
  sizeBytes: number;
  /** Milliseconds since the epoch. */
  madeMs: number;
  lastUsedMs: number;
  /** Sessions that started from it. */
  sessionCount: number;
}

/** An end of a pipe: a sequential channel of one direction, by the session's position in its group and its name. */
export interface PipeEnd {
  session: number;
  channel: string;
}

/** Joins two channels of a group; what is written to one is read from the other. Memory holds up to 1 MiB on the way. */
export interface Pipe {
  /** Writes only. */
  from: PipeEnd;
  /** Reads only. */
  to: PipeEnd;
}

/** The running sandbox: a pool of executor processes. */
export interface Sandbox {
  /**
   * Runs one session to its end; waits for a free slot first. Resolves with a report whatever the guest does.
   * Rejects with `SandboxError` (unknown system image, missing member, closed sandbox, the host's own failure), and with
   * `RangeError` for a timeout or a memory that cannot be.
   * Aborting ends the guest at once and rejects with the signal's reason.
   */
  run(session: Session, options?: { signal?: StopSignal }): Promise<SessionResult>;
  /**
   * Runs up to 64 sessions of one tenant at the same time, joined by pipes; waits until there are places for all of them. Resolves with
   * one result for each, in order, when all have ended. A session that ends, however, ends its pipes: readers get what is
   * there and the end, writers get `pipe`. A pipe's output has its size but no bytes. Transfers are counted as network,
   * CPU seconds are equal parts of what the group used. Rejects, for all of them, as `run` does, and with `RangeError` for
   * pipes that cannot be and more sessions than may run at once (`maxGroupSessions`).
   */
  runGroup(
    sessions: readonly Session[],
    pipes: readonly Pipe[],
    options?: { signal?: StopSignal },
  ): Promise<SessionResult[]>;
  /** Copies of the tenant's applications that are kept, the last used first. */
  daemons(tenant: string): KeptDaemon[];
  /** Sessions running and waiting now. */
  load(): { running: number; waiting: number };
  /** The form in which executor processes are confined. */
  readonly jail: JailForm;
  /** Installed system images, by name. */
  readonly systemImages: ReadonlyMap<string, SystemImage>;
  /** Ends every executor; running sessions reject. */
  close(): Promise<void>;
}
