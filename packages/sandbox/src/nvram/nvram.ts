import type { FileType } from '../session';

/** What the guest's configuration file (`/dev/nvram`) says (`zrt lib/nvram`). */
export interface Nvram {
  /** argv, argv[0] included; absent without a section `[args]`. */
  args?: string[];
  env: Record<string, string>;
  mounts: NvramMount[];
  /** File types by channel. */
  fileTypes: Map<string, FileType>;
  /** Where the guest's clock starts, in seconds since 1970; absent: real time. */
  startSeconds?: number;
  /** How much of the guest's calls goes to `/dev/debug`, 0 to 4. */
  verbosity: number;
  /** Start from a snapshot taken before `main`. */
  precache: boolean;
}

export interface NvramMount {
  /** Line in the file, from 1. */
  line: number;
  channel: string;
  mountPoint: string;
  /** `ro`: the archive on the channel is unpacked. `wo`: the directory becomes an archive on the channel at the end. */
  access: 'ro' | 'wo';
}

/** The file a guest's configuration may be. */
export const maxNvramBytes = 4 * 1024 ** 2;
