import { StorageError } from '../../errors';
import { findExcess, totalsOf } from '../metadata-totals';
import type {
  AccountCounters,
  AccountUpdate,
  ContainerPath,
  ContainerRecord,
  ContainerUpdate,
  Metadata,
  StoragePolicy,
} from '../object-store';
import type { Transaction } from './group-commit';
import { accountKey, containerKey } from './keys';
import { type AccountRow, accounts, containers, mergeMetadata } from './rows';

export const accountNotFound = () => new StorageError('accountNotFound', 'The account does not exist.');
export const accountDeleted = () => new StorageError('accountDeleted', 'The account was deleted recently.');

/** An account or container that holds nothing. */
export function newAccount(createdAt: string): AccountRow {
  return { createdAt, containerCount: 0, objectCount: 0, bytesUsed: 0, metadata: {} };
}

export function newContainer(createdAt: string, policy?: StoragePolicy | null): ContainerRecord {
  const record: ContainerRecord = { createdAt, putAt: createdAt, objectCount: 0, bytesUsed: 0, metadata: {} };
  if (policy) record.policy = policy;
  return record;
}

/** Counts one container more or less in its account. */
export function countContainer(
  tx: Transaction,
  name: string,
  account: AccountRow,
  { policy }: ContainerRecord,
  change: 1 | -1,
): void {
  const counted = { ...account, containerCount: account.containerCount + change };
  if (policy) counted.policies = addToPolicy(account, policy, { containerCount: change });
  tx.put(accounts, accountKey(name), counted);
}

const nothing: AccountCounters = { containerCount: 0, objectCount: 0, bytesUsed: 0 };

/** The account's share of a policy, changed by so much. */
export function addToPolicy(
  { policies }: AccountRow,
  policy: StoragePolicy,
  change: Partial<AccountCounters>,
): AccountRow['policies'] {
  const old = policies?.[policy] ?? nothing;
  const counters = {
    containerCount: old.containerCount + (change.containerCount ?? 0),
    objectCount: old.objectCount + (change.objectCount ?? 0),
    bytesUsed: old.bytesUsed + (change.bytesUsed ?? 0),
  };
  return { ...policies, [policy]: counters };
}

/** Writes the row with the update merged into its metadata. */
export function putAccountRow(tx: Transaction, account: string, row: AccountRow, update: AccountUpdate): void {
  tx.put(accounts, accountKey(account), { ...row, metadata: mergeUpdate(row.metadata, update) });
}

/** Here and not before, where several updates at once would each find room for themselves. */
function mergeUpdate(old: Metadata, { metadata, limits }: AccountUpdate): Metadata {
  const merged = mergeMetadata(old, metadata);
  const excess = limits && findExcess(totalsOf(merged), limits);
  if (excess !== undefined) throw new StorageError('badMetadata', excess);
  return merged;
}

/** Writes the record with the update merged into its metadata and its settings changed. */
export function putContainerRow(
  tx: Transaction,
  path: ContainerPath,
  record: ContainerRecord,
  update: ContainerUpdate,
): void {
  const { timestamp, settings } = update;
  const row = { ...record, putAt: timestamp, metadata: mergeUpdate(record.metadata, update) };
  if (settings) {
    const { versioning, archive, policy } = settings;
    if (policy !== undefined && (policy ?? undefined) !== record.policy) {
      throw new StorageError('policyConflict', 'The container has another storage policy.');
    }
    if (versioning) row.versioning = versioning;
    if (archive) row.archive = archive;
    else if (archive === null) delete row.archive;
    if (row.archive && row.versioning === 'enabled') {
      throw new StorageError('policyConflict', 'The container keeps older versions in another way.');
    }
  }
  tx.put(containers, containerKey(path), row);
}
