import type { BlobFiles } from './blob-files';
import type { Database } from './database';
import { blobKey } from './keys';

const batchSize = 200;

/**
 * Removes blob files that nothing refers to: uploads and deletions that a crash cut short. A file counts as orphan
 * only if it was seen on disk first and is then neither in the database nor in use, so that an upload that becomes
 * an object meanwhile is safe.
 */
export async function sweepOrphans(
  { database, files }: { database: Database; files: BlobFiles },
  signal?: AbortSignal,
): Promise<{ removedCount: number }> {
  let removedCount = 0;
  for await (const bodyIds of files.list()) {
    for (const [index, bodyId] of bodyIds.entries()) {
      if (index % batchSize === 0) await new Promise(setImmediate);
      if (signal?.aborted) return { removedCount };
      if (files.isInUse(bodyId) || database.read(blobKey(bodyId), false) !== undefined) continue;
      files.remove(bodyId);
      removedCount++;
    }
  }
  return { removedCount };
}
