import { type StorageConfig, storageConfig } from '@zerocloud/object-server/config';
import {
  type Digest,
  isLoopback,
  readSettings,
  type Secret,
  type SettingsRule,
  type SettingValues,
} from '@zerocloud/object-server/settings';
import { type Resellers, resellersOf } from './auth/resellers';
import type { ReadOnlyRules } from './middleware/read-only';
import type { SizeRate } from './rate-limit/rates';
import { type S3Config, s3Config } from './s3/config';

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
  queues: QueueLimits;
  s3: S3Config;
  timeouts: Timeouts;
  /** Origins whose scripts may use every account and container; `*` stands for all. */
  corsAllowOrigins: string[];
  tempUrl: TempUrlConfig;
  /** Which accounts there can be, by the beginnings of their names. */
  resellers: Resellers;
  hosts: HostsConfig;
  rates: RatesConfig;
  /** ETags of objects in quotes where no container or account says otherwise. */
  quoteEtags: boolean;
  /** What redirects of static web sites begin with; by default where the visitor came. */
  webUrlBase?: string;
  crossDomainPolicy: string;
  healthDisableFile?: string;
  readOnly: ReadOnlyRules;
  largeObjects: LargeObjectLimits;
  bulk: BulkLimits;
}

/** Bounds of static large objects, by the names `/info` gives them under `slo`. */
export interface LargeObjectLimits {
  maxManifestSegments: number;
  maxManifestBytes: number;
  /** Between two signs of life of a long answer. */
  yieldFrequencyS: number;
}

/** Bounds of bulk requests, by the names `/info` gives them under `bulk_upload` and `bulk_delete`. */
export interface BulkLimits {
  maxDeletesPerRequest: number;
  maxFailedDeletes: number;
  maxContainersPerExtraction: number;
  maxFailedExtractions: number;
  yieldFrequencyS: number;
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
  /** Symlinks in a row that a read follows. */
  symloopMax: number;
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
  /** Connections between the nodes of one job, and the bytes they may hold on disk. */
  maxConnections: number;
  maxSpillBytes: number;
  /** Jobs that run at once; further ones wait, up to `maxQueuedJobs`, then 503. */
  maxJobs: number;
  maxQueuedJobs: number;
  /** Jobs beyond `maxJobs`, each of an account that runs none. */
  reservedJobs: number;
  /** Whether accounting lines are stored, and in which account. */
  accounting: boolean;
  userStatsAccount: string;
  /** Programs found valid when they were stored are not validated by jobs. */
  prevalidate: boolean;
  /** Ended jobs of one account, and nodes of all ended jobs, that the live view remembers. */
  jobHistory: number;
  jobHistoryNodes: number;
  /** Event streams of the live view at once. */
  maxJobWatchers: number;
  /** Files that describe daemons, by their id. */
  daemons: Readonly<Record<string, string>>;
  /** Seconds since its first job after which a chain goes no further. */
  chainTimeoutS: number;
  /** Seconds that a job deferred with `auto` is waited for. */
  interactiveTimeoutS: number;
}

/** `spec` names: max_message_size, max_message_ttl, max_message_listing_limit, max_claim_limit, max_claim_ttl. */
export interface QueueLimits {
  maxMessageBytes: number;
  maxMessageTtlS: number;
  /** Messages of one listing. */
  maxMessageListing: number;
  /** Messages of one claim. */
  maxClaimCount: number;
  maxClaimTtlS: number;
  /** Of the containers that queues are. */
  queueStoragePolicy: string;
}

export type { Digest };

/** Signed URLs and forms. Names of headers are in lower case; one that ends in `*` stands for all that begin so. */
export interface TempUrlConfig {
  digests: Digest[];
  methods: string[];
  incomingRemoveHeaders: string[];
  incomingAllowHeaders: string[];
  outgoingRemoveHeaders: string[];
  outgoingAllowHeaders: string[];
}

