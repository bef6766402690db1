import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { syncFile } from './sync-file';

/**
 * Syncs the logs of a LevelDB that is open. LevelDB itself syncs only the one that it writes to: what was written to the one
 * before without being synced is durable no sooner than its table, and what was written and synced later may be durable before.
 */
export async function syncLogs(directory: string): Promise<void> {
  const names = await readdir(directory);
  const logs = names.filter((name) => /^\d+\.log$/.test(name));
  // The rows of one that has gone meanwhile are in a table, which LevelDB syncs.
  await Promise.all(logs.map((name) => syncFile(path.join(directory, name))));
}
