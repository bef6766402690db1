import type { BlobFiles } from './blob-files';
import type { Database } from './database';
import type { Transaction } from './group-commit';
import {
  accountKey,
  accountObjectsPrefix,
  accountVersionsPrefix,
  containersPrefix,
  deletedAccountKey,
  expiryKeyOf,
  following,
} from './keys';
import { releaseBody } from './object-changes';
import { accounts, containers, marks, objects } from './rows';
import type { StoreParts } from './store-parts';

const batchSize = 100;

/**
 * Removes a batch of what a deleted account held, objects first; resolves with whether there is more. One at a time:
 * nobody else can change what such an account holds, so what was found is there still when it is removed.
 */
export async function reapSome({ database, commits, files, deletedAccounts }: StoreParts): Promise<boolean> {
  const [account] = deletedAccounts;
  if (account === undefined) return false;
  let objectKeys = await firstKeys(database, accountObjectsPrefix(account));
  if (objectKeys.length === 0) objectKeys = await firstKeys(database, accountVersionsPrefix(account));
  if (objectKeys.length > 0) {
    await commits.commit((tx) => {
      for (const key of objectKeys) removeObject(tx, files, key);
    });
    return true;
  }
  const containerKeys = await firstKeys(database, containersPrefix(account));
  await commits.commit((tx) => {
    for (const key of containerKeys) tx.remove(containers, key);
    if (containerKeys.length === batchSize) return;
    const row = tx.find(accounts, accountKey(account))!;
    const nothing = { containerCount: 0, objectCount: 0, bytesUsed: 0, policies: undefined, metadata: {} };
    tx.put(accounts, accountKey(account), { ...row, ...nothing, fate: 'reaped' });
    tx.remove(marks, deletedAccountKey(account));
    tx.afterCommit(() => deletedAccounts.delete(account));
  });
  return deletedAccounts.size > 0;
}

function firstKeys(database: Database, prefix: string): Promise<string[]> {
  return database.level.keys({ gte: prefix, lt: following(prefix), limit: batchSize }).all();
}

/** The counters above it are out of reach and go as a whole. */
function removeObject(tx: Transaction, files: BlobFiles, key: string): void {
  const record = tx.find(objects, key);
  if (!record) return;
  tx.remove(objects, key);
  if (record.deleteAt !== undefined) tx.remove(marks, expiryKeyOf(record.deleteAt, key));
  releaseBody(tx, files, record.bodyId);
}