/** Hosts that stand for accounts and containers. */
export interface HostsConfig {
  /** With the dot they begin with; none: hosts mean nothing. */
  storageDomains: string[];
  /** Of accounts whose host has no prefix, without `_`. */
  defaultPrefix?: string;
  /** 0: foreign hosts are not looked up. */
  cnameDepth: number;
  cnameServers: string[];
}

/** Requests that are held back when they come too fast; see `rate-limit/`. */
export interface RatesConfig {
  /** 0: no limit. */
  accountPerSecond: number;
  containerRates: SizeRate[];
  listingRates: SizeRate[];
  maxSleepS: number;
  bufferS: number;
}

export interface Timeouts {
  /** Seconds without a byte of an announced request body, then 408; or of an answer taken, then the connection is cut. */
  clientTimeoutS: number;
  /** Seconds a whole upload may take, then 408. */
  maxUploadTimeS: number;
}

/** Where the proxy finds its storage node: in its own process, or behind HTTP. */
export type NodeConfig =
  | { kind: 'local'; storage: StorageConfig }
  | { kind: 'remote'; url: string; key?: Secret; timeoutS: number };

/** Everything the program `zerocloud` reads from its environment. */
export interface ServerConfig {
  proxy: ProxyConfig;
  node: NodeConfig;
}

const ownUsersBeyondLoopback: SettingsRule = {
  about: ['host', 'users'],
  findProblem: ({ host, users }) =>
    isLoopback(host) || !users.some(({ account, user, key }) => `${account}:${user}=${key}` === 'test:tester=testing')
      ? undefined
      : `ZEROCLOUD_HOST is ${host}: with the default user test:tester it may be loopback only; set ZEROCLOUD_USERS`,
};

/** Reads the environment; a `ZEROCLOUD_NODE_URL` makes a proxy only. Throws a `SettingsError` with all problems. */
export function readServerConfig(env: Record<string, string | undefined>): ServerConfig {
  const role = env.ZEROCLOUD_NODE_URL ? 'proxy' : 'standalone';
  const values = readSettings(env, role, [ownUsersBeyondLoopback]);
  const { nodeUrl: url, nodeKey: key, nodeTimeoutS: timeoutS } = values;
  return Object.freeze<ServerConfig>({
    proxy: proxyConfig(values),
    node: url ? { kind: 'remote', url, key, timeoutS } : { kind: 'local', storage: storageConfig(values) },
  });
}

function proxyConfig(values: SettingValues): ProxyConfig {
  const { host, port, users, logLevel, tokenLifetimeS, clientTimeoutS, maxUploadTimeS, corsAllowOrigins } = values;
  const timeouts = { clientTimeoutS, maxUploadTimeS };
  const limits = swiftLimits(values);
  const jobs = jobLimits(values);
  const queues = queueLimits(values);
  return Object.freeze({
    host,
    port,
    users,
    logLevel,
    tokenLifetimeS,
    limits,
    jobs,
    queues,
    s3: s3Config(values),
    timeouts,
    corsAllowOrigins,
    tempUrl: tempUrlConfig(values),
    resellers: resellersOf(values.resellerPrefixes),
    hosts: {
      storageDomains: values.storageDomains,
      defaultPrefix: values.domainDefaultPrefix || undefined,
      cnameDepth: values.cnameDepth,
      cnameServers: values.cnameServers,
    },
    rates: {
      accountPerSecond: values.accountRatelimit,
      containerRates: values.containerRatelimits,
      listingRates: values.listingRatelimits,
      maxSleepS: values.ratelimitMaxSleepS,
      bufferS: values.ratelimitBufferS,
    },
    quoteEtags: values.quoteEtags === 'yes',
    webUrlBase: values.webUrlBase || undefined,
    crossDomainPolicy: values.crossDomainPolicy,
    healthDisableFile: values.healthDisableFile || undefined,
    largeObjects: {
      maxManifestSegments: values.maxManifestSegments,
      maxManifestBytes: values.maxManifestBytes,
      yieldFrequencyS: values.yieldFrequencyS,
    },
    bulk: {
      maxDeletesPerRequest: values.maxDeletesPerRequest,
      maxFailedDeletes: values.maxFailedDeletes,
      maxContainersPerExtraction: values.maxContainersPerExtraction,
      maxFailedExtractions: values.maxFailedExtractions,
      yieldFrequencyS: values.yieldFrequencyS,
    },
    readOnly: { accounts: values.readOnlyAccounts, allowDeletes: values.readOnlyDeletes === 'yes' },
  });
}

