import {
  type ContainerPath,
  type ContainerRecord,
  isDeleteMarker,
  nullVersion,
  type ObjectPath,
  type ObjectRecord,
  type OpenObject,
} from '../object-store';
import { isBlobId } from './blob-files';
import type { Transaction } from './group-commit';
import { accountKey, blobKey, containerKey, inlineBodyKey, isVersionId, objectKey, versionKey } from './keys';
import { isExpired } from './object-changes';
import { damaged, OpenBlob, openInlineBody } from './open-object';
import { type AccountRow, accounts, blobs, containers, inlineBodies, objects } from './rows';
import type { StoreParts } from './store-parts';

/**
 * What clients read: only what is durable, by synchronous look-ups, which take microseconds where an asynchronous
 * one takes fifty. The contents of a deleted account are not found although they may still be there.
 */
export class CommittedRows {
  readonly #parts: StoreParts;
  readonly #find: Transaction['find'];

  constructor(parts: StoreParts) {
    this.#parts = parts;
    this.#find = (table, key) => parts.database.find(table, key);
  }

  /** Waits, after a failed write, for the database to be open again; else undefined, and the look-ups may begin at once. */
  ready(): Promise<void> | undefined {
    return this.#parts.database.isOpen ? undefined : this.#parts.commits.commit(() => {});
  }

  findAccount(account: string): AccountRow | undefined {
    return this.#find(accounts, accountKey(account));
  }

  findContainer(path: ContainerPath): ContainerRecord | undefined {
    return this.#isReachable(path.account) ? this.#find(containers, containerKey(path)) : undefined;
  }

  findObject(path: ObjectPath): ObjectRecord | undefined {
    if (!this.#isReachable(path.account)) return undefined;
    const record = findVersionRow(this.#find, path, this.#parts.now());
    if (!record || record.versionId !== undefined) return record;
    return this.#find(containers, containerKey(path))?.versioning ? { ...record, versionId: nullVersion } : record;
  }

  openObject(path: ObjectPath): OpenObject | undefined {
    for (;;) {
      const record = this.findObject(path);
      if (!record) return undefined;
      if (isBlobId(record.bodyId)) return this.#openBlob(record);
      if (isDeleteMarker(record)) return openInlineBody(record, noBytes);
      const data = this.#find(inlineBodies, inlineBodyKey(record.bodyId));
      if (data !== undefined) return openInlineBody(record, data);
      // Replaced by a batch that was just being written: then there is a newer record.
      this.#parts.database.forget(objectKey(path));
      if (path.versionId !== undefined) this.#parts.database.forget(versionKey(path, path.versionId));
      if (this.findObject(path)?.bodyId === record.bodyId) throw new Error(`body ${record.bodyId} is missing`);
    }
  }

  #openBlob(record: ObjectRecord): OpenObject {
    if (this.#find(blobs, blobKey(record.bodyId))?.quarantined) throw damaged();
    return new OpenBlob(record, this.#parts.files);
  }

  #isReachable(account: string): boolean {
    const { deletedAccounts } = this.#parts;
    return deletedAccounts.size === 0 || !deletedAccounts.has(account);
  }
}

const noBytes = Buffer.alloc(0);

/** The row of the version that the path names, or of the current object; `undefined` also for an expired one. */
export function findVersionRow(find: Transaction['find'], path: ObjectPath, nowMs: number): ObjectRecord | undefined {
  const { versionId } = path;
  const current = find(objects, objectKey(path));
  let record = current;
  if (versionId === nullVersion) {
    if (current?.versionId !== undefined) return undefined;
  } else if (versionId !== undefined) {
    // A version outlives its name, so that one which is current is there although it has expired.
    if (current?.versionId === versionId) return current;
    record = isVersionId(versionId) ? find(objects, versionKey(path, versionId)) : undefined;
  }
  return record && isExpired(record, nowMs) ? undefined : record;
}
