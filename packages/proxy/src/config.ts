/** Settings of the proxy, validated and frozen. */
export interface ProxyConfig {
  host: string;
  /** 0 = any free port. */
  port: number;
  users: User[];
  logLevel: string;
  /** Seconds a token lives. */
  tokenLifetimeS: number;
  limits: SwiftLimits;
  jobs: JobLimits;
  timeouts: Timeouts;
}

/** One line of `ZEROCLOUD_USERS`: `account:user=key group…`. */
export interface User {
  account: string;
  user: string;
  key: string;
  /** `.admin`, `.reseller_admin`, or any other group name. */
  groups: string[];
}

/** Swift's constraints, by the names `/info` gives them (there in snake case). */
export interface SwiftLimits {
  maxFileSize: number;
  maxMetaNameLength: number;
  maxMetaValueLength: number;
  maxMetaCount: number;
  maxMetaOverallSize: number;
  maxHeaderSize: number;
  maxObjectNameLength: number;
  maxContainerNameLength: number;
  maxAccountNameLength: number;
  accountListingLimit: number;
  containerListingLimit: number;
}

/** `spec` names: zerovm_timeout, zerovm_maxconfig, zerovm_maxiops, zerovm_maxinput, zerovm_maxoutput, zerovm_maxnexemem … */
export interface JobLimits {
  sessionTimeoutS: number;
  sessionMemoryBytes: number;
  maxConfigBytes: number;
  maxIops: number;
  maxInputBytes: number;
  maxOutputBytes: number;
  maxProgramBytes: number;
  defaultContentType: string;
  /** Nodes of one job. */
  maxNodes: number;
  /** Jobs that run at once; further ones wait, up to `maxQueuedJobs`, then 503. */
  maxJobs: number;
  maxQueuedJobs: number;
}

export interface Timeouts {
  /** Seconds without a byte of an announced request body, then 408. */
  clientTimeoutS: number;
  /** Seconds a whole upload may take, then 408. */
  maxUploadTimeS: number;
}

/** Swift's own defaults. */
export const defaultSwiftLimits: SwiftLimits = {
  maxFileSize: 5368709122,
  maxMetaNameLength: 128,
  maxMetaValueLength: 256,
  maxMetaCount: 90,
  maxMetaOverallSize: 4096,
  maxHeaderSize: 8192,
  maxObjectNameLength: 1024,
  maxContainerNameLength: 256,
  maxAccountNameLength: 256,
  accountListingLimit: 10000,
  containerListingLimit: 10000,
};

/** ZeroCloud's own defaults, see its configuration manual. */
export const defaultJobLimits: JobLimits = {
  sessionTimeoutS: 10,
  sessionMemoryBytes: 1024 ** 3,
  maxConfigBytes: 65536,
  maxIops: 1073741824,
  maxInputBytes: 1073741824,
  maxOutputBytes: 1073741824,
  maxProgramBytes: 268435456,
  defaultContentType: 'application/octet-stream',
  maxNodes: 10000,
  maxJobs: 10,
  maxQueuedJobs: 100,
};

export const defaultTimeouts: Timeouts = { clientTimeoutS: 60, maxUploadTimeS: 86400 };
