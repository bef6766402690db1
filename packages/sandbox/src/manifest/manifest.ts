import type { ChannelLimits, ChannelType } from '../session';

/** What a ZeroVM manifest of version 20130611 says (`doc/manifest.txt`). */
export interface Manifest {
  /** Path of the program, as written. */
  program: string;
  memoryBytes: number;
  /** Report a checksum of the guest's memory. */
  memoryEtag: boolean;
  timeoutS: number;
  /** In the order of the file; the three standard ones are among them. */
  channels: ManifestChannel[];
  /** This node's id. */
  node?: number;
  nameServer?: { host: string; port: number };
  /** Path of the control socket of a daemon. */
  job?: string;
}

export interface ManifestChannel {
  /** Line in the file, from 1. */
  line: number;
  /** Absolute path of a file, FIFO or device. */
  path: string;
  /** Name in the guest. */
  alias: string;
  type: ChannelType;
  etag: boolean;
  limits: ChannelLimits;
}

export const manifestVersion = '20130611';

export const manifestLimits = {
  bytes: 512 * 1024,
  lines: 8192,
  memoryBytes: 4_294_967_296,
  /** A heap of 8 MiB must be left beside a stack of 16 MiB. */
  minMemoryBytes: 24 * 1024 ** 2,
  jobBytes: 108,
  /** This many channels are too many already. */
  channels: 10_915,
} as const;

export const standardAliases = ['/dev/stdin', '/dev/stdout', '/dev/stderr'] as const;
