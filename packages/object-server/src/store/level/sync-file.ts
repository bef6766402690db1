import { open } from 'node:fs/promises';

/** Makes a file, or the entries of a directory, durable; false if it is not there any more. */
export async function syncFile(file: string): Promise<boolean> {
  try {
    const handle = await open(file, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
