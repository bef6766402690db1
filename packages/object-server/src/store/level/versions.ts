import { hash } from 'node:crypto';
import { StorageError } from '../../errors';
import {
  type Archive,
  type ContainerRecord,
  type DeletedObject,
  deleteMarkerType,
  isDeleteMarker,
  noBodyId,
  nullVersion,
  type ObjectPath,
  type ObjectRecord,
} from '../object-store';
import type { BlobFiles } from './blob-files';
import type { Transaction } from './group-commit';
import { containerKey, expiryKeyOf, isVersionId, objectKey, versionKey } from './keys';
import { containerNotFound, count, isExpired, objectNotFound, releaseBody, setObject } from './object-changes';
import { containers, marks, objects } from './rows';

/**
 * The parts of transactions that keep what they replace. The current object is the row it always was, with the id of its
 * version in it; every other version is a row of its own, with a reference to its body. A write moves the current row
 * aside in the transaction that puts the new one, so a crash leaves both or the old one, and none is there twice.
 */
export interface Versions {
  tx: Transaction;
  files: BlobFiles;
  nowMs: number;
}

/** Puts the object as a client's write does. Its record must bring a reference to its body. Returns it as it is kept. */
export function putCurrent(versions: Versions, path: ObjectPath, record: ObjectRecord): ObjectRecord {
  const { tx, files } = versions;
  const container = getRelaxing(tx, path);
  if (!container.versioning && !container.archive) {
    setObject(tx, files, path, record);
    return record;
  }
  const previous = tx.find(objects, objectKey(path));
  const keepsBody = previous !== undefined && keep(versions, path, container, previous, record.timestamp);
  let kept = record;
  if (container.versioning === 'enabled') {
    kept = { ...record, versionId: newVersionId(tx, path, record.timestamp, idOf(previous)) };
  }
  setObject(tx, files, path, kept, { keepsBody });
  return kept;
}

/** The container whose object a client changes; the transaction is as durable as its policy says. */
export function getRelaxing(tx: Transaction, path: ObjectPath): ContainerRecord {
  const container = tx.find(containers, containerKey(path));
  if (!container) throw containerNotFound();
  tx.isRelaxed = container.policy === 'relaxed';
  return container;
}

/** Deletes the current object as a client does; for `stack` archives see `pop-archive.ts`. */
export function deleteCurrent(versions: Versions, path: ObjectPath, timestamp: string): DeletedObject {
  const { tx, files, nowMs } = versions;
  const container = getRelaxing(tx, path);
  const previous = tx.find(objects, objectKey(path));
  const existed = previous !== undefined && !isExpired(previous, nowMs);
  const keepsBody = previous !== undefined && keep(versions, path, container, previous, timestamp);
  let markerId: string | undefined;
  if (container.versioning === 'enabled') {
    markerId = newVersionId(tx, path, timestamp, idOf(previous));
    addVersion(tx, path, { ...deleteMarker(timestamp), versionId: markerId });
  } else if (container.archive?.mode === 'history') {
    setObject(tx, files, archivePath(tx, path, container.archive, timestamp), deleteMarker(timestamp));
  } else if (!previous) {
    throw objectNotFound();
  }
  if (previous) setObject(tx, files, path, undefined, { keepsBody });
  return { existed, markerId };
}

/** Deletes the version in the path for good; `nullVersion` as `ObjectStore.deleteObject` says. */
export function deleteVersion(versions: Versions, path: ObjectPath): DeletedObject {
  const { tx, files, nowMs } = versions;
  const versionId = path.versionId!;
  const container = getRelaxing(tx, path);
  const current = tx.find(objects, objectKey(path));
  if (versionId === nullVersion) {
    if (!current || isExpired(current, nowMs)) throw objectNotFound();
    const keepsBody = current.versionId !== undefined && keep(versions, path, container, current, current.timestamp);
    setObject(tx, files, path, undefined, { keepsBody });
    return { existed: true };
  }
  if (current?.versionId === versionId) {
    setObject(tx, files, path, undefined);
    return { existed: true };
  }
  const record = getVersion(tx, path, nowMs);
  dropVersion(tx, path, record);
  releaseBody(tx, files, record.bodyId);
  return { existed: true, currentVersionId: current && (current.versionId ?? nullVersion) };
}

/** Makes the version in the path the current one. */
export function restoreVersion(versions: Versions, path: ObjectPath, timestamp: string): ObjectRecord {
  const { tx, files, nowMs } = versions;
  const container = getRelaxing(tx, path);
  const current = tx.find(objects, objectKey(path));
  if (current && current.versionId === path.versionId && !isExpired(current, nowMs)) return current;
  const isOwn = current !== undefined && current.versionId === path.versionId;
  const record = isOwn ? current : getVersion(tx, path, nowMs);
  if (isDeleteMarker(record)) throw objectNotFound();
  const { deleteAt: _, ...restored } = record;
  if (isOwn) {
    setObject(tx, files, path, restored, { keepsBody: true });
    return restored;
  }
  // Before the version's own row goes: what gets an id now must not get this one's.
  const keepsBody = current !== undefined && keep(versions, path, container, current, timestamp);
  dropVersion(tx, path, record);
  setObject(tx, files, path, restored, { keepsBody });
  return restored;
}

