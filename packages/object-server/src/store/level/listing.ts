import type { ClassicLevel } from 'classic-level';
import type { ObjectListQuery, SubdirEntry } from '../object-store';
import { compareUtf8, following } from './keys';

/** Rows asked for at once: few right after a seek, which may well be followed by the next one. */
const firstRows = 16;
const maxRows = 2000;

/**
 * One page of a listing, with the semantics of Swift's `list_objects_iter` (swift/container/backend.py): markers are
 * exclusive; a subdir is left out only if it equals the marker, so a marker inside a subdir lists it again; with
 * `path`, deeper names are dropped instead of rolled up. Its cost is that of the entries returned: whatever a
 * subdir holds is skipped with a seek.
 *
 * Where Swift loses entries we do not: with `path` it drops the name right behind a skipped pseudo-directory
 * (`a0` behind `a/…`), and `a/` itself in a reversed listing.
 */
export async function listPage<T>(
  level: ClassicLevel<string, string>,
  keyPrefix: string,
  query: ObjectListQuery,
  entry: (name: string, stored: string) => T,
): Promise<(T | SubdirEntry)[]> {
  const { limit, reverse = false } = query;
  const { prefix, delimiter } = rollUp(query);
  const lowest = (reverse ? query.endMarker : query.marker) || '';
  const entries: (T | SubdirEntry)[] = [];
  if (limit <= 0) return entries;

  const iterator = level.iterator({
    ...range(keyPrefix, prefix, lowest, (reverse ? query.marker : query.endMarker) || ''),
    reverse,
    highWaterMarkBytes: 1024 * 1024,
  });
  try {
    let skipped: string | undefined;
    let chunk = delimiter ? firstRows : maxRows;
    while (entries.length < limit) {
      const rows = await iterator.nextv(Math.min(chunk, limit - entries.length));
      if (rows.length === 0) break;
      chunk = Math.min(chunk * 2, maxRows);
      for (const [key, stored] of rows) {
        const name = key.slice(keyPrefix.length);
        const end = delimiter ? name.indexOf(delimiter, prefix.length) : -1;
        if (end < 0) {
          if (query.path === undefined || name !== prefix) entries.push(entry(name, stored));
          continue;
        }
        const subdir = name.slice(0, end + delimiter.length);
        if (query.path !== undefined && name === subdir) {
          entries.push(entry(name, stored));
          continue;
        }
        // A reversed seek stops at its target, which may be an object named like the subdir.
        if (subdir === skipped) continue;
        if (query.path === undefined && subdir !== lowest) entries.push({ subdir });
        skipped = subdir;
        iterator.seek(reverse ? keyPrefix + subdir : following(keyPrefix + subdir));
        chunk = firstRows;
        break;
      }
    }
  } finally {
    await iterator.close();
  }
  return entries;
}

function rollUp({ path, prefix = '', delimiter = '' }: ObjectListQuery): { prefix: string; delimiter: string } {
  if (path === undefined) return { prefix, delimiter };
  return { prefix: path === '' ? '' : `${path.replace(/\/+$/, '')}/`, delimiter: '/' };
}

function range(keyPrefix: string, prefix: string, above: string, below: string) {
  const low = above && compareUtf8(above, prefix) >= 0 ? { gt: keyPrefix + above } : { gte: keyPrefix + prefix };
  const end = following(keyPrefix + prefix);
  const lt = below && compareUtf8(keyPrefix + below, end) < 0 ? keyPrefix + below : end;
  return { ...low, lt };
}
