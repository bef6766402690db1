import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { LevelStore } from '@zerocloud/object-server/store/level/level-store';
import type { ObjectEntry } from '@zerocloud/object-server/store/object-store';
import { killAgainAndAgain } from '../support/killed-writer';
import { blobIds, md5OfBody } from '../support/stored-bodies';

const rounds = 20;
const home = { account: 'AUTH_test', container: 'c' };

/** Name → etag, or null if there is no such object. */
type State = Map<string, string | null>;

/** `store-writer.cjs` says what its lines mean. */
type Line = ['begin' | 'done', name: string, etag: string | null];

/** What the journal promises, on top of what was there before. */
function replay(journal: Line[], acknowledged: State): State {
  const unfinished: State = new Map();
  for (const [event, name, etag] of journal) {
    if (event === 'begin') {
      unfinished.set(name, etag);
    } else {
      unfinished.delete(name);
      acknowledged.set(name, etag);
    }
  }
  return unfinished;
}

async function readEtag(store: LevelStore, object: string): Promise<string> {
  const opened = (await store.openObject({ ...home, object }))!;
  const etag = await md5OfBody(opened);
  opened.close();
  return etag;
}

/** Compares the store with the promises and itself; returns what is there. */
async function check(store: LevelStore, dataDir: string, acknowledged: State, unfinished: State): Promise<State> {
  const listed = (await store.listObjects(home, { limit: 10_000 })) as ObjectEntry[];
  const found: State = new Map();
  const referred = new Set<string>();
  for (const { name, etag, sizeBytes } of listed) {
    found.set(name, etag);
    const record = (await store.findObject({ ...home, object: name }))!;
    expect({ name, etag: record.etag, read: await readEtag(store, name) }).toEqual({ name, etag, read: etag });
    if (sizeBytes > 65_536) referred.add(record.bodyId);
  }
  for (const name of new Set([...acknowledged.keys(), ...unfinished.keys(), ...found.keys()])) {
    const allowed = [acknowledged.get(name) ?? null];
    if (unfinished.has(name)) allowed.push(unfinished.get(name)!);
    expect({ name, allowed }).toEqual({ name, allowed: expect.arrayContaining([found.get(name) ?? null]) });
  }
  const bytesUsed = listed.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  expect(await store.findContainer(home)).toMatchObject({ objectCount: listed.length, bytesUsed });
  expect(await store.findAccount(home.account)).toMatchObject({
    containerCount: 1,
    objectCount: listed.length,
    bytesUsed,
  });
  await store.maintenance.runNow('orphanSweep');
  expect(await blobIds(dataDir)).toEqual([...referred].sort());
  expect(await readdir(path.join(dataDir, 'staging'))).toEqual([]);
  return found;
}

test(`a store killed ${rounds} times while it is written to keeps all it acknowledged`, async () => {
  let acknowledged: State = new Map();
  const writer = path.join(__dirname, 'store-writer.cjs');
  await killAgainAndAgain<Line>(writer, rounds, async ({ store, dataDir, journal }) => {
    const unfinished = replay(journal, acknowledged);
    acknowledged = await check(store, dataDir, acknowledged, unfinished);
  });
}, 120_000);
