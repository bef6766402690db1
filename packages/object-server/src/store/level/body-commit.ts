import { unlink } from 'node:fs/promises';
import { StorageError } from '../../errors';
import { toStorageError } from '../write-failure';
import type { Transaction } from './group-commit';
import { blobKey, unsyncedBlobKey } from './keys';
import { addBlob, addInlineBody } from './object-changes';
import type { ReceivedBody } from './receive-body';
import { blobs, marks } from './rows';
import type { StoreParts } from './store-parts';

const newIdPrefix = () => `i${Date.now().toString(36)}${Math.random().toString(36).slice(2, 8).padEnd(6, '0')}`;

/** Another policy holds than the one that the body was received under. */
export const containerChanged = () => new StorageError('unavailable', 'The container has changed; try again.');

/** Gives received bodies an id and stores them together with what refers to them. */
export class BodyCommit {
  readonly #parts: StoreParts;
  readonly #idPrefix = newIdPrefix();
  #nextId = 0;

  constructor(parts: StoreParts) {
    this.#parts = parts;
  }

  /** Runs `refer` in the transaction that adds the body. If that fails or refuses, nothing of the body is left. */
  async commit(body: ReceivedBody, refer: (tx: Transaction, bodyId: string) => void): Promise<string> {
    return body.kind === 'inline' ? this.#commitInline(body, refer) : this.#commitBlob(body, refer);
  }

  /** As `commit`, for a small body that comes about in the transaction itself. */
  async commitMade(make: (tx: Transaction, bodyId: string) => Buffer): Promise<void> {
    const bodyId = this.#newInlineId();
    await this.#parts.commits.commit((tx) => addInlineBody(tx, bodyId, make(tx, bodyId)));
  }

  /** Bodies written together lie together; the random part keeps the ids of two runs apart. */
  #newInlineId(): string {
    return this.#idPrefix + (this.#nextId++).toString(36).padStart(8, '0');
  }

  async #commitInline(
    body: ReceivedBody & { kind: 'inline' },
    refer: (tx: Transaction, bodyId: string) => void,
  ): Promise<string> {
    const bodyId = this.#newInlineId();
    await this.#parts.commits.commit((tx) => {
      addInlineBody(tx, bodyId, body.data);
      refer(tx, bodyId);
    });
    return bodyId;
  }

  async #commitBlob(
    body: ReceivedBody & { kind: 'file' },
    refer: (tx: Transaction, bodyId: string) => void,
  ): Promise<string> {
    const { files, commits, sync } = this.#parts;
    const isUnsynced = sync && !body.isSynced;
    const bodyId = await files.publish(body.path, { sync: body.isSynced }).catch(async (error) => {
      await unlink(body.path).catch(() => {});
      throw toStorageError(error);
    });
    try {
      await commits.commit((tx) => {
        addBlob(tx, bodyId, body.sizeBytes, body.etag);
        refer(tx, bodyId);
        if (isUnsynced) this.#markUnsynced(tx, bodyId);
      });
      files.settle(bodyId, true);
    } catch (error) {
      // A batch that failed may have reached the disk all the same: what counts is what the next look finds.
      const isStored = await commits.commit((tx) => tx.find(blobs, blobKey(bodyId)) !== undefined).catch(() => true);
      files.settle(bodyId, isStored);
      throw error;
    }
    return bodyId;
  }

  #markUnsynced(tx: Transaction, bodyId: string): void {
    // The container was made anew under another policy while the body came.
    if (!tx.isRelaxed) throw containerChanged();
    tx.put(marks, unsyncedBlobKey(bodyId), '');
    tx.afterCommit(() => this.#parts.relaxed.addBlob(bodyId));
  }
}
