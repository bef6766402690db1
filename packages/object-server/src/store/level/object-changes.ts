import { StorageError } from '../../errors';
import {
  type ContainerPath,
  type ContainerRecord,
  noBodyId,
  type ObjectPath,
  type ObjectRecord,
} from '../object-store';
import { addToPolicy } from './account-changes';
import { type BlobFiles, isBlobId } from './blob-files';
import type { Transaction } from './group-commit';
import { accountKey, blobKey, containerKey, expiryKey, inlineBodyKey, inlineReferencesKey, objectKey } from './keys';
import { type AccountRow, accounts, blobs, containers, inlineBodies, inlineReferences, marks, objects } from './rows';

/** The parts of a transaction that keep counters, reference counts and the expiry index true. */

export const containerNotFound = () => new StorageError('containerNotFound', 'The container does not exist.');
export const objectNotFound = () => new StorageError('objectNotFound', 'The object does not exist.');

/** A record of a body under new circumstances. */
export function makeRecord(
  body: Pick<ObjectRecord, 'bodyId' | 'sizeBytes' | 'etag' | 'versionId'>,
  options: Pick<ObjectRecord, 'timestamp' | 'contentType' | 'metadata' | 'deleteAt'>,
): ObjectRecord {
  const { timestamp, contentType, metadata, deleteAt } = options;
  const { bodyId, sizeBytes, etag, versionId } = body;
  const record: ObjectRecord = { timestamp, bodyId, sizeBytes, etag, contentType, metadata };
  if (deleteAt !== undefined) record.deleteAt = deleteAt;
  if (versionId !== undefined) record.versionId = versionId;
  return record;
}

export function isExpired(record: ObjectRecord, nowMs: number): boolean {
  return record.deleteAt !== undefined && record.deleteAt * 1000 <= nowMs;
}

/** The container and its account; refuses with `containerNotFound`, also when the account was deleted. */
export function getContainer(
  tx: Transaction,
  path: ContainerPath,
): { container: ContainerRecord; account: AccountRow } {
  const container = tx.find(containers, containerKey(path));
  const account = tx.find(accounts, accountKey(path.account));
  if (!container || !account || account.fate) throw containerNotFound();
  return { container, account };
}

export interface CounterChange {
  objects: number;
  versions: number;
  bytes: number;
}

/** Counts in the container and its account. */
export function count(tx: Transaction, path: ContainerPath, change: CounterChange): void {
  const { container, account } = getContainer(tx, path);
  const objectCount = change.objects + change.versions;
  const counted = {
    ...container,
    objectCount: container.objectCount + change.objects,
    bytesUsed: container.bytesUsed + change.bytes,
  };
  if (change.versions !== 0) counted.versionCount = (container.versionCount ?? 0) + change.versions;
  tx.put(containers, containerKey(path), counted);
  const whole = {
    ...account,
    objectCount: account.objectCount + objectCount,
    bytesUsed: account.bytesUsed + change.bytes,
  };
  if (container.policy) {
    whole.policies = addToPolicy(account, container.policy, { objectCount, bytesUsed: change.bytes });
  }
  tx.put(accounts, accountKey(path.account), whole);
}

/**
 * Puts, replaces or (without a record) removes the object. The record must bring its own reference to the body; that
 * of the previous record is given back unless `keepsBody`.
 */
export function setObject(
  tx: Transaction,
  files: BlobFiles,
  path: ObjectPath,
  record: ObjectRecord | undefined,
  options: { keepsBody?: boolean } = {},
): void {
  const key = objectKey(path);
  const previous = tx.find(objects, key);
  const newObjects = (record ? 1 : 0) - (previous ? 1 : 0);
  const newBytes = (record?.sizeBytes ?? 0) - (previous?.sizeBytes ?? 0);
  if (newObjects !== 0 || newBytes !== 0) count(tx, path, { objects: newObjects, versions: 0, bytes: newBytes });
  if (previous?.deleteAt !== undefined) tx.remove(marks, expiryKey(previous.deleteAt, path));
  if (record?.deleteAt !== undefined) tx.put(marks, expiryKey(record.deleteAt, path), '');
  if (record) tx.put(objects, key, record);
  else tx.remove(objects, key);
  if (previous && !options.keepsBody) releaseBody(tx, files, previous.bodyId);
}

/** The first reference to a body. */
export function addInlineBody(tx: Transaction, bodyId: string, data: Buffer): void {
  tx.put(inlineBodies, inlineBodyKey(bodyId), data);
}

/** The first reference to a blob file. */
export function addBlob(tx: Transaction, bodyId: string, sizeBytes: number, etag: string): void {
  tx.put(blobs, blobKey(bodyId), { references: 1, sizeBytes, etag });
}

/** One more object with a body that some object has. */
export function shareBody(tx: Transaction, bodyId: string): void {
  if (bodyId === noBodyId) return;
  if (isBlobId(bodyId)) {
    const blob = tx.find(blobs, blobKey(bodyId))!;
    tx.put(blobs, blobKey(bodyId), { ...blob, references: blob.references + 1 });
  } else {
    const key = inlineReferencesKey(bodyId);
    tx.put(inlineReferences, key, (tx.find(inlineReferences, key) ?? 1) + 1);
  }
}

/** One object less; with the last one the body goes, its file once that is durable and no reader is left. */
export function releaseBody(tx: Transaction, files: BlobFiles, bodyId: string): void {
  if (bodyId === noBodyId) return;
  if (isBlobId(bodyId)) {
    const blob = tx.find(blobs, blobKey(bodyId))!;
    if (blob.references > 1) {
      tx.put(blobs, blobKey(bodyId), { ...blob, references: blob.references - 1 });
    } else {
      tx.remove(blobs, blobKey(bodyId));
      tx.afterCommit(() => files.release(bodyId));
      tx.afterSync(() => files.remove(bodyId));
    }
  } else {
    const key = inlineReferencesKey(bodyId);
    const references = tx.find(inlineReferences, key) ?? 1;
    if (references > 2) tx.put(inlineReferences, key, references - 1);
    else if (references === 2) tx.remove(inlineReferences, key);
    else tx.remove(inlineBodies, inlineBodyKey(bodyId));
  }
}
