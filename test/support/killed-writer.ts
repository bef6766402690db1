import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { type LevelStore, openLevelStore } from '@zerocloud/object-server/store/level/level-store';
import { findContradictions } from './consistency';
import { until } from './until';

/** A line that a writer appended to its journal: what it is about to do, or what it was told is done. */
type JournalLine = [event: 'begin' | 'done', ...what: unknown[]];

/** What a killed writer left: its store, opened again, and what it was promised. */
interface LeftBehind<Line extends JournalLine> {
  store: LevelStore;
  dataDir: string;
  journal: Line[];
}

/**
 * Starts `node <script> <dataDir> <journal> <round>` and kills it at a random moment after it has begun to work, again and
 * again on one data directory. Each time `look` compares what is there with the journal, and then the rows of the closed
 * store are compared with each other.
 */
export async function killAgainAndAgain<Line extends JournalLine>(
  script: string,
  rounds: number,
  look: (left: LeftBehind<Line>) => Promise<void>,
): Promise<void> {
  const directory = await mkdtemp(path.join(os.tmpdir(), 'zerocloud-kill-'));
  const dataDir = path.join(directory, 'data');
  const journalFile = path.join(directory, 'journal');
  let acknowledgedCount = 0;
  try {
    for (let round = 0; round < rounds; round++) {
      await writeAndKill(script, dataDir, journalFile, round);
      const journal = await readJournal<Line>(journalFile);
      acknowledgedCount += journal.filter(([event]) => event === 'done').length;
      const store = await openLevelStore({ dataDir });
      try {
        await look({ store, dataDir, journal });
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
}

async function writeAndKill(script: string, dataDir: string, journal: string, round: number): Promise<void> {
  await writeFile(journal, '');
  const writer = spawn(process.execPath, [script, dataDir, journal, String(round)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  writer.stderr.setEncoding('utf8').on('data', (chunk) => {
    errors += chunk;
  });
  const exited = once(writer, 'exit');
  const hasBegun = async () => (await stat(journal)).size > 0 || writer.exitCode !== null;
  try {
    await until('the writer begins', hasBegun, 20_000);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 300));
  } finally {
    writer.kill('SIGKILL');
  }
  const [code, signal] = await exited;
  expect({ code, signal, errors }).toEqual({ code: null, signal: 'SIGKILL', errors: '' });
}

/** Whole lines only: the last one may have been cut by the kill. */
async function readJournal<Line extends JournalLine>(file: string): Promise<Line[]> {
  const lines = (await readFile(file, 'utf8')).split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Line);
}
