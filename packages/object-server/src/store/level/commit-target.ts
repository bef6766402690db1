import type { Database } from './database';
import type { CommitTarget } from './group-commit';
import { deletedAccountRange } from './keys';
import type { RelaxedSync } from './relaxed-sync';

export interface Remembered {
  database: Database;
  /** Kept in step with what is stored. */
  deletedAccounts: Set<string>;
  relaxed(): RelaxedSync;
}

/** Accounts whose contents are still to be reaped. */
export async function readDeletedAccounts(database: Database): Promise<string[]> {
  const keys = await database.level.keys(deletedAccountRange).all();
  return keys.map((key) => key.slice(1));
}

/**
 * The database, and what is remembered beside it: a batch that failed may be stored all the same, without its hooks having
 * run, so after a failure that is read anew.
 */
export function commitTarget({ database, deletedAccounts, relaxed }: Remembered): CommitTarget {
  return {
    find: (table, key) => database.find(table, key),
    write: (rows, options) => database.write(rows, options),
    recover: async () => {
      await database.recover();
      const accounts = await readDeletedAccounts(database);
      deletedAccounts.clear();
      for (const account of accounts) deletedAccounts.add(account);
      await relaxed().rememberBlobs();
    },
  };
}
