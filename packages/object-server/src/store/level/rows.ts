import type { AccountRecord, ContainerRecord, Metadata, MetadataUpdate, ObjectRecord } from '../object-store';

/** How the values of one table are written. Decoded values are shared and never changed in place. */
export interface Table<V> {
  /** Bodies are bytes, all else is text. */
  readonly binary: boolean;
  encode(value: V): string | Buffer;
  decode(stored: never): V;
}

function jsonTable<V>(): Table<V> {
  return { binary: false, encode: (value) => JSON.stringify(value), decode: (text: string) => JSON.parse(text) };
}

export interface AccountRow extends AccountRecord {
  /** `deleted`: gone for everybody, contents being reaped. `reaped`: nothing left but this row. */
  fate?: 'deleted' | 'reaped';
}

export interface BlobRow {
  /** Objects whose body this is. */
  references: number;
  sizeBytes: number;
  etag: string;
  /** The auditor found the file damaged and moved it aside. */
  quarantined?: boolean;
}

export const accounts = jsonTable<AccountRow>();
export const containers = jsonTable<ContainerRecord>();
export const blobs = jsonTable<BlobRow>();
/** Objects that share an inline body; no row means one. */
export const inlineReferences = jsonTable<number>();
/** Tables whose keys say it all. */
export const marks: Table<''> = { binary: false, encode: () => '', decode: () => '' };
export const inlineBodies: Table<Buffer> = { binary: true, encode: (bytes) => bytes, decode: (bytes: Buffer) => bytes };

type ObjectTuple = [string, string, number, string, string, Metadata, (number | null)?, string?];

/** A tuple and not an object: a listing reads ten thousand of them. */
export const objects: Table<ObjectRecord> = {
  binary: false,
  encode: ({ timestamp, bodyId, sizeBytes, etag, contentType, metadata, deleteAt, versionId }) => {
    const tuple: ObjectTuple = [timestamp, bodyId, sizeBytes, etag, contentType, metadata];
    if (versionId !== undefined) tuple.push(deleteAt ?? null, versionId);
    else if (deleteAt !== undefined) tuple.push(deleteAt);
    return JSON.stringify(tuple);
  },
  decode: (text: string) => {
    const tuple = JSON.parse(text) as ObjectTuple;
    const [timestamp, bodyId, sizeBytes, etag, contentType, metadata, deleteAt, versionId] = tuple;
    const record: ObjectRecord = { timestamp, bodyId, sizeBytes, etag, contentType, metadata };
    if (deleteAt != null) record.deleteAt = deleteAt;
    if (versionId !== undefined) record.versionId = versionId;
    return record;
  },
};

/** Old pairs with the update laid over them. Goes through entries so that `__proto__` is a name like any other. */
export function mergeMetadata(old: Metadata, update: MetadataUpdate): Metadata {
  const merged = new Map(Object.entries(old));
  for (const [name, value] of Object.entries(update)) {
    if (value === undefined) merged.delete(name);
    else merged.set(name, value);
  }
  return Object.fromEntries(merged);
}
