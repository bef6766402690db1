import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { expiryKeyOf, isVersionKey, objectPathOf } from '@zerocloud/object-server/store/level/keys';
import { accounts, blobs, containers, objects } from '@zerocloud/object-server/store/level/rows';
import { type AccountCounters, noBodyId, type ObjectRecord } from '@zerocloud/object-server/store/object-store';
import { Level } from 'level';

interface Sums {
  objects: number;
  versions: number;
  bytes: number;
}

/**
 * Every row and file of a closed store against every other: sentences about what does not fit. Of files it wants those
 * that have rows; what a crash or a reader left over is the sweep's, so let that run before the store is closed.
 */
export async function findContradictions(dataDir: string): Promise<string[]> {
  const level = new Level<string, string>(path.join(dataDir, 'db'));
  const found: string[] = [];
  const expect = (what: string, is: unknown, wanted: unknown) => {
    if (is !== wanted) found.push(`${what} is ${is} and should be ${wanted}`);
  };
  try {
    const rows = new Map<string, string>();
    for await (const [key, value] of level.iterator()) rows.set(key, value);
    const keysOf = (table: string) => [...rows.keys()].filter((key) => key.startsWith(table));

    const references = new Map<string, ObjectRecord[]>();
    const sums = new Map<string, Sums>();
    const marked = new Set<string>();
    for (const key of [...keysOf('o'), ...keysOf('v')]) {
      const record = objects.decode(rows.get(key) as never);
      const { account, container } = objectPathOf(key);
      const home = `${account}\0${container}`;
      const sum = sums.get(home) ?? { objects: 0, versions: 0, bytes: 0 };
      sum[isVersionKey(key) ? 'versions' : 'objects']++;
      sum.bytes += record.sizeBytes;
      sums.set(home, sum);
      if (record.deleteAt !== undefined) marked.add(expiryKeyOf(record.deleteAt, key));
      if (record.bodyId === noBodyId) continue;
      references.set(record.bodyId, [...(references.get(record.bodyId) ?? []), record]);
    }
    const expiries = new Set(keysOf('e'));
    for (const key of marked) if (!expiries.has(key)) found.push(`the expiry of ${key} is not marked`);
    for (const key of expiries) if (!marked.has(key)) found.push(`the mark ${key} is of nothing`);

    const totals = new Map<string, AccountCounters & { relaxed: AccountCounters }>();
    const nothing = () => ({ containerCount: 0, objectCount: 0, bytesUsed: 0 });
    for (const key of keysOf('c')) {
      const record = containers.decode(rows.get(key) as never);
      const home = key.slice(1);
      const sum = sums.get(home) ?? { objects: 0, versions: 0, bytes: 0 };
      sums.delete(home);
      expect(`objectCount of ${home}`, record.objectCount, sum.objects);
      expect(`versionCount of ${home}`, record.versionCount ?? 0, sum.versions);
      expect(`bytesUsed of ${home}`, record.bytesUsed, sum.bytes);
      const [account] = home.split('\0');
      const total = totals.get(account!) ?? { ...nothing(), relaxed: nothing() };
      totals.set(account!, total);
      for (const counters of record.policy ? [total, total.relaxed] : [total]) {
        counters.containerCount++;
        counters.objectCount += sum.objects + sum.versions;
        counters.bytesUsed += sum.bytes;
      }
    }
    for (const home of sums.keys()) found.push(`objects of ${home} have no container`);
    for (const key of keysOf('a')) {
      const record = accounts.decode(rows.get(key) as never);
      const { relaxed, ...total } = totals.get(key.slice(1)) ?? { ...nothing(), relaxed: nothing() };
      for (const name of ['containerCount', 'objectCount', 'bytesUsed'] as const) {
        expect(`${name} of ${key.slice(1)}`, record[name], total[name]);
        expect(`relaxed ${name} of ${key.slice(1)}`, record.policies?.relaxed?.[name] ?? 0, relaxed[name]);
      }
    }

    const inline = new Set(keysOf('b').map((key) => key.slice(1)));
    const shared = new Map(keysOf('r').map((key) => [key.slice(1), Number(rows.get(key))]));
    const files = new Map<string, number>();
    for (const entry of await readdir(path.join(dataDir, 'blobs'), { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) files.set(entry.name, (await stat(path.join(entry.parentPath, entry.name))).size);
    }
    const blobRows = new Map(keysOf('f').map((key) => [key.slice(1), blobs.decode(rows.get(key) as never)]));
    for (const [bodyId, records] of references) {
      if (blobRows.has(bodyId)) {
        expect(`references of ${bodyId}`, blobRows.get(bodyId)!.references, records.length);
        expect(`the file of ${bodyId}`, files.get(bodyId), records[0]!.sizeBytes);
      } else if (inline.has(bodyId)) {
        expect(`references of ${bodyId}`, shared.get(bodyId), records.length > 1 ? records.length : undefined);
      } else {
        found.push(`the body ${bodyId} is missing`);
      }
    }
    for (const id of [...blobRows.keys(), ...inline, ...shared.keys(), ...files.keys()]) {
      if (!references.has(id)) found.push(`nothing refers to ${id}`);
    }
    for (const key of keysOf('u')) found.push(`${key.slice(1)} is still marked as unsynced`);
    for (const name of await readdir(path.join(dataDir, 'staging'))) found.push(`${name} is left in staging`);
  } finally {
    await level.close();
  }
  return found;
}
