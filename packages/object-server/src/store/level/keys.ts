import assert from 'node:assert';
import type { ContainerPath, ObjectPath } from '../object-store';

/**
 * Keys are text: one letter for the table, then names separated by NUL, which no name contains. LevelDB orders
 * their UTF-8 bytes, so one container is one contiguous range and a listing is one scan. Bodies have a table of
 * their own, so that scans of records do not drag bodies through the cache.
 */
const table = {
  meta: 'm',
  account: 'a',
  deletedAccount: 'd',
  container: 'c',
  object: 'o',
  version: 'v',
  expiry: 'e',
  inlineBody: 'b',
  inlineReferences: 'r',
  blob: 'f',
  unsyncedBlob: 'u',
} as const;

function checked(name: string): string {
  assert(!name.includes('\0'), 'a name contains NUL');
  return name;
}

/** Written to make the database sync what was written before. */
export const flushKey = `${table.meta}flush`;
export const formatKey = `${table.meta}format`;

export const accountKey = (account: string): string => table.account + checked(account);

/** Marks an account whose contents are still to be reaped. */
export const deletedAccountKey = (account: string): string => table.deletedAccount + checked(account);
export const deletedAccountRange = { gte: table.deletedAccount, lt: following(table.deletedAccount) } as const;

/** What every container key of the account starts with. */
export const containersPrefix = (account: string): string => `${table.container}${checked(account)}\0`;

export const containerKey = ({ account, container }: ContainerPath): string =>
  containersPrefix(account) + checked(container);

/** What every object key of the whole account starts with. */
export const accountObjectsPrefix = (account: string): string => `${table.object}${checked(account)}\0`;

/** What every object key of the container starts with. */
export const objectsPrefix = ({ account, container }: ContainerPath): string =>
  `${accountObjectsPrefix(account)}${checked(container)}\0`;

export const objectKey = (path: ObjectPath): string => objectsPrefix(path) + checked(path.object);

/** What every version key of the account, the container, the object starts with. */
export const accountVersionsPrefix = (account: string): string => `${table.version}${checked(account)}\0`;
export const versionsPrefix = ({ account, container }: ContainerPath): string =>
  `${accountVersionsPrefix(account)}${checked(container)}\0`;
export const versionNamePrefix = (path: ObjectPath): string => `${versionsPrefix(path)}${checked(path.object)}\0`;

/** Of one object the newest version comes first. Ids are Swift timestamps. */
export const versionKey = (path: ObjectPath, versionId: string): string =>
  versionNamePrefix(path) + invertedId(versionId);

/** What a version's key says behind `versionsPrefix`. */
export const versionName = (object: string, versionId: string): string => `${object}\0${invertedId(versionId)}`;
export function splitVersionName(name: string): { object: string; versionId: string } {
  const end = name.indexOf('\0');
  return { object: name.slice(0, end), versionId: invertedId(name.slice(end + 1)) };
}

/** Sorts after the versions of an object, as a name behind `versionsPrefix`, and before what follows. */
export const afterVersions = (object: string): string => `${object}\0:`;

/** Digits become their complement to nine: later ids sort first. Its own inverse. */
function invertedId(versionId: string): string {
  return versionId.replace(/\d/g, (digit) => String(9 - Number(digit)));
}

/** Whether a text can be a version's id at all. */
export const isVersionId = (text: string): boolean => /^\d{10}\.\d{5}$/.test(text);

/** All objects, and all versions beside them. */
export const objectRange = { gte: table.object, lt: following(table.object) } as const;
export const versionRange = { gte: table.version, lt: following(table.version) } as const;

export const isVersionKey = (key: string): boolean => key.startsWith(table.version);

/** The path an object key was made from, or a version key without its id. */
export function objectPathOf(key: string): ObjectPath {
  const [account, container, object] = key.slice(1).split('\0');
  return { account: account!, container: container!, object: object! };
}

/** Sorted by time: the expirer reads the head of this table. Twelve digits last until the year 33658. */
export const expiryKey = (deleteAt: number, path: ObjectPath): string => expiryKeyOf(deleteAt, objectKey(path));

/** The same for the key of an object or a version. */
export const expiryKeyOf = (deleteAt: number, key: string): string => `${table.expiry}${expiryTime(deleteAt)}${key}`;

const expiryTime = (seconds: number): string => String(Math.min(seconds, 999_999_999_999)).padStart(12, '0');

export const expiryRange = (untilSeconds: number): { gte: string; lt: string } => ({
  gte: table.expiry,
  lt: table.expiry + expiryTime(untilSeconds + 1),
});

/** The object or version an expiry key stands for. */
export const expiringObjectKey = (key: string): string => key.slice(1 + 12);

export const inlineBodyKey = (bodyId: string): string => table.inlineBody + bodyId;
export const inlineReferencesKey = (bodyId: string): string => table.inlineReferences + bodyId;
export const blobKey = (bodyId: string): string => table.blob + bodyId;
/** Marks a blob that is not synced yet. */
export const unsyncedBlobKey = (bodyId: string): string => table.unsyncedBlob + bodyId;
export const unsyncedBlobRange = { gte: table.unsyncedBlob, lt: following(table.unsyncedBlob) } as const;
export const blobRange = { gte: table.blob, lt: following(table.blob) } as const;

/**
 * The smallest text that sorts, as UTF-8, after every text that starts with `prefix`: its last code point plus one.
 * (Code points sort as their UTF-8 bytes do; JavaScript's own `<` does not, it compares UTF-16 units.)
 */
export function following(prefix: string): string {
  for (let end = prefix.length; end > 0; ) {
    const start = lastPointAt(prefix, end);
    const last = prefix.codePointAt(start)!;
    if (last < 0x10ffff) return prefix.slice(0, start) + String.fromCodePoint(afterPoint(last));
    end = start;
  }
  throw new RangeError('nothing sorts after this prefix');
}

/** Where the last code point before `end` begins. */
function lastPointAt(text: string, end: number): number {
  const isPair = (text.charCodeAt(end - 1) & 0xfc00) === 0xdc00 && (text.charCodeAt(end - 2) & 0xfc00) === 0xd800;
  return isPair ? end - 2 : end - 1;
}

/** Half surrogates are stored as U+FFFD, and no text contains one. */
function afterPoint(point: number): number {
  if (point >= 0xd800 && point <= 0xdfff) return 0xfffe;
  return point === 0xd7ff ? 0xe000 : point + 1;
}

/** Order of two texts by their UTF-8 bytes, as LevelDB and Swift sort them. */
export function compareUtf8(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
