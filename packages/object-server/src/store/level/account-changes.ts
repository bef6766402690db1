import { StorageError } from '../../errors';
import type { ContainerPath, ContainerRecord, MetadataUpdate } from '../object-store';
import type { Transaction } from './group-commit';
import { accountKey, containerKey } from './keys';
import { type AccountRow, accounts, containers, mergeMetadata } from './rows';

export const accountNotFound = () => new StorageError('accountNotFound', 'The account does not exist.');
export const accountDeleted = () => new StorageError('accountDeleted', 'The account was deleted recently.');

/** An account or container that holds nothing. */
export function newAccount(createdAt: string): AccountRow {
  return { createdAt, containerCount: 0, objectCount: 0, bytesUsed: 0, metadata: {} };
}

export function newContainer(createdAt: string): ContainerRecord {
  return { createdAt, putAt: createdAt, objectCount: 0, bytesUsed: 0, metadata: {} };
}

/** Writes the row with the update merged into its metadata. */
export function putAccountRow(tx: Transaction, account: string, row: AccountRow, update: MetadataUpdate): void {
  tx.put(accounts, accountKey(account), { ...row, metadata: mergeMetadata(row.metadata, update) });
}

/** Writes the record with the update merged into its metadata. */
export function putContainerRow(
  tx: Transaction,
  path: ContainerPath,
  record: ContainerRecord,
  { timestamp, metadata }: { timestamp: string; metadata: MetadataUpdate },
): void {
  const merged = mergeMetadata(record.metadata, metadata);
  tx.put(containers, containerKey(path), { ...record, putAt: timestamp, metadata: merged });
}
