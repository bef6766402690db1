import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, unlink } from 'node:fs/promises';
import path from 'node:path';
import { syncFile } from './sync-file';

/** Bodies up to this size live in the database, larger ones are files. */
export const maxInlineBytes = 64 * 1024;

/** Ids of blobs start with this, so that a record says where its body is. */
const blobMark = 'b';

export const isBlobId = (bodyId: string): boolean => bodyId.startsWith(blobMark);

interface Pin {
  count: number;
  doomed: boolean;
}

/**
 * The immutable files that hold large bodies: `blobs/<xx>/<id>`, where a file appears only whole and synced, by
 * rename from `staging/`. A pinned blob keeps its file until the last pin goes, even if its last object is deleted.
 */
export class BlobFiles {
  readonly stagingDir: string;
  readonly #blobsDir: string;
  readonly #quarantineDir: string;
  readonly #sync: boolean;
  readonly #pins = new Map<string, Pin>();
  /** Published, but the transaction that refers to it has not ended. */
  readonly #uncommitted = new Set<string>();
  /** Nothing refers to them any more, which a crash could still undo. */
  readonly #released = new Set<string>();
  readonly #removals = new Set<Promise<void>>();
  readonly #onError: (error: unknown) => void;

  constructor(dataDir: string, options: { sync: boolean; onError: (error: unknown) => void }) {
    this.stagingDir = path.join(dataDir, 'staging');
    this.#blobsDir = path.join(dataDir, 'blobs');
    this.#quarantineDir = path.join(dataDir, 'quarantine');
    this.#sync = options.sync;
    this.#onError = options.onError;
  }

  /** Makes the directories and empties the staging area: what lies there belongs to nobody after a restart. */
  async prepare(): Promise<void> {
    await rm(this.stagingDir, { recursive: true, force: true });
    await mkdir(this.stagingDir, { recursive: true, mode: 0o700 });
    await mkdir(this.#quarantineDir, { recursive: true });
    for (const fan of fanOut()) await mkdir(path.join(this.#blobsDir, fan), { recursive: true });
    await this.#checkFileSystem();
    await this.#syncDirectory(this.#blobsDir);
    await this.#syncDirectory(path.dirname(this.#blobsDir));
  }

  /** A fresh name in the staging area, on the file system of the blobs. */
  stagingPath(): string {
    return path.join(this.stagingDir, randomBytes(16).toString('hex'));
  }

  pathOf(bodyId: string): string {
    return path.join(this.#blobsDir, bodyId.slice(1, 3), bodyId);
  }

  /** Moves a finished file among the blobs and returns its id. It must be `settle`d once its transaction has ended. */
  async publish(stagedPath: string, options: { sync: boolean }): Promise<string> {
    const bodyId = blobMark + randomBytes(16).toString('hex');
    const target = this.pathOf(bodyId);
    this.#uncommitted.add(bodyId);
    try {
      await rename(stagedPath, target);
      if (options.sync) await this.#syncDirectory(path.dirname(target));
    } catch (error) {
      this.settle(bodyId, false);
      throw error;
    }
    return bodyId;
  }

  /** Syncs blobs that were published without, and their directories. One that is gone is nobody's any more. */
  async sync(bodyIds: Iterable<string>): Promise<void> {
    const directories = new Set<string>();
    for (const bodyId of bodyIds) {
      const file = this.pathOf(bodyId);
      if (this.#sync && (await syncFile(file))) directories.add(path.dirname(file));
    }
    for (const directory of directories) await this.#syncDirectory(directory);
  }

  /** Ends what `publish` began: the blob stays if something refers to it, else its file goes. */
  settle(bodyId: string, isReferenced: boolean): void {
    this.#uncommitted.delete(bodyId);
    if (!isReferenced) this.remove(bodyId);
  }

  /** Whether a running upload or reader, or a state before a crash, needs the file, whatever the database says. */
  isInUse(bodyId: string): boolean {
    return this.#uncommitted.has(bodyId) || this.#released.has(bodyId) || this.#pins.has(bodyId);
  }

  /** Nothing refers to the file any more; it is to be `remove`d when that is durable. */
  release(bodyId: string): void {
    this.#released.add(bodyId);
  }

  /** Keeps the file from being removed until the returned function is called. */
  pin(bodyId: string): () => void {
    const pin = this.#pins.get(bodyId) ?? { count: 0, doomed: false };
    this.#pins.set(bodyId, pin);
    pin.count++;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      pin.count--;
      if (pin.count > 0) return;
      this.#pins.delete(bodyId);
      if (pin.doomed) this.remove(bodyId);
    };
  }

  /** Removes the file, now or with the last pin. Failures are logged; the orphan sweep tries again. */
  remove(bodyId: string): void {
    this.#released.delete(bodyId);
    const pin = this.#pins.get(bodyId);
    if (pin) {
      pin.doomed = true;
      return;
    }
    const removal = unlink(this.pathOf(bodyId))
      .catch((error) => {
        if (error.code !== 'ENOENT') this.#onError(error);
      })
      .finally(() => this.#removals.delete(removal));
    this.#removals.add(removal);
  }

  /** Moves a damaged file aside. */
  async quarantine(bodyId: string): Promise<void> {
    await rename(this.pathOf(bodyId), path.join(this.#quarantineDir, bodyId)).catch((error) => {
      if (error.code !== 'ENOENT') throw error;
    });
  }

  /** Ids of all files there are, one directory at a time. */
  async *list(): AsyncGenerator<string[]> {
    for (const fan of fanOut()) yield await readdir(path.join(this.#blobsDir, fan));
  }

  /** Resolves when the removals under way have ended. */
  async removalsDone(): Promise<void> {
    await Promise.all(this.#removals);
  }

  /** Bodies are moved from staging to blobs, and linked from blobs, which works within one file system only. */
  async #checkFileSystem(): Promise<void> {
    const [staging, blobs] = await Promise.all([stat(this.stagingDir), stat(this.#blobsDir)]);
    if (staging.dev !== blobs.dev) {
      throw new Error(`${this.stagingDir} and ${this.#blobsDir} must be on one file system.`);
    }
  }

  async #syncDirectory(directory: string): Promise<void> {
    if (this.#sync) await syncFile(directory);
  }
}

function fanOut(): string[] {
  return Array.from({ length: 256 }, (_, index) => index.toString(16).padStart(2, '0'));
}
