import path from 'node:path';
import type { DaemonLimits, JailMode } from '@zerocloud/sandbox';
import { isLoopback, readSettings, type Secret, type SettingsRule, type SettingValues } from './settings';

/** Settings of the storage side, validated and frozen. */
export interface StorageConfig {
  /** Directory that holds everything: LevelDB, blobs, staging, slots. Absolute. */
  dataDir: string;
  /** Sessions that run at once, one executor process each. */
  maxSessions: number;
  /** Sessions beyond that, each for an account that runs none. */
  reservedSessions: number;
  /** Sessions of connected jobs that run at once, beside those; one process for each group of them. */
  connectedSessions: number;
  /** Sessions of one account that wait for a place. */
  maxQueuedSessions: number;
  /** Name → path of further system images (directory or tar). */
  systemImages: Record<string, string>;
  /** How programs are confined; absent: as well as the host can. */
  jail?: JailMode;
  /** Bytes of the largest file a program may write, what its channel held before included; absent: the sandbox's default. */
  maxFileBytes?: number;
  /** Bytes of memory that a session may ask for; absent: the sandbox's default. */
  maxMemoryBytes?: number;
  /** Where a Python image of our own may be. */
  pythonImage?: string;
  /** Seconds between two looks for expired objects. */
  expirerIntervalS: number;
  /** Bounds of kept copies of applications; absent: none are kept. */
  daemons?: DaemonLimits;
  /** Bytes of inflated images that are kept; absent: a default. */
  inflatedImageBytes?: number;
}

/** Settings of an object server process: a storage node behind HTTP. */
export interface ObjectServerConfig {
  host: string;
  /** 0 = any free port. */
  port: number;
  logLevel: string;
  /** What a proxy must show as bearer token; absent only on loopback. */
  nodeKey?: Secret;
  storage: StorageConfig;
}

const keyBeyondLoopback: SettingsRule = {
  about: ['host', 'nodeKey'],
  findProblem: ({ host, nodeKey }) =>
    isLoopback(host) || nodeKey
      ? undefined
      : `ZEROCLOUD_HOST is ${host}: an object server listens beyond loopback only with a ZEROCLOUD_NODE_KEY`,
};

/** Reads the environment of an object server; throws a `SettingsError` with all problems. */
export function readObjectServerConfig(env: Record<string, string | undefined>): ObjectServerConfig {
  const values = readSettings(env, 'object-server', [keyBeyondLoopback]);
  const { host, port, logLevel, nodeKey } = values;
  return Object.freeze({ host, port, logLevel, nodeKey, storage: storageConfig(values) });
}

/** The part of the settings that a storage node needs. */
export function storageConfig(values: SettingValues): StorageConfig {
  const { maxSessions, reservedSessions, connectedSessions, maxQueuedSessions } = values;
  const { systemImages, pythonImage, expirerIntervalS } = values;
  const dataDir = path.resolve(values.dataDir);
  return Object.freeze({
    dataDir,
    maxSessions,
    reservedSessions,
    connectedSessions,
    maxQueuedSessions,
    systemImages,
    pythonImage,
    jail: values.jail as JailMode,
    maxFileBytes: values.maxInputBytes + values.maxOutputBytes,
    maxMemoryBytes: values.sessionMemoryBytes,
    expirerIntervalS,
    daemons: {
      perTenant: values.maxDaemons,
      tenantBytes: values.maxDaemonBytes,
      totalBytes: values.maxAllDaemonsBytes,
      idleMs: values.daemonIdleS * 1000,
    },
    inflatedImageBytes: values.inflatedImageBytes,
  });
}
