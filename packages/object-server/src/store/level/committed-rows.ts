import type { ContainerPath, ContainerRecord, ObjectPath, ObjectRecord, OpenObject } from '../object-store';
import { isBlobId } from './blob-files';
import { accountKey, blobKey, containerKey, inlineBodyKey, objectKey } from './keys';
import { isExpired } from './object-changes';
import { damaged, OpenBlob, openInlineBody } from './open-object';
import { type AccountRow, accounts, blobs, containers, inlineBodies, objects, type Table } from './rows';
import type { StoreParts } from './store-parts';

/**
 * What clients read: only what is durable, by synchronous look-ups, which take microseconds where an asynchronous
 * one takes fifty. The contents of a deleted account are not found although they may still be there.
 */
export class CommittedRows {
  readonly #parts: StoreParts;

  constructor(parts: StoreParts) {
    this.#parts = parts;
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
    const record = this.#isReachable(path.account) ? this.#find(objects, objectKey(path)) : undefined;
    return record && isExpired(record, this.#parts.now()) ? undefined : record;
  }

  openObject(path: ObjectPath): OpenObject | undefined {
    for (;;) {
      const record = this.findObject(path);
      if (!record) return undefined;
      if (isBlobId(record.bodyId)) return this.#openBlob(record);
      const data = this.#find(inlineBodies, inlineBodyKey(record.bodyId));
      if (data !== undefined) return openInlineBody(record, data);
      // Replaced by a batch that was just being written: then there is a newer record.
      this.#parts.database.forget(objectKey(path));
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

  #find<V>(table: Table<V>, key: string): V | undefined {
    return this.#parts.database.find(table, key);
  }
}
