import { fork } from 'node:child_process';
import { chmod, mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { maxSnapshotMs } from '../limits';
import type { SystemImage } from '../session';
import type { SnapshotReference } from './snapshot-files';

export interface MakerSetup {
  directory: string;
  images: SystemImage[];
}

export type MakerResult = { image: string; program: string } & (
  | { elapsedMs: number; reference: SnapshotReference }
  | { problem: string }
);

type Log = (event: Record<string, unknown>, message: string) => void;

/**
 * Starts each interpreter of the images once and leaves copies in `directory`, made by a process of its own. An image that
 * cannot be copied is logged and works without; its sessions start the interpreter anew.
 */
export async function makeSnapshots(
  directory: string,
  images: readonly SystemImage[],
  log?: Log,
): Promise<SnapshotReference[]> {
  if (!images.some(({ snapshots }) => snapshots)) return [];
  await mkdir(directory, { recursive: true });
  await chmod(directory, 0o755);
  const results = await runMaker({ directory, images: [...images] }).catch((error: Error) => error);
  if (!Array.isArray(results)) {
    log?.({ problem: results.message }, 'no snapshots could be made; interpreters start anew in each session');
    return [];
  }
  const references: SnapshotReference[] = [];
  for (const result of results) {
    if ('reference' in result) references.push(result.reference);
    else log?.({ ...result }, 'a snapshot could not be made; the interpreter starts anew in each session');
  }
  return references;
}

/** Files that an executor reads. */
export function snapshotFiles(references: readonly SnapshotReference[]): string[] {
  return [...new Set(references.map(({ file }) => path.dirname(file)))];
}

export async function removeSnapshots(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
}

function runMaker(setup: MakerSetup): Promise<MakerResult[]> {
  return new Promise((resolve, reject) => {
    const maker = fork(path.join(__dirname, 'maker.js'), [JSON.stringify(setup)], {
      env: {},
      execArgv: ['--v8-pool-size=1'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let results: MakerResult[] | undefined;
    let stderr = '';
    const watch = setTimeout(() => maker.kill('SIGKILL'), maxSnapshotMs);
    maker.stderr!.on('data', (chunk: Buffer) => {
      stderr = (stderr + chunk.toString('latin1')).slice(-2000);
    });
    maker.once('message', (message) => {
      results = message as MakerResult[];
      // Nothing in it needs to end in order, and its compile threads are slow to.
      maker.kill('SIGKILL');
    });
    maker.once('error', reject);
    maker.once('close', (code, signal) => {
      clearTimeout(watch);
      if (results) resolve(results);
      else reject(new Error(`the process that makes snapshots ended with ${signal ?? code}: ${stderr}`));
    });
  });
}
