import { accountKey, blobKey, isVersionKey, objectPathOf, objectRange, unsyncedBlobRange, versionRange } from './keys';
import { releaseBody, setObject } from './object-changes';
import { accounts, blobs, marks, objects } from './rows';
import type { StoreParts } from './store-parts';
import { findDamage } from './verify-blob';
import { dropVersion } from './versions';

type Parts = Omit<StoreParts, 'relaxed'>;

/**
 * After a crash: of the blobs that were not synced yet, those that came through are kept; what has one of the others is
 * removed, as if the upload of that last second had never been. For those every record is looked at, because copies and
 * versions may have them, too.
 */
export async function recoverRelaxed(parts: Parts): Promise<void> {
  const { database, commits, files, log } = parts;
  const keys = await database.level.keys(unsyncedBlobRange).all();
  if (keys.length === 0) return;
  const sound: string[] = [];
  const damaged = new Set<string>();
  for (const key of keys) {
    const bodyId = key.slice(unsyncedBlobRange.gte.length);
    const row = database.find(blobs, blobKey(bodyId));
    if (!row) continue;
    const damage = await findDamage(files.pathOf(bodyId), row);
    if (damage === undefined) sound.push(bodyId);
    else damaged.add(bodyId);
    if (damage !== undefined) log({ bodyId, err: damage }, 'an upload of the last second before a crash was lost');
  }
  await files.sync(sound);
  if (damaged.size > 0) await removeAllWith(damaged, parts);
  await commits.commit((tx) => {
    for (const key of keys) tx.remove(marks, key);
  });
}

async function removeAllWith(bodyIds: Set<string>, parts: Parts): Promise<void> {
  for (const range of [objectRange, versionRange]) {
    for await (const [key, stored] of parts.database.level.iterator(range)) {
      if (bodyIds.has(objects.decode(stored as never).bodyId)) await remove(key, parts);
    }
  }
}

function remove(key: string, { commits, files }: Parts): Promise<void> {
  return commits.commit((tx) => {
    const path = objectPathOf(key);
    const record = tx.find(objects, key);
    // What a deleted account held is the reaper's.
    if (!record || tx.find(accounts, accountKey(path.account))?.fate) return;
    if (isVersionKey(key)) {
      dropVersion(tx, path, record);
      releaseBody(tx, files, record.bodyId);
    } else {
      setObject(tx, files, path, undefined);
    }
  });
}
