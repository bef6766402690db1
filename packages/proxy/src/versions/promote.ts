import { isStorageError, type ObjectPath, type ObjectRecord, type StorageNode } from '@zerocloud/object-server';

/** A version that goes while it is being made current: after so many the next request sees what is there. */
const maxAttempts = 5;

/**
 * Makes the newest version of an object that has no current one the current one, unless it is a delete marker: what S3
 * expects after the deletion of a version. Resolves with it, or with nothing if there was nothing to do.
 */
export async function promoteNewest(
  node: Pick<StorageNode, 'listVersions' | 'restoreVersion'>,
  { account, container, object }: ObjectPath,
  timestamp: string,
): Promise<ObjectRecord | undefined> {
  for (let attempt = 1; attempt <= maxAttempts; attempt++) {
    // Versions of longer names follow, so the first entry is this object's if it has any.
    const [newest] = await node.listVersions({ account, container }, { limit: 1, prefix: object });
    if (!newest || 'subdir' in newest || newest.name !== object) return undefined;
    if (newest.isLatest || newest.isDeleteMarker) return undefined;
    const path = { account, container, object, versionId: newest.versionId };
    try {
      return await node.restoreVersion(path, { timestamp, ifAbsent: true });
    } catch (error) {
      if (isStorageError(error, 'objectExists')) return undefined;
      if (!isStorageError(error, 'objectNotFound')) throw error;
    }
  }
  return undefined;
}
