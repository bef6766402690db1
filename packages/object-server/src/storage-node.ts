import type { Readable } from 'node:stream';
import type { ChannelLimits, ChannelType, FileType, JailForm, Report, StopSignal } from '@zerocloud/sandbox';
import type { StorageErrorCode } from './errors';
import type {
  ContainerPath,
  Metadata,
  MetadataLimits,
  ObjectPath,
  ObjectRecord,
  ObjectStore,
  StoragePolicy,
} from './store/object-store';

/**
 * The one seam between proxy and storage: a store that also runs programs beside its objects. In process
 * (`local-node.ts`) or over HTTP (`remote-node.ts`); `test/contract/storage-node.ts` is passed by both.
 */
export interface StorageNode extends ObjectStore {
  /**
   * Keeps a body that is no object (a posted archive, a script, a request payload) for the sessions of one job.
   * `inflate` gunzips it on the way. `objectTooLarge` beyond `maxBytes` (after inflating), `badArchive` for damaged gzip.
   */
  stageBody(body: AsyncIterable<Uint8Array>, options: { maxBytes: number; inflate?: boolean }): Promise<StagedBody>;
  /** Forgets a staged body; unknown ids are ignored. Bodies of dead jobs are dropped by the node after an hour, spilled outputs after a day. */
  releaseBody(id: string): Promise<void>;
  /**
   * Runs one node of a job: opens its inputs, runs the program, stores the outputs that have a target.
   * Resolves with the report whatever the guest does. Rejects with a `StorageError` whose message is the sentence for
   * the client: `sessionFailed` when the host lost a running guest, any other code when the program was not started
   * (`objectNotFound` for a program or input, `containerNotFound` for a local object, `objectIsLink` for
   * a symlink, `inputTooLarge`, …). Aborting
   * ends the guest and rejects with the signal's reason.
   */
  runSession(request: NodeSession, options?: { signal?: StopSignal }): Promise<NodeResult>;
  /**
   * Runs nodes of one account's job at the same time, joined by pipes: all of them get their places at once or wait. One
   * result for each, in order, when all have ended and their outputs are stored, each node's by itself. A node that ends ends
   * its pipes: readers get what is there and the end, writers `EPIPE`. Rejects as `runSession` does, and then nothing is
   * stored; `session` of the error says which one was not started, if it was one. `noSlot` when there are never so many places.
   */
  runGroup(group: NodeGroup, options?: { signal?: StopSignal }): Promise<NodeResult[]>;
  /**
   * Checks the object as a program without running it, and remembers with the object if it is valid. False for a program
   * that is not, is too large, or is not `bodyId` any more; rejects as `runSession` when there is no telling.
   */
  validateProgram(path: ObjectPath, options: ValidationOptions): Promise<boolean>;
  /** Names of the installed system images, and how the guests are held; for `/info`. */
  describe(): Promise<NodeDescription>;
  /** The account's applications of which copies are kept, the last used first. */
  listDaemons(account: string): Promise<NodeDaemon[]>;
}

export interface NodeDaemon {
  /** Where the application lies: the path of its archive, or that it was posted. */
  place: string;
  modules: string[];
  sizeBytes: number;
  /** Milliseconds since the epoch. */
  madeMs: number;
  lastUsedMs: number;
  /** Sessions that started from the copy. */
  sessionCount: number;
}

export interface ValidationOptions {
  /** The body to be checked. */
  bodyId: string;
  timeoutMs: number;
  memoryBytes: number;
  maxProgramBytes: number;
}

export interface StagedBody {
  id: string;
  sizeBytes: number;
}

export interface NodeDescription {
  systemImages: string[];
  maxSessions: number;
  /** Sessions that one group can have. */
  maxGroupSessions: number;
  /** The form in which programs are confined. */
  jail: JailForm;
}

/** Where a readable channel or a program gets its bytes. */
export type NodeSource =
  | { kind: 'object'; path: ObjectPath }
  /** The container's listing: a SQLite database with a table `object`, or its rows as lines of JSON. */
  | { kind: 'container'; path: ContainerPath; form: 'sqlite' | 'json' }
  /** `standsFor`: the manifest whose segments the staged bytes are, one after the other, and what a reader is told of them. */
  | { kind: 'staged'; id: string; standsFor?: { path: ObjectPath; record: ObjectRecord } }
  | { kind: 'bytes'; data: Uint8Array };

