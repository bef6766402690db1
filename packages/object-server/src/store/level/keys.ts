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
  expiry: 'e',
  inlineBody: 'b',
  inlineReferences: 'r',
  blob: 'f',
} as const;

function checked(name: string): string {
  assert(!name.includes('\0'), 'a name contains NUL');
  return name;
}

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

/** The path an object key was made from. */
export function objectPathOf(key: string): ObjectPath {
  const [account, container, object] = key.slice(1).split('\0');
  return { account: account!, container: container!, object: object! };
}

/** Sorted by time: the expirer reads the head of this table. Twelve digits last until the year 33658. */
export const expiryKey = (deleteAt: number, path: ObjectPath): string =>
  `${table.expiry}${expiryTime(deleteAt)}${objectKey(path)}`;

const expiryTime = (seconds: number): string => String(Math.min(seconds, 999_999_999_999)).padStart(12, '0');

export const expiryRange = (untilSeconds: number): { gte: string; lt: string } => ({
  gte: table.expiry,
  lt: table.expiry + expiryTime(untilSeconds + 1),
});

/** The object an expiry key stands for. */
export const expiringObjectKey = (key: string): string => key.slice(1 + 12);

export const inlineBodyKey = (bodyId: string): string => table.inlineBody + bodyId;
export const inlineReferencesKey = (bodyId: string): string => table.inlineReferences + bodyId;
export const blobKey = (bodyId: string): string => table.blob + bodyId;
export const blobRange = { gte: table.blob, lt: following(table.blob) } as const;

/**
 * The smallest text that sorts, as UTF-8, after every text that starts with `prefix`: its last code point plus one.
 * (Code points sort as their UTF-8 bytes do; JavaScript's own `<` does not, it compares UTF-16 units.)
 */
export function following(prefix: string): string {
  const points = Array.from(prefix, (character) => character.codePointAt(0)!);
  while (points.length > 0) {
    const last = points.pop()!;
    if (last < 0x10ffff) return String.fromCodePoint(...points, afterPoint(last));
  }
  throw new RangeError('nothing sorts after this prefix');
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
