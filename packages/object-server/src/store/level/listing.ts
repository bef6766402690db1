import type { Level } from 'level';
import type { ObjectListQuery, SubdirEntry } from '../object-store';
import { compareUtf8, following } from './keys';

/**
 * Rows asked for at once. What a large subdir holds is skipped with a seek, which costs as much as reading some dozen rows:
 * while subdirs are small, reading on is cheaper; while they are large, one row tells the next. Every so often the row
 * count goes back to the middle, to see whether that has changed.
 */
const fewRows = 1;
const someRows = 16;
const maxRows = 2000;
const largeInARow = 4;
const lookAgainAfter = 64;

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
  level: Level<string, string>,
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
    let chunk = delimiter ? someRows : maxRows;
    let largeOnes = 0;
    while (entries.length < limit) {
      const rows = await iterator.nextv(Math.min(chunk, limit - entries.length));
      if (rows.length === 0) break;
      /** Rows at the end of the chunk that belong to the subdir that is skipped. */
      let run = 0;
      let last = '';
      for (const [key, stored] of rows) {
        const name = key.slice(keyPrefix.length);
        const end = delimiter ? name.indexOf(delimiter, prefix.length) : -1;
        const subdir = end < 0 ? undefined : name.slice(0, end + delimiter.length);
        if (subdir === undefined) {
          if (query.path === undefined || name !== prefix) entries.push(entry(name, stored));
          run = 0;
        } else if (query.path !== undefined && name === subdir) {
          entries.push(entry(name, stored));
          run = 0;
        } else if (subdir === skipped) {
          run++;
          last = name;
        } else {
          if (query.path === undefined && subdir !== lowest) entries.push({ subdir });
          skipped = subdir;
          run = 1;
          last = name;
        }
      }
      // Backwards a seek stops at its target, which is an object named like the subdir: it would stop there for ever.
      if (skipped === undefined || run * 2 < rows.length || (reverse && last === skipped)) {
        chunk = Math.min(Math.max(chunk, someRows) * 2, maxRows);
        largeOnes = 0;
        continue;
      }
      iterator.seek(reverse ? keyPrefix + skipped : following(keyPrefix + skipped));
      if (run < rows.length) largeOnes = 0;
      // One large subdir is enough to see that nothing has changed.
      else largeOnes = largeOnes < lookAgainAfter ? largeOnes + 1 : largeInARow;
      chunk = largeOnes > largeInARow ? fewRows : someRows;
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
