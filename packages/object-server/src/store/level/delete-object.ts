import { type DeletedObject, nullVersion, type ObjectPath } from '../object-store';
import { containerKey } from './keys';
import { objectNotFound } from './object-changes';
import { checkReachable } from './object-checks';
import { popArchive } from './pop-archive';
import { containers } from './rows';
import type { StoreParts } from './store-parts';
import { deleteCurrent, deleteVersion } from './versions';

/** What `ObjectStore.deleteObject` does, by what the container keeps. */
export async function deleteObject(parts: StoreParts, path: ObjectPath, timestamp: string): Promise<DeletedObject> {
  const { commits, files, now } = parts;
  const { archive, versioning } = commits.peek(containers, containerKey(path)) ?? {};
  // Without versioning the only version is the one without id, and deleting that is deleting.
  const isPlain = path.versionId === undefined || (path.versionId === nullVersion && !versioning);
  const deleted =
    isPlain && archive?.mode === 'stack'
      ? await popArchive(parts, path, archive, timestamp)
      : await commits.commit((tx) => {
          checkReachable(tx, path);
          const versions = { tx, files, nowMs: now() };
          return isPlain ? deleteCurrent(versions, path, timestamp) : deleteVersion(versions, path);
        });
  if (!deleted.existed && deleted.markerId === undefined) throw objectNotFound();
  return deleted;
}
