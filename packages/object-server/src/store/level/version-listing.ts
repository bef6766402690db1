import {
  type ContainerPath,
  isDeleteMarker,
  nullVersion,
  type ObjectPath,
  type ObjectRecord,
  type SubdirEntry,
  type VersionEntry,
  type VersionListQuery,
} from '../object-store';
import type { Database } from './database';
import {
  afterVersions,
  compareUtf8,
  following,
  objectKey,
  objectsPrefix,
  splitVersionName,
  versionKey,
  versionName,
  versionNamePrefix,
  versionsPrefix,
} from './keys';
import { listPage } from './listing';
import { isExpired } from './object-changes';
import { objects } from './rows';

type Entry = VersionEntry | SubdirEntry;

/**
 * One page of all versions of a container: its objects and the versions beside them, each scanned by itself and merged.
 * As both pages are as long as the result may be, nothing before the last entry is missing.
 */
export async function listVersionPage(
  database: Database,
  path: ContainerPath,
  query: VersionListQuery,
  nowMs: number,
): Promise<Entry[]> {
  const { limit, reverse = false, marker, versionMarker, ...rest } = query;
  if (limit <= 0) return [];
  const isInside = marker !== undefined && versionMarker !== undefined;
  const currentQuery = { ...rest, limit, reverse, marker };
  const current = await listPage(database.level, objectsPrefix(path), currentQuery, (object, stored) =>
    entryOf(object, objects.decode(stored as never), nowMs),
  );
  if (isInside) {
    const own = database.find(objects, objectKey({ ...path, object: marker }));
    if (own) current.unshift(entryOf(marker, own, nowMs));
  }
  const beside = await listPage(database.level, versionsPrefix(path), besideQuery(query), (name, stored) => {
    return asVersion(splitVersionName(name).object, objects.decode(stored as never));
  });
  const order = reverse ? (a: Entry, b: Entry) => compare(b, a) : compare;
  const place = isInside ? ({ name: marker, versionId: versionMarker } as VersionEntry) : undefined;
  const lowest = reverse ? query.endMarker : marker;
  const isBehind = (entry: Entry) =>
    'subdir' in entry ? entry.subdir !== lowest : place === undefined || order(entry, place) > 0;
  const page = merge(current.filter(isBehind), beside.filter(isBehind), order, limit);
  await markLatest(database, path, page, nowMs);
  return page;
}

/** Two sorted lists as one; what both have is there once. */
function merge(a: Entry[], b: Entry[], order: (a: Entry, b: Entry) => number, limit: number): Entry[] {
  const merged: Entry[] = [];
  let i = 0;
  let j = 0;
  while (merged.length < limit && (i < a.length || j < b.length)) {
    const sign = i === a.length ? 1 : j === b.length ? -1 : order(a[i]!, b[j]!);
    merged.push(sign <= 0 ? a[i]! : b[j]!);
    if (sign <= 0) i++;
    if (sign >= 0) j++;
  }
  return merged;
}

/** The same range among the keys of versions, which go on behind the name. */
function besideQuery({ marker, endMarker, versionMarker, reverse, ...query }: VersionListQuery): VersionListQuery {
  const end = endMarker && (reverse ? afterVersions(endMarker) : endMarker);
  if (marker === undefined || marker === '') return { ...query, reverse, endMarker: end };
  let start = reverse ? marker : afterVersions(marker);
  if (versionMarker === nullVersion) start = reverse ? afterVersions(marker) : marker;
  else if (versionMarker !== undefined) start = versionName(marker, versionMarker);
  return { ...query, reverse, marker: start, endMarker: end };
}

function entryOf(name: string, record: ObjectRecord, nowMs: number): VersionEntry {
  return { ...asVersion(name, record), isLatest: !isExpired(record, nowMs) };
}

function asVersion(name: string, record: ObjectRecord): VersionEntry {
  const { sizeBytes, etag, contentType, timestamp, metadata, versionId = nullVersion } = record;
  const isMarker = isDeleteMarker(record);
  return {
    name,
    sizeBytes,
    etag,
    contentType,
    timestamp,
    metadata,
    versionId,
    isLatest: false,
    isDeleteMarker: isMarker,
  };
}

function compare(a: Entry, b: Entry): number {
  const nameA = 'subdir' in a ? a.subdir : a.name;
  const nameB = 'subdir' in b ? b.subdir : b.name;
  if (nameA !== nameB) return compareUtf8(nameA, nameB);
  if ('subdir' in a || 'subdir' in b) return Number('subdir' in a) - Number('subdir' in b);
  if (a.versionId === b.versionId) return 0;
  if (a.versionId === nullVersion || b.versionId === nullVersion) return a.versionId === nullVersion ? -1 : 1;
  return a.versionId > b.versionId ? -1 : 1;
}

/** A delete marker is the latest of an object that is not there, unless something newer than it was deleted for good. */
async function markLatest(database: Database, path: ContainerPath, page: Entry[], nowMs: number): Promise<void> {
  const newest = new Map<string, string | undefined>();
  for (const entry of page) {
    if ('subdir' in entry || !entry.isDeleteMarker) continue;
    const object = { ...path, object: entry.name };
    if (!newest.has(entry.name)) newest.set(entry.name, await findNewestBeside(database, object, nowMs));
    entry.isLatest = newest.get(entry.name) === versionKey(object, entry.versionId);
  }
}

/** The key of the newest version of an object that has no current one. */
async function findNewestBeside(database: Database, path: ObjectPath, nowMs: number): Promise<string | undefined> {
  const current = database.find(objects, objectKey(path));
  if (current && !isExpired(current, nowMs)) return undefined;
  const prefix = versionNamePrefix(path);
  const [key] = await database.level.keys({ gte: prefix, lt: following(prefix), limit: 1 }).all();
  return key;
}
