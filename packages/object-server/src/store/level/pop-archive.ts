import { type Archive, type DeletedObject, isDeleteMarker, type ObjectPath, type ObjectRecord } from '../object-store';
import type { Transaction } from './group-commit';
import { objectKey, objectsPrefix } from './keys';
import { listPage } from './listing';
import { isExpired, objectNotFound, setObject } from './object-changes';
import { checkReachable } from './object-checks';
import { objects } from './rows';
import type { StoreParts } from './store-parts';
import { archivePrefix, getRelaxing } from './versions';

/** Rows looked at: what is newest and what stands behind a delete marker, with room for some that have expired. */
const lookedAt = 16;

interface Archived {
  path: ObjectPath;
  record: ObjectRecord;
}

/**
 * Deletes an object whose container has an archive of mode `stack`: the newest version moves back in its place, as in
 * Swift's versioned writes (`handle_obj_versions_delete_pop`). Which one that is takes a scan of what is stored; if
 * anything of that has changed by the transaction, nothing is done and undefined returned.
 */
export async function popArchive(
  parts: StoreParts,
  path: ObjectPath,
  archive: Archive,
  timestamp: string,
): Promise<DeletedObject | undefined> {
  const current = parts.database.find(objects, objectKey(path));
  const archived = await newestOf(parts, path, archive);
  return parts.commits.commit((tx) => {
    checkReachable(tx, path);
    if (!isSameArchive(getRelaxing(tx, path).archive, archive)) return undefined;
    const looked = [{ path, record: current }, ...archived];
    if (!looked.every((row) => isSame(tx.find(objects, objectKey(row.path)), row.record))) return undefined;
    return pop(parts, tx, path, archived, timestamp);
  });
}

async function newestOf({ database, now }: StoreParts, path: ObjectPath, archive: Archive): Promise<Archived[]> {
  const container = { account: path.account, container: archive.container };
  const query = { limit: lookedAt, prefix: archivePrefix(path.object), reverse: true };
  const rows = await listPage(database.level, objectsPrefix(container), query, (object, stored) => ({
    path: { ...container, object },
    record: objects.decode(stored as never),
  }));
  return (rows as Archived[]).filter(({ record }) => !isExpired(record, now())).slice(0, 2);
}

function pop(
  { files, now }: StoreParts,
  tx: Transaction,
  path: ObjectPath,
  [newest, second]: Archived[],
  timestamp: string,
): DeletedObject {
  const found = tx.find(objects, objectKey(path));
  const isThere = found !== undefined && !isExpired(found, now());
  const restore = ({ path: from, record }: Archived) => {
    setObject(tx, files, path, { ...record, timestamp });
    setObject(tx, files, from, undefined, { keepsBody: true });
  };
  if (newest && !isDeleteMarker(newest.record)) {
    restore(newest);
  } else if (newest && !isThere) {
    // The marker is what is current: it goes, and what it hid comes back.
    if (second && !isDeleteMarker(second.record)) restore(second);
    setObject(tx, files, newest.path, undefined);
  } else {
    if (!found) throw objectNotFound();
    setObject(tx, files, path, undefined);
    return { existed: isThere };
  }
  return { existed: true };
}

function isSameArchive(a: Archive | undefined, b: Archive): boolean {
  return a?.container === b.container && a.mode === b.mode;
}

function isSame(a: ObjectRecord | undefined, b: ObjectRecord | undefined): boolean {
  return a?.bodyId === b?.bodyId && a?.timestamp === b?.timestamp;
}