/** The current object's time is over: its name goes, and it itself unless it is a version. */
export function expireCurrent({ tx, files }: Versions, path: ObjectPath, record: ObjectRecord): void {
  const isVersion = record.versionId !== undefined;
  if (isVersion) addVersion(tx, path, withoutExpiry(record));
  setObject(tx, files, path, undefined, { keepsBody: isVersion });
}

/** A version beside the current object; it brings its reference to its body. */
function addVersion(tx: Transaction, path: ObjectPath, record: ObjectRecord): void {
  const key = versionKey(path, record.versionId!);
  tx.put(objects, key, record);
  if (record.deleteAt !== undefined) tx.put(marks, expiryKeyOf(record.deleteAt, key), '');
  count(tx, path, { objects: 0, versions: 1, bytes: record.sizeBytes });
}

/** Takes away the version's row, not its reference to the body. */
export function dropVersion(tx: Transaction, path: ObjectPath, record: ObjectRecord): void {
  const key = versionKey(path, record.versionId!);
  tx.remove(objects, key);
  if (record.deleteAt !== undefined) tx.remove(marks, expiryKeyOf(record.deleteAt, key));
  count(tx, path, { objects: 0, versions: -1, bytes: -record.sizeBytes });
}

/**
 * Where the previous object goes when it is replaced or deleted at `timestamp`: true if its reference went along. An
 * expired one is kept only if it is a version, for then only its name has expired.
 */
function keep(
  versions: Versions,
  path: ObjectPath,
  { versioning, archive }: ContainerRecord,
  previous: ObjectRecord,
  timestamp: string,
): boolean {
  const { tx, files, nowMs } = versions;
  if (previous.versionId !== undefined) {
    addVersion(tx, path, withoutExpiry(previous));
    return true;
  }
  if (isExpired(previous, nowMs)) return false;
  if (versioning === 'enabled') {
    addVersion(tx, path, { ...previous, versionId: newVersionId(tx, path, previous.timestamp, undefined) });
    return true;
  }
  if (!archive) return false;
  setObject(tx, files, archivePath(tx, path, archive, previous.timestamp), { ...previous, timestamp });
  return true;
}

/** A name in the archive that nothing has. `archiveNotFound`. */
function archivePath(tx: Transaction, path: ObjectPath, archive: Archive, timestamp: string): ObjectPath {
  const target = { account: path.account, container: archive.container };
  if (!tx.find(containers, containerKey(target))) {
    throw new StorageError('archiveNotFound', 'The container for older versions does not exist.');
  }
  for (let id = timestamp; ; id = nextId(id)) {
    const archived = { ...target, object: archivePrefix(path.object) + id };
    if (!tx.find(objects, objectKey(archived))) return archived;
  }
}

/** What the names of an object's older versions begin with in an archive; the length counts bytes, as in Swift. */
export function archivePrefix(object: string): string {
  return `${Buffer.byteLength(object).toString(16).padStart(3, '0')}${object}/`;
}

/** The time of the write, or a later one: behind the version it follows, and no other version has it. */
function newVersionId(tx: Transaction, path: ObjectPath, timestamp: string, after: string | undefined): string {
  let id = after !== undefined && timestamp <= after ? nextId(after) : timestamp;
  while (tx.find(objects, versionKey(path, id)) || tx.find(objects, objectKey(path))?.versionId === id) id = nextId(id);
  return id;
}

/** The timestamp one step, 10 µs, later. */
function nextId(id: string): string {
  const ticks = BigInt(id.replace('.', '')) + 1n;
  const digits = ticks.toString().padStart(15, '0');
  return `${digits.slice(0, -5)}.${digits.slice(-5)}`;
}

/** The id that the current object has, or would get by being kept. */
function idOf(current: ObjectRecord | undefined): string | undefined {
  return current?.versionId ?? current?.timestamp;
}

function getVersion(tx: Transaction, path: ObjectPath, nowMs: number): ObjectRecord {
  const id = path.versionId!;
  const record = isVersionId(id) ? tx.find(objects, versionKey(path, id)) : undefined;
  if (!record || isExpired(record, nowMs)) throw objectNotFound();
  return record;
}

function withoutExpiry({ deleteAt: _, ...record }: ObjectRecord): ObjectRecord {
  return record;
}

const emptyEtag = hash('md5', '');

function deleteMarker(timestamp: string): ObjectRecord {
  return { timestamp, bodyId: noBodyId, sizeBytes: 0, etag: emptyEtag, contentType: deleteMarkerType, metadata: {} };
}
