import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rename, stat, unlink } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { ByteSource, Output } from '@zerocloud/sandbox';
import { StorageError } from './errors';
import { InflatedBodies } from './inflated-bodies';
import type { StagedBody } from './storage-node';
import { toStorageError } from './store/write-failure';

export interface StagingOptions {
  /** A fresh path on the file system of the bodies; what lies there is removed at start-up. */
  stagingPath(): string;
  /** Called before bytes are written to such a path; rejects when the disk has no room for them. */
  takeSpace?(sizeBytes: number): Promise<void> | undefined;
  /** Bodies up to this size stay in memory. */
  inlineBytes?: number;
  /** A body that nobody released is dropped after this time: its job is dead. */
  lifetimeMs?: number;
  /** Bytes of inflated images that are kept for later sessions. */
  inflatedBytes?: number;
}

/** A staged body in use; it stays readable until `close`, also when it is released meanwhile. */
export interface OpenStaged {
  readonly source: ByteSource;
  close(): void;
}

interface Entry {
  source: ByteSource;
  users: number;
  released: boolean;
  timer: NodeJS.Timeout;
}

const adoptedLifetimeFactor = 24;

/**
 * Bodies that are no objects: posted archives, scripts, inflated images. They live for one job, in memory when small,
 * else as files beside the stored bodies, so that sessions can be given hard links to them.
 */
export class Staging {
  readonly #entries = new Map<string, Entry>();
  readonly #options: Required<StagingOptions>;
  /** Gzipped images of the store, inflated. */
  readonly inflated: InflatedBodies;

  constructor(options: StagingOptions) {
    this.#options = {
      takeSpace: () => undefined,
      inlineBytes: 64 * 1024,
      lifetimeMs: 3_600_000,
      inflatedBytes: 1024 ** 3,
      ...options,
    };
    this.inflated = new InflatedBodies(this, this.#options.inflatedBytes);
  }

  async stageBody(
    body: AsyncIterable<Uint8Array>,
    { maxBytes, inflate = false }: { maxBytes: number; inflate?: boolean },
  ): Promise<StagedBody> {
    const source = await this.#receive(inflate ? inflated(body) : body, maxBytes);
    const id = this.#keep(source, this.#options.lifetimeMs);
    return { id, sizeBytes: source.kind === 'bytes' ? source.data.byteLength : source.sizeBytes };
  }

  /**
   * Takes over the output of a session, with its file. Its readers may be the last nodes of a long job, so it is dropped
   * later than what came with a request.
   */
  async adopt(body: Output['body']): Promise<string> {
    const lifetimeMs = this.#options.lifetimeMs * adoptedLifetimeFactor;
    if (body.kind === 'bytes') return this.#keep(body, lifetimeMs);
    const path = this.#options.stagingPath();
    await rename(body.path, path);
    const { size } = await stat(path);
    return this.#keep({ kind: 'file', path, sizeBytes: size }, lifetimeMs);
  }

  async releaseBody(id: string): Promise<void> {
    this.#release(id);
  }

  /** Throws `stagedNotFound`. */
  open(id: string): OpenStaged {
    const entry = this.#entries.get(id);
    if (!entry || entry.released) throw new StorageError('stagedNotFound', 'The staged body is gone.');
    entry.users++;
    let closed = false;
    return {
      source: entry.source,
      close: () => {
        if (closed) return;
        closed = true;
        entry.users--;
        this.#removeIfUnused(id, entry);
      },
    };
  }

  /** Forgets everything. Files of sessions that still run are left to the clean-up at start. */
  close(): void {
    for (const id of [...this.#entries.keys()]) this.#release(id);
  }

  #keep(source: ByteSource, lifetimeMs: number): string {
    const id = randomUUID();
    const timer = setTimeout(() => this.#release(id), lifetimeMs);
    timer.unref();
    this.#entries.set(id, { source, users: 0, released: false, timer });
    return id;
  }

  #release(id: string): void {
    const entry = this.#entries.get(id);
    if (!entry || entry.released) return;
    entry.released = true;
    clearTimeout(entry.timer);
    this.#removeIfUnused(id, entry);
  }

  #removeIfUnused(id: string, entry: Entry): void {
    if (!entry.released || entry.users > 0) return;
    this.#entries.delete(id);
    if (entry.source.kind === 'file') removeFile(entry.source.path);
  }

  async #receive(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<ByteSource> {
    let path = '';
    let file: FileHandle | undefined;
    let held: Uint8Array[] = [];
    let sizeBytes = 0;
    try {
      for await (const chunk of body) {
        sizeBytes += chunk.byteLength;
        if (sizeBytes > maxBytes) throw new StorageError('objectTooLarge', 'The body is too large.');
        if (!file && sizeBytes > this.#options.inlineBytes) {
          path = this.#options.stagingPath();
          file = await open(path, 'wx', 0o600).catch(refused);
          for (const piece of held) await file.writeFile(piece).catch(refused);
          held = [];
        }
        if (file) {
          await this.#options.takeSpace(chunk.byteLength);
          await file.writeFile(chunk).catch(refused);
        } else held.push(chunk);
      }
      return file ? { kind: 'file', path, sizeBytes } : { kind: 'bytes', data: Buffer.concat(held) };
    } catch (error) {
      if (file) removeFile(path);
      throw error;
    } finally {
      await file?.close();
    }
  }
}

/** The body gunzipped; damage is `badArchive`, a failing body fails as it is. */
async function* inflated(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip();
  pipeline(body, gunzip, () => {});
  try {
    yield* gunzip;
  } catch (error) {
    if (!(error as NodeJS.ErrnoException).code?.startsWith('Z_')) throw error;
    throw new StorageError('badArchive', 'Failed to inflate gzipped image', { cause: error });
  }
}

/** The disk is full, or there are too many files: nothing that the request can help. */
function refused(error: unknown): never {
  throw toStorageError(error);
}

/** A file that cannot be removed now is removed at the next start. */
function removeFile(path: string): void {
  unlink(path).catch(() => {});
}
