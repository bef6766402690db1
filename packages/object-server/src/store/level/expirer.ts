import { accountKey, expiringObjectKey, expiryRange, isVersionKey, objectPathOf } from './keys';
import { isExpired, releaseBody } from './object-changes';
import { accounts, marks, objects } from './rows';
import type { StoreParts } from './store-parts';
import { dropVersion, expireCurrent } from './versions';

const batchSize = 100;

/** Deletes a batch of objects whose time has come; resolves with whether there may be more. */
export async function expireSome({ database, commits, files, now }: StoreParts): Promise<boolean> {
  const nowMs = now();
  const due = expiryRange(Math.floor(nowMs / 1000));
  const keys = await database.level.keys({ ...due, limit: batchSize }).all();
  if (keys.length === 0) return false;
  await commits.commit((tx) => {
    for (const key of keys) {
      const objectKey = expiringObjectKey(key);
      const path = objectPathOf(objectKey);
      const record = tx.find(objects, objectKey);
      const isReachable = !tx.find(accounts, accountKey(path.account))?.fate;
      // Gone, changed or being reaped since the scan: then only this mark is left to remove.
      if (!record || !isReachable || !isExpired(record, nowMs)) {
        tx.remove(marks, key);
      } else if (isVersionKey(objectKey)) {
        dropVersion(tx, path, record);
        releaseBody(tx, files, record.bodyId);
      } else {
        expireCurrent({ tx, files, nowMs }, path, record);
      }
    }
  });
  return keys.length === batchSize;
}
