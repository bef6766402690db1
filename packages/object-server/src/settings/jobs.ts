import { choice, integer, proxyRoles, type Setting, text } from './kinds';

const readBy = proxyRoles;
const day = 86_400;

/** Limits of jobs, as the proxy holds them. */
export const jobSettings = {
  sessionTimeoutS: integer('SESSION_TIMEOUT_S', {
    readBy,
    min: 1,
    max: day,
    default: 10,
    sentence: 'Seconds one program may run (zerovm_timeout).',
  }),
  sessionMemoryBytes: integer('SESSION_MEMORY_BYTES', {
    min: 1024 ** 2,
    max: 4 * 1024 ** 3,
    default: 1024 ** 3,
    sentence: 'Memory of one program in bytes (zerovm_maxnexemem).',
  }),
  maxConfigBytes: integer('MAX_CONFIG_BYTES', {
    readBy,
    min: 1,
    max: 16 * 1024 ** 2,
    default: 65_536,
    sentence: 'Largest job description in bytes (zerovm_maxconfig).',
  }),
  maxIops: integer('MAX_IOPS', {
    readBy,
    min: 1,
    default: 1_073_741_824,
    sentence: 'Reads, and writes, of one channel of a session (zerovm_maxiops).',
  }),
  maxInputBytes: integer('MAX_INPUT_BYTES', {
    min: 1,
    default: 1_073_741_824,
    sentence: 'Bytes read from one channel of a session, and largest input object (zerovm_maxinput).',
  }),
  maxOutputBytes: integer('MAX_OUTPUT_BYTES', {
    min: 1,
    default: 1_073_741_824,
    sentence: 'Bytes written to one channel of a session (zerovm_maxoutput).',
  }),
  maxProgramBytes: integer('MAX_PROGRAM_BYTES', {
    readBy,
    min: 1,
    max: 1024 ** 3,
    default: 268_435_456,
    sentence: 'Largest program in bytes (zerovm_maxnexe).',
  }),
  prevalidate: choice('PREVALIDATE', {
    readBy,
    of: ['yes', 'no'],
    default: 'no',
    sentence: 'Whether jobs trust that a program was found valid when it was stored (zerovm_prevalidate).',
  }),
  defaultContentType: text('DEFAULT_CONTENT_TYPE', {
    type: 'content type',
    readBy,
    pattern: /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(\s*;\s*[\x20-\x7e]+)?$/,
    default: 'application/octet-stream',
    sentence: 'Content type of saved outputs that declare none (zerovm_default_content_type).',
  }),
  maxNodes: integer('MAX_NODES', {
    readBy,
    min: 1,
    max: 1_000_000,
    default: 10_000,
    sentence: 'Most nodes of one job.',
  }),
  maxConnections: integer('MAX_CONNECTIONS', {
    readBy,
    min: 1,
    max: 1_000_000,
    default: 20_000,
    sentence: 'Most connections between the nodes of one job.',
  }),
  maxSpillBytes: integer('MAX_SPILL_BYTES', {
    readBy,
    min: 0,
    default: 16 * 1024 ** 3,
    sentence: 'Bytes that the connections of one job may hold on disk when its nodes do not fit beside each other.',
  }),
  maxJobs: integer('MAX_JOBS', {
    readBy,
    min: 1,
    max: 10_000,
    default: 10,
    sentence: 'Jobs that run at once; further ones wait, in turns between accounts.',
  }),
  reservedJobs: integer('RESERVED_JOBS', {
    readBy,
    min: 0,
    max: 10_000,
    default: 10,
    sentence: 'Jobs beyond MAX_JOBS, each of an account that runs none: it starts at once.',
  }),
  accounting: choice('ACCOUNTING', {
    readBy,
    of: ['yes', 'no'],
    default: 'no',
    sentence: 'Whether what each node cost is stored, before the job is answered (zerovm_accounting_enabled).',
  }),
  userStatsAccount: text('USER_STATS_ACCOUNT', {
    type: 'account name',
    readBy,
    pattern: /^[\w.-]{1,64}$/,
    default: 'AUTH_userstats',
    sentence:
      'Account of the accounting logs; with the prefix AUTH_, reseller admins can read it (user_stats_account).',
  }),
  jobHistory: integer('JOB_HISTORY', {
    readBy,
    min: 0,
    max: 100_000,
    default: 100,
    sentence: 'Ended jobs of one account that the live view remembers.',
  }),
  jobHistoryNodes: integer('JOB_HISTORY_NODES', {
    readBy,
    min: 0,
    max: 10_000_000,
    default: 100_000,
    sentence: 'Nodes of ended jobs of all accounts that the live view remembers (about 200 bytes each).',
  }),
  maxJobWatchers: integer('MAX_JOB_WATCHERS', {
    readBy,
    min: 0,
    max: 10_000,
    default: 100,
    sentence: 'Event streams of the live view at once; further ones get 503.',
  }),
  maxQueuedJobs: integer('MAX_QUEUED_JOBS', {
    readBy,
    min: 0,
    max: 100_000,
    default: 100,
    sentence: 'Jobs of one account that may wait (of all accounts, 8 times as many); further ones get 503.',
  }),
  chainTimeoutS: integer('CHAIN_TIMEOUT_S', {
    readBy,
    min: 0,
    max: day,
    default: 20,
    sentence: 'Seconds since its first job after which a chain of jobs goes no further (chain_timeout).',
  }),
  interactiveTimeoutS: integer('INTERACTIVE_TIMEOUT_S', {
    readBy,
    min: 0,
    max: day,
    default: 10,
    sentence: 'Seconds that a job with X-Zerovm-Deferred: auto is waited for (interactive_timeout).',
  }),
} satisfies Record<string, Setting<unknown>>;
