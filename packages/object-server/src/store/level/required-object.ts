import { StorageError } from '../../errors';
import type { RequiredObject } from '../object-store';
import { objectKey } from './keys';
import { isExpired, setObject } from './object-changes';
import { mergeMetadata, objects } from './rows';
import { deleteCurrent, type Versions } from './versions';

/** The part of a write that is about the object it depends on. It comes first: the policy of the write's own container counts. */
export function meetRequirement(
  versions: Versions,
  account: string,
  { container, object, metadata, becomes }: RequiredObject,
  timestamp: string,
): void {
  const { tx, files, nowMs } = versions;
  const path = { account, container, object };
  const record = tx.find(objects, objectKey(path));
  const isAsSeen = Object.entries(metadata).every(([name, value]) => (record?.metadata[name] ?? '') === value);
  if (!record || isExpired(record, nowMs) || !isAsSeen) {
    throw new StorageError('requirementNotMet', 'An object that this write depends on has changed.');
  }
  if (becomes === 'deleted') {
    deleteCurrent(versions, path, timestamp);
  } else {
    const changed = { ...record, metadata: mergeMetadata(record.metadata, becomes) };
    setObject(tx, files, path, changed, { keepsBody: true });
  }
}
