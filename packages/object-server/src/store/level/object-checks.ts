import { StorageError } from '../../errors';
import type { ObjectPath, ObjectRecord } from '../object-store';
import type { Transaction } from './group-commit';
import { accountKey, containerKey, objectKey } from './keys';
import { containerNotFound, isExpired, objectNotFound } from './object-changes';
import { accounts, containers, objects } from './rows';

/** `objectNotFound` in a container that is not there, or whose account was deleted. */
export function checkReachable(tx: Transaction, path: ObjectPath): void {
  const account = tx.find(accounts, accountKey(path.account));
  if (!account || account.fate || !tx.find(containers, containerKey(path))) throw objectNotFound();
}

/** The current object; `objectNotFound`. */
export function getObject(tx: Transaction, path: ObjectPath, nowMs: number): ObjectRecord {
  const account = tx.find(accounts, accountKey(path.account));
  const record = tx.find(objects, objectKey(path));
  if (!record || account?.fate || isExpired(record, nowMs)) throw objectNotFound();
  return record;
}

/** Refuses a name that cannot take an object: `containerNotFound`, `objectExists`. */
export function checkTarget(
  find: Transaction['find'],
  path: ObjectPath,
  { ifAbsent }: { ifAbsent?: boolean },
  nowMs: number,
): void {
  const account = find(accounts, accountKey(path.account));
  if (!account || account.fate || !find(containers, containerKey(path))) throw containerNotFound();
  const existing = ifAbsent ? find(objects, objectKey(path)) : undefined;
  if (existing && !isExpired(existing, nowMs)) {
    throw new StorageError('objectExists', 'An object of this name exists.');
  }
}
