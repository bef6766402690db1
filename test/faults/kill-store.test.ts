import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type LevelStore, openLevelStore } from '@zerocloud/object-server/store/level/level-store';
import type { ObjectEntry } from '@zerocloud/object-server/store/object-store';
import { findContradictions } from '../unit/object-server/store/consistency';

const rounds = 20;
const home = { account: 'AUTH_test', container: 'c' };

/** Name → etag, or null if there is no such object. */
type State = Map<string, string | null>;

/** Kills the writer at a random moment after it has begun to work. */
async function writeAndKill(dataDir: string, journal: string, round: number): Promise<void> {
  await writeFile(journal, '');
  const writer = spawn(process.execPath, [path.join(__dirname, 'store-writer.cjs'), dataDir, journal, String(round)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const errors = collect(writer);
  const exited = once(writer, 'exit');
  await untilWritten(writer, journal);
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 300));
  writer.kill('SIGKILL');
  const [code, signal] = await exited;
  expect({ code, signal, errors: errors() }).toEqual({ code: null, signal: 'SIGKILL', errors: '' });
}

function collect(writer: ChildProcess): () => string {
  let text = '';
  writer.stderr!.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
  });
  return () => text;
}

async function untilWritten(writer: ChildProcess, journal: string): Promise<void> {
  const deadline = Date.now() + 20_000;
  while ((await stat(journal)).size === 0 && writer.exitCode === null && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** What the journal promises, on top of what was there before. */
async function replay(journal: string, acknowledged: State): Promise<State> {
  const unfinished: State = new Map();
  const text = await readFile(journal, 'utf8');
  for (const line of text.slice(0, text.lastIndexOf('\n') + 1).split('\n')) {
    if (line === '') continue;
    const [event, name, etag] = JSON.parse(line) as ['begin' | 'done', string, string | null];
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
  const hash = createHash('md5');
  const body = await opened.read();
  for await (const chunk of ArrayBuffer.isView(body) ? [body] : body) hash.update(chunk as Buffer);
  opened.close();
  return hash.digest('hex');
}

/** Compares the store with the promises and itself; returns what is there. */
async function check(store: LevelStore, dataDir: string, acknowledged: State, unfinished: State): Promise<State> {
  const listed = (await store.listObjects(home, { limit: 10_000 })) as ObjectEntry[];
  const found: State = new Map();
  const blobIds = new Set<string>();
  for (const { name, etag, sizeBytes } of listed) {
    found.set(name, etag);
    const record = (await store.findObject({ ...home, object: name }))!;
    expect({ name, etag: record.etag, read: await readEtag(store, name) }).toEqual({ name, etag, read: etag });
    if (sizeBytes > 65_536) blobIds.add(record.bodyId);
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
  const files = await readdir(path.join(dataDir, 'blobs'), { recursive: true, withFileTypes: true });
  expect(
    files
      .filter((file) => file.isFile())
      .map((file) => file.name)
      .sort(),
  ).toEqual([...blobIds].sort());
  expect(await readdir(path.join(dataDir, 'staging'))).toEqual([]);
  return found;
}

test(`a store killed ${rounds} times while it is written to keeps all it acknowledged`, async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'zerocloud-kill-'));
  const dataDir = path.join(directory, 'data');
  const journal = path.join(directory, 'journal');
  let acknowledged: State = new Map();
  let acknowledgedCount = 0;
  try {
    for (let round = 0; round < rounds; round++) {
      await writeAndKill(dataDir, journal, round);
      const unfinished = await replay(journal, acknowledged);
      acknowledgedCount += (await readFile(journal, 'utf8')).split('"done"').length - 1;
      const store = await openLevelStore({ dataDir });
      try {
        acknowledged = await check(store, dataDir, acknowledged, unfinished);
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
