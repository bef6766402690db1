import path from 'node:path';
import type { LevelStore } from '@zerocloud/object-server/store/level/level-store';
import {
  isDeleteMarker,
  type ObjectEntry,
  type ObjectPath,
  type VersionEntry,
} from '@zerocloud/object-server/store/object-store';
import { killAgainAndAgain } from '../support/killed-writer';
import { blobIds, md5OfBody } from '../support/stored-bodies';

const rounds = 10;
const account = 'AUTH_test';

/** Of each `container/name`, newest first: etags of what was stored, `deleted` for a delete marker. */
type Histories = Map<string, string[]>;

/** `versions-writer.cjs` says what its lines mean. */
type Line = ['begin' | 'done', container: string, name: string, etag: string | null];

/** What a write makes of a history, by what the container keeps. */
function after(container: string, history: string[], etag: string | null): string[] {
  if (container === 'relaxed') return etag === null ? [] : [etag];
  if (etag !== null) return [etag, ...history];
  return container === 'stack' ? history.slice(1) : ['deleted', ...history];
}

/** Lays the journal over what was there; returns what may have happened besides. */
function replay(journal: Line[], histories: Histories): Histories {
  const unfinished: Histories = new Map();
  for (const [event, container, name, etag] of journal) {
    const key = `${container}/${name}`;
    if (event === 'begin') {
      unfinished.set(key, after(container, histories.get(key) ?? [], etag));
    } else {
      histories.set(key, unfinished.get(key)!);
      unfinished.delete(key);
    }
  }
  return unfinished;
}

async function readEtag(store: LevelStore, at: ObjectPath): Promise<string> {
  const opened = (await store.openObject(at))!;
  expect(await md5OfBody(opened)).toBe(opened.record.etag);
  opened.close();
  return isDeleteMarker(opened.record) ? 'deleted' : opened.record.etag;
}

/** Everything that is there, read to its last byte. */
async function readHistories(store: LevelStore): Promise<Histories> {
  const found: Histories = new Map();
  const add = (key: string, etags: string[]) => found.set(key, [...(found.get(key) ?? []), ...etags]);
  for (const container of ['stack', 'history', 'relaxed']) {
    for (const { name } of (await store.listObjects({ account, container }, { limit: 100 })) as ObjectEntry[]) {
      add(`${container}/${name}`, [await readEtag(store, { account, container, object: name })]);
    }
  }
  for (const container of ['stack', 'history']) {
    const archive = { account, container: `old-${container}` };
    const rows = (await store.listObjects(archive, { limit: 10_000, reverse: true })) as ObjectEntry[];
    for (const { name: object } of rows) {
      add(`${container}/${object.slice(3, object.indexOf('/'))}`, [await readEtag(store, { ...archive, object })]);
    }
  }
  const versioned = { account, container: 'versioned' };
  for (const { name, versionId } of (await store.listVersions(versioned, { limit: 10_000 })) as VersionEntry[]) {
    add(`versioned/${name}`, [await readEtag(store, { ...versioned, object: name, versionId })]);
  }
  return found;
}

async function checkCounters(store: LevelStore): Promise<void> {
  let objectCount = 0;
  let bytesUsed = 0;
  for (const container of ['stack', 'history', 'relaxed', 'old-stack', 'old-history', 'versioned']) {
    const record = (await store.findContainer({ account, container }))!;
    const current = (await store.listObjects({ account, container }, { limit: 10_000 })) as ObjectEntry[];
    const all = (await store.listVersions({ account, container }, { limit: 10_000 })) as VersionEntry[];
    const bytes = all.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    expect({ container, ...record }).toMatchObject({ container, objectCount: current.length, bytesUsed: bytes });
    expect(record.versionCount ?? 0).toBe(all.length - current.length);
    objectCount += all.length;
    bytesUsed += bytes;
  }
  expect(await store.findAccount(account)).toMatchObject({ containerCount: 6, objectCount, bytesUsed });
}

async function checkBlobs(store: LevelStore, dataDir: string): Promise<void> {
  const referred = new Set<string>();
  for (const container of ['stack', 'history', 'relaxed', 'old-stack', 'old-history', 'versioned']) {
    for (const entry of (await store.listVersions({ account, container }, { limit: 10_000 })) as VersionEntry[]) {
      if (entry.sizeBytes <= 65_536) continue;
      const { versionId } = entry;
      referred.add((await store.findObject({ account, container, object: entry.name, versionId }))!.bodyId);
    }
  }
  await store.maintenance.runNow('orphanSweep');
  expect(await blobIds(dataDir)).toEqual([...referred].sort());
}

test(`versions are neither lost nor doubled by a store that is killed ${rounds} times`, async () => {
  let histories: Histories = new Map();
  const writer = path.join(__dirname, 'versions-writer.cjs');
  await killAgainAndAgain<Line>(writer, rounds, async ({ store, dataDir, journal }) => {
    const unfinished = replay(journal, histories);
    const found = await readHistories(store);
    for (const key of new Set([...histories.keys(), ...unfinished.keys(), ...found.keys()])) {
      const allowed = [histories.get(key) ?? []];
      if (unfinished.has(key)) allowed.push(unfinished.get(key)!);
      expect({ key, allowed }).toEqual({ key, allowed: expect.arrayContaining([found.get(key) ?? []]) });
    }
    await checkCounters(store);
    await checkBlobs(store, dataDir);
    histories = found;
  });
}, 120_000);
