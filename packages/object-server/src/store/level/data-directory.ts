import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';

/** What may lie in a directory in which no store has been made yet: our own empty parts, and what file systems add. */
const harmless = new Set(['db', 'blobs', 'staging', 'slots', 'quarantine', 'lost+found']);

/**
 * Creates the directory, or makes sure that it is ours or empty: the start empties `staging` and removes blobs
 * that no record refers to, which must not happen to the files of somebody else, or to blobs that lost their database.
 */
export async function claimDataDirectory(dataDir: string): Promise<void> {
  await mkdir(dataDir, { recursive: true });
  if (await isDatabase(path.join(dataDir, 'db'))) return;
  const foreign = (await readdir(dataDir)).find((name) => !harmless.has(name) && !name.startsWith('.'));
  if (foreign !== undefined) {
    throw new Error(`The data directory ${dataDir} is not empty and holds no Zerocloud store (found ${foreign}).`);
  }
  for (const part of ['blobs', 'staging']) {
    if (await holdsFiles(path.join(dataDir, part))) {
      throw new Error(`The data directory ${dataDir} has files in ${part} but no database; restore db from a backup.`);
    }
  }
}

/** Whether LevelDB has ever opened this directory. */
async function isDatabase(directory: string): Promise<boolean> {
  return (await entries(directory)).some(({ name }) => name === 'CURRENT');
}

async function holdsFiles(directory: string): Promise<boolean> {
  for (const entry of await entries(directory)) {
    if (!entry.isDirectory() || (await holdsFiles(path.join(directory, entry.name)))) return true;
  }
  return false;
}

async function entries(directory: string) {
  return readdir(directory, { withFileTypes: true }).catch((error) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
}
