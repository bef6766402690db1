import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';

/** Chunks are gathered to writes of this size; at most two are under way, so an upload holds about 3 MiB. */
const writeBytes = 1024 * 1024;
const maxWrites = 2;

/** A file being written front to back with a running md5. Either `finish` or `discard` ends it. */
export class StagedFile {
  readonly path: string;
  readonly #handle: FileHandle;
  readonly #hash: Hash = createHash('md5');
  #sizeBytes = 0;
  #gathered: Uint8Array[] = [];
  #gatheredBytes = 0;
  #writtenTo = 0;
  readonly #writes: Promise<void>[] = [];

  private constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.#handle = handle;
  }

  static async create(path: string): Promise<StagedFile> {
    return new StagedFile(path, await open(path, 'wx', 0o600));
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Takes the chunk over. A returned promise is back-pressure: wait for it before the next chunk. */
  append(chunk: Uint8Array): Promise<void> | undefined {
    this.#hash.update(chunk);
    this.#sizeBytes += chunk.byteLength;
    this.#gathered.push(chunk);
    this.#gatheredBytes += chunk.byteLength;
    return this.#gatheredBytes < writeBytes ? undefined : this.#flush();
  }

  /** Resolves with the md5 when everything is on disk. */
  async finish(options: { sync: boolean }): Promise<string> {
    await this.#flush();
    await Promise.all(this.#writes);
    if (options.sync) await this.#handle.sync();
    await this.#handle.close();
    return this.#hash.digest('hex');
  }

  /** Removes the file; also after a failed `finish`. */
  async discard(): Promise<void> {
    await Promise.allSettled(this.#writes);
    await this.#handle.close().catch(() => {});
    await unlink(this.path).catch(() => {});
  }

  async #flush(): Promise<void> {
    const buffers = this.#gathered;
    const position = this.#writtenTo;
    this.#gathered = [];
    this.#writtenTo += this.#gatheredBytes;
    this.#gatheredBytes = 0;
    const write = this.#write(buffers, position);
    // Its failure is seen by whoever waits for it next; until then it must not count as unhandled.
    write.catch(() => {});
    this.#writes.push(write);
    if (this.#writes.length >= maxWrites) await this.#writes.shift();
  }

  async #write(buffers: Uint8Array[], start: number): Promise<void> {
    let position = start;
    let rest = buffers;
    while (rest.length > 0) {
      // writev takes at most IOV_MAX buffers and may write less than asked.
      const { bytesWritten } = await this.#handle.writev(rest.slice(0, 1024), position);
      position += bytesWritten;
      rest = behind(rest, bytesWritten);
    }
  }
}

function behind(buffers: Uint8Array[], writtenBytes: number): Uint8Array[] {
  let left = writtenBytes;
  let index = 0;
  while (index < buffers.length && buffers[index]!.byteLength <= left) left -= buffers[index++]!.byteLength;
  const rest = buffers.slice(index);
  if (left > 0) rest[0] = rest[0]!.subarray(left);
  return rest;
}
