import type { ContainerEntry, ObjectEntry } from '../object-store';
import { containers, objects } from './rows';

/** Rows as listings show them. */
export function containerEntry(name: string, stored: string): ContainerEntry {
  const { objectCount, bytesUsed, putAt } = containers.decode(stored as never);
  return { name, objectCount, bytesUsed, putAt };
}

export function objectEntry(name: string, stored: string): ObjectEntry {
  const { sizeBytes, etag, contentType, timestamp, metadata, versionId } = objects.decode(stored as never);
  const entry: ObjectEntry = { name, sizeBytes, etag, contentType, timestamp, metadata };
  if (versionId !== undefined) entry.versionId = versionId;
  return entry;
}
