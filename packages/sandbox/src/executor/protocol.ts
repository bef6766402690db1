import type { ChannelSource, ChannelSpec } from '../channels/channel-spec';
import type { SandboxErrorCode } from '../errors';
import type { LocalOptions, Output, Report, SystemImage } from '../session';
import type { SnapshotReference } from '../snapshots/snapshot-files';

/** What an executor process is told when it is started (as JSON in its arguments). */
export interface ExecutorSetup {
  systemImages: SystemImage[];
  /** Outputs up to this size come back as bytes, larger ones as files of the slot. */
  inlineOutputBytes: number;
  /** Copies of started interpreters. */
  snapshots?: SnapshotReference[];
  /** The memory that sessions usually have; an instance made ahead has it. */
  memoryBytes?: number;
}

/** Descriptor of the line between a confined process and its starter, which ends when one of them does. */
export const lineFd = 3;

/** Descriptor of the socket for frames in the executor process. */
export const frameFd = 4;

/** The first of the descriptors that the starter of an executor passes on, if any. */
export const firstInheritedFd = 5;

export interface ModuleProgram {
  kind: 'module';
  /** Absent when the executor has the module under its key. */
  source?: ChannelSource;
  cacheKey?: string;
}

export type ProgramRequest =
  | ModuleProgram
  | { kind: 'mount'; mount: number; path: string; cacheKey?: string }
  | { kind: 'system-image'; image: string; path: string };

export interface MountRequest {
  kind: 'tar' | 'directory';
  source: ChannelSource;
  mountPoint: string;
}

/** A session as the executor gets it: every file is a path in its slot. */
export interface SessionRequest {
  id: number;
  program: ProgramRequest;
  args: string[];
  env: Record<string, string>;
  channels: ChannelSpec[];
  mounts: MountRequest[];
  systemImages: string[];
  memoryBytes: number;
  local?: LocalOptions;
  copy?: CopyRequest;
}

/** As `SessionCopy`; the source is absent when the executor has the copy. */
export type CopyRequest =
  | { kind: 'make'; modules: string[]; maxBytes: number }
  | { kind: 'start'; id: string; source?: ChannelSource };

/** There was no session for a while: the executor gives back memory that it can fill again. */
export interface RestMessage {
  kind: 'rest';
}

/** First frame to the process of a group. So many `GroupNode`s follow. */
export interface GroupHeader {
  nodeCount: number;
  ringCount: number;
}

/** A session of a group. */
export interface GroupNode {
  request: SessionRequest;
  timeoutMs: number;
  /** Which channels, by position, are ends of which rings. */
  pipes: { channel: number; ring: number }[];
}

/** Frames from the executor. */
export type ExecutorReply =
  | { kind: 'ready' }
  | {
      kind: 'done';
      id: number;
      report: Report;
      outputs: Output[];
      /** Changes of the executor's module cache: a key it holds now, keys it dropped. */
      cached?: string;
      evicted: string[];
      /** The process takes no further session: the guest's thread was killed, or the host failed. */
      last: boolean;
      /** What failed in the host, for the log. */
      fault?: string;
    }
  | { kind: 'failed'; id: number; code: SandboxErrorCode; message: string; fault?: string };

/** To the supervisor over the line, once the time of a session may be over. */
export interface DeadlineMessage {
  kind: 'deadline';
  id: number;
  timeoutMs: number;
  channels: ChannelSpec[];
}

/** From the supervisor: no later than this the next sign of life (reply or status) of the session comes. */
export interface StatusMessage {
  kind: 'status';
  id: number;
  graceMs: number;
}
