import { chmod, mkdir, readdir, stat } from 'node:fs/promises';
import path from 'node:path';

/** What may lie in a directory in which no store has been made yet: our own empty parts, and what file systems add. */
const harmless = new Set(['db', 'blobs', 'staging', 'slots', 'quarantine', 'lost+found']);

/** Parts for the server's own user alone; a program that broke out of everything else is another one, if root can help it. */
const privateParts = ['db', 'blobs', 'staging', 'quarantine'];

/**
 * Creates the directory, or makes sure that it is ours or empty: the start empties `staging` and removes blobs
 * that no record refers to, which must not happen to the files of somebody else, or to blobs that lost their database.
 * Closes its parts to other users, whatever the umask is.
 */
export async function claimDataDirectory(dataDir: string): Promise<void> {
  await mkdir(dataDir, { recursive: true });
  if (!(await isDatabase(path.join(dataDir, 'db')))) await refuseForeign(dataDir);
  for (const part of privateParts) await makePrivate(path.join(dataDir, part));
}

async function makePrivate(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  // Somebody else's directory, which this user may write to, is for that one to close.
  if ((await stat(directory)).uid === process.geteuid?.()) await chmod(directory, 0o700);
}

async function refuseForeign(dataDir: string): Promise<void> {
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