function swiftLimits(values: SettingValues): SwiftLimits {
  return {
    maxFileSize: values.maxFileSize,
    maxMetaNameLength: values.maxMetaNameLength,
    maxMetaValueLength: values.maxMetaValueLength,
    maxMetaCount: values.maxMetaCount,
    maxMetaOverallSize: values.maxMetaOverallSize,
    maxHeaderSize: values.maxHeaderSize,
    maxObjectNameLength: values.maxObjectNameLength,
    maxContainerNameLength: values.maxContainerNameLength,
    maxAccountNameLength: values.maxAccountNameLength,
    accountListingLimit: values.accountListingLimit,
    containerListingLimit: values.containerListingLimit,
    symloopMax: values.symloopMax,
  };
}

function tempUrlConfig(values: SettingValues): TempUrlConfig {
  return {
    digests: values.tempUrlDigests,
    methods: values.tempUrlMethods,
    incomingRemoveHeaders: values.tempUrlIncomingRemoveHeaders,
    incomingAllowHeaders: values.tempUrlIncomingAllowHeaders,
    outgoingRemoveHeaders: values.tempUrlOutgoingRemoveHeaders,
    outgoingAllowHeaders: values.tempUrlOutgoingAllowHeaders,
  };
}

function queueLimits(values: SettingValues): QueueLimits {
  const { maxMessageBytes, maxMessageTtlS, maxMessageListing, maxClaimCount, maxClaimTtlS } = values;
  const { queueStoragePolicy } = values;
  return { maxMessageBytes, maxMessageTtlS, maxMessageListing, maxClaimCount, maxClaimTtlS, queueStoragePolicy };
}

function jobLimits(values: SettingValues): JobLimits {
  return {
    sessionTimeoutS: values.sessionTimeoutS,
    sessionMemoryBytes: values.sessionMemoryBytes,
    maxConfigBytes: values.maxConfigBytes,
    maxIops: values.maxIops,
    maxInputBytes: values.maxInputBytes,
    maxOutputBytes: values.maxOutputBytes,
    maxProgramBytes: values.maxProgramBytes,
    defaultContentType: values.defaultContentType,
    maxNodes: values.maxNodes,
    maxConnections: values.maxConnections,
    maxSpillBytes: values.maxSpillBytes,
    maxJobs: values.maxJobs,
    maxQueuedJobs: values.maxQueuedJobs,
    reservedJobs: values.reservedJobs,
    accounting: values.accounting === 'yes',
    userStatsAccount: values.userStatsAccount,
    prevalidate: values.prevalidate === 'yes',
    jobHistory: values.jobHistory,
    jobHistoryNodes: values.jobHistoryNodes,
    maxJobWatchers: values.maxJobWatchers,
    daemons: values.daemons,
    chainTimeoutS: values.chainTimeoutS,
    interactiveTimeoutS: values.interactiveTimeoutS,
  };
}

const defaults = proxyConfig(readSettings({}, 'standalone'));

/** Swift's own defaults. */
export const defaultSwiftLimits: SwiftLimits = defaults.limits;

/** ZeroCloud's own defaults, see its configuration manual. */
export const defaultJobLimits: JobLimits = defaults.jobs;
