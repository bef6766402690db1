import { StorageError } from '../../errors';
import { type DeletedObject, nullVersion, type ObjectPath } from '../object-store';
import { containerKey } from './keys';
import { objectNotFound } from './object-changes';
import { checkReachable } from './object-checks';
import { popArchive } from './pop-archive';
import { containers } from './rows';
import type { StoreParts } from './store-parts';
import { deleteCurrent, deleteVersion } from './versions';

/** Others write to the same name, or settle what the container keeps, again and again: then the client may try later. */
const maxAttempts = 50;

/** What `ObjectStore.deleteObject` does. */
export async function deleteObject(parts: StoreParts, path: ObjectPath, timestamp: string): Promise<DeletedObject> {
  for (let attempt = 1; attempt <= maxAttempts; attempt++) {
    const deleted = await tryDelete(parts, path, timestamp);
    if (!deleted) continue;
    if (!deleted.existed && deleted.markerId === undefined) throw objectNotFound();
    return deleted;
  }
  throw new StorageError('unavailable', 'The object changes too fast; try again.');
}

/** Deletes by what the container keeps; undefined if that, or what is there, changed meanwhile. */
async function tryDelete(parts: StoreParts, path: ObjectPath, timestamp: string): Promise<DeletedObject | undefined> {
  const { commits, files, now } = parts;
  const { archive, versioning } = commits.peek(containers, containerKey(path)) ?? {};
  // Without versioning the only version is the one without id, and deleting that is deleting.
  const isPlain = path.versionId === undefined || (path.versionId === nullVersion && !versioning);
  if (isPlain && archive?.mode === 'stack') return popArchive(parts, path, archive, timestamp);
  return commits.commit((tx) => {
    checkReachable(tx, path);
    const versions = { tx, files, nowMs: now() };
    return isPlain ? deleteCurrent(versions, path, timestamp) : deleteVersion(versions, path);
  });
}