export type NodeProgram =
  | { kind: 'source'; source: NodeSource }
  /** A member of the tar on this node's `image` channel. */
  | { kind: 'image'; path: string }
  | { kind: 'system-image'; image: string; path: string };

/** One channel of a node. `device` is the name of the job description, `input`; the guest sees `/dev/input`. */
export interface NodeChannel {
  device: string;
  type: ChannelType;
  limits: ChannelLimits;
  fileType: FileType;
  etag: boolean;
  /** Readable channels. Absent: end of file at once. */
  source?: NodeSource;
  /** Mount the bytes as a tar at `/` (the `image` device). */
  mounted?: boolean;
  /** Writable channels: the object the output becomes. Absent: returned to the caller. */
  target?: OutputTarget;
  /** Writable channels: bytes below which the output is dropped, neither stored nor returned. */
  minSizeBytes?: number;
  /** Writable channels: drop what is written (undeclared standard devices). */
  discard?: boolean;
  /**
   * One end of a pipe whose other end runs at another time. Writable channels: the output is kept as a staged body. Readable
   * ones: their source is such a body, which is no input that counts to `maxInputBytes`.
   */
  spill?: boolean;
  /** Writable channels: the output is an HTTP message, whose head says what becomes of its body. */
  message?: MessageRules;
}

/** `http`: a status line, headers, a blank line, the body. `cgi`: without status line, a `Status` header instead. */
export type MessageForm = 'http' | 'cgi';

/** With the limits of the metadata that a head gives to a stored object, all its metadata counted; sizes in bytes. */
export interface MessageRules extends MetadataLimits {
  form: MessageForm;
  /** Type of a stored body whose head names none. */
  defaultContentType: string;
  maxMetaNameLength: number;
  maxMetaValueLength: number;
}

/** A parsed head. Names are lower case; values are bytes as Latin-1 characters. */
export interface MessageHead {
  /** 200–599. */
  status?: number;
  headers: [name: string, value: string][];
}

export interface OutputTarget {
  path: ObjectPath;
  contentType: string;
  metadata: Metadata;
}

export interface NodeSession {
  /** The account that runs the job: the sandbox's trust boundary. */
  account: string;
  transactionId: string;
  /** Name of the node in its job, for logs. */
  name: string;
  program: NodeProgram;
  args: string[];
  env: Record<string, string>;
  channels: NodeChannel[];
  /** System images to mount, in device order. */
  systemImages: string[];
  /** The co-located channel: its object must exist before the start, and gives the guest its `LOCAL_*` variables. */
  localDevice?: string;
  timeoutMs: number;
  memoryBytes: number;
  /** Timestamp of the request, given to the objects the outputs become. */
  timestamp: string;
  maxProgramBytes: number;
  maxInputBytes: number;
  /** A program that was found valid when it was stored counts as not validated for this session. */
  prevalidated?: boolean;
  /** Modules of a Python application that are imported once, and kept in a copy from which later sessions start. */
  daemon?: string[];
}

/** A channel of one direction, sequential, without source or target: an end of a pipe of a group. */
export interface NodePipeEnd {
  /** Position in the group. */
  session: number;
  device: string;
}

/** What is written to one channel is read from the other. */
export interface NodePipe {
  from: NodePipeEnd;
  to: NodePipeEnd;
}

export interface NodeGroup {
  sessions: NodeSession[];
  pipes: NodePipe[];
}

export interface NodeOutput {
  device: string;
  /** Without the head of a message. */
  sizeBytes: number;
  md5?: string;
  /** The head, when the channel is a message and the output was one. */
  message?: MessageHead;
  /** A returned output that passed `minSizeBytes`. */
  body?: Buffer | Readable;
  /** A spilled output: what holds it until it is released. */
  stagedId?: string;
  /** A stored output: where it went. */
  stored?: ObjectPath;
  /** A stored output that was refused (its container is gone …). Later outputs of the node were not processed. */
  refused?: StorageErrorCode;
}

/** With the storage policy of the local object, if it is another than the default one. */
export type NodeReport = Report & { policy?: StoragePolicy };

export interface NodeResult {
  report: NodeReport;
  /** In channel order; only writable channels that are not discarded. */
  outputs: NodeOutput[];
}
