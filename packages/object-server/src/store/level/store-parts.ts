import type { BlobFiles } from './blob-files';
import type { Database } from './database';
import type { FreeSpace } from './free-space';
import type { GroupCommit } from './group-commit';
import type { RelaxedSync } from './relaxed-sync';

export type Log = (event: Record<string, unknown>, message: string) => void;

/** What a store and its background work share. */
export interface StoreParts {
  database: Database;
  files: BlobFiles;
  commits: GroupCommit;
  relaxed: RelaxedSync;
  space: FreeSpace;
  /** Accounts whose contents are still there but out of reach. */
  deletedAccounts: Set<string>;
  /** Milliseconds since the epoch. */
  now: () => number;
  log: Log;
  sync: boolean;
}
