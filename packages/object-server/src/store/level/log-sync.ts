import { open, readdir } from 'node:fs/promises';
import path from 'node:path';

/**
 * Syncs the logs of a LevelDB that is open. LevelDB itself syncs only the one that it writes to: what was written to the one
 * before without being synced is durable no sooner than its table, and what was written and synced later may be durable before.
 */
export async function syncLogs(directory: string): Promise<void> {
  const names = await readdir(directory);
  await Promise.all(names.filter((name) => /^\d+\.log$/.test(name)).map((name) => syncLog(path.join(directory, name))));
}

async function syncLog(file: string): Promise<void> {
  try {
    const handle = await open(file, 'r');
    try {
      await handle.datasync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    // Its rows are in a table by now, which LevelDB syncs.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
