import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type LevelStore, openLevelStore } from '@zerocloud/object-server/store/level/level-store';
import {
  isDeleteMarker,
  type ObjectEntry,
  type ObjectPath,
  type VersionEntry,
} from '@zerocloud/object-server/store/object-store';
import { findContradictions } from '../unit/object-server/store/consistency';

const rounds = 10;
const account = 'AUTH_test';

/** Of each `container/name`, newest first: etags of what was stored, `deleted` for a delete marker. */
type Histories = Map<string, string[]>;

async function writeAndKill(dataDir: string, journal: string): Promise<void> {
  await writeFile(journal, '');
  const args = [path.join(__dirname, 'versions-writer.cjs'), dataDir, journal];
  const writer = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  writer.stderr.setEncoding('utf8').on('data', (chunk) => {
    errors += chunk;
  });
  const exited = once(writer, 'exit');
  const deadline = Date.now() + 20_000;
  while ((await stat(journal)).size === 0 && writer.exitCode === null && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 300));
  writer.kill('SIGKILL');
  const [code, signal] = await exited;
  expect({ code, signal, errors }).toEqual({ code: null, signal: 'SIGKILL', errors: '' });
}

/** What a write makes of a history, by what the container keeps. */
function after(container: string, history: string[], etag: string | null): string[] {
  if (container === 'relaxed') return etag === null ? [] : [etag];
  if (etag !== null) return [etag, ...history];
  return container === 'stack' ? history.slice(1) : ['deleted', ...history];
}

/** Lays the journal over what was there; resolves with what may have happened besides. */
async function replay(journal: string, histories: Histories): Promise<Histories> {
  const unfinished: Histories = new Map();
  const text = await readFile(journal, 'utf8');
  for (const line of text.slice(0, text.lastIndexOf('\n') + 1).split('\n')) {
    if (line === '') continue;
    const [event, container, name, etag] = JSON.parse(line) as ['begin' | 'done', string, string, string | null];
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
  const hash = createHash('md5');
  const body = await opened.read();
  for await (const chunk of ArrayBuffer.isView(body) ? [body] : body) hash.update(chunk as Buffer);
  opened.close();
  expect(hash.digest('hex')).toBe(opened.record.etag);
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
  const files = await readdir(path.join(dataDir, 'blobs'), { recursive: true, withFileTypes: true });
  const names = files.filter((file) => file.isFile()).map((file) => file.name);
  expect(names.sort()).toEqual([...referred].sort());
}

test(`versions are neither lost nor doubled by a store that is killed ${rounds} times`, async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'zerocloud-kill-versions-'));
  const dataDir = path.join(directory, 'data');
  const journal = path.join(directory, 'journal');
  let histories: Histories = new Map();
  let acknowledgedCount = 0;
  try {
    for (let round = 0; round < rounds; round++) {
      await writeAndKill(dataDir, journal);
      const unfinished = await replay(journal, histories);
      acknowledgedCount += (await readFile(journal, 'utf8')).split('"done"').length - 1;
      const store = await openLevelStore({ dataDir });
      try {
        const found = await readHistories(store);
        for (const key of new Set([...histories.keys(), ...unfinished.keys(), ...found.keys()])) {
          const allowed = [histories.get(key) ?? []];
          if (unfinished.has(key)) allowed.push(unfinished.get(key)!);
          expect({ key, allowed }).toEqual({ key, allowed: expect.arrayContaining([found.get(key) ?? []]) });
        }
        await checkCounters(store);
        await checkBlobs(store, dataDir);
        histories = found;
      } finally {
        await store.close();
      }
      expect(await findContradictions(dataDir)).toEqual([]);
    }
  } finally {
    await rm(directory, { recursive: true });
  }
  // Otherwise the writers never got to work, and nothing was tested.
  expect(acknowledgedCount).toBeGreaterThan(rounds * 10);
}, 120_000);
