import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';

/** A place in the spool. */
export interface Spooled {
  offset: number;
  sizeBytes: number;
}

/** An unnamed temporary file for outputs that are too many to hold until the last node has ended. */
export class Spool {
  #file?: Promise<FileHandle>;
  #end = 0;
  #tail: Promise<unknown> = Promise.resolve();

  /** Appends the bytes; calls may overlap. */
  append(body: Buffer | Readable): Promise<Spooled> {
    const written = this.#tail.then(() => this.#write(body));
    this.#tail = written.catch(() => {});
    return written;
  }

  async *read({ offset, sizeBytes }: Spooled): AsyncGenerator<Buffer> {
    const file = await this.#open();
    for (let at = 0; at < sizeBytes; ) {
      const chunk = Buffer.allocUnsafe(Math.min(64 * 1024, sizeBytes - at));
      const { bytesRead } = await file.read(chunk, 0, chunk.length, offset + at);
      if (bytesRead === 0) throw new Error('the spool of a job is shorter than it was');
      yield chunk.subarray(0, bytesRead);
      at += bytesRead;
    }
  }

  async close(): Promise<void> {
    await this.#tail;
    await (await this.#file)?.close();
  }

  async #write(body: Buffer | Readable): Promise<Spooled> {
    const file = await this.#open();
    const offset = this.#end;
    for await (const chunk of Buffer.isBuffer(body) ? [body] : body) {
      for (let at = 0; at < chunk.length; ) {
        const { bytesWritten } = await file.write(chunk, at, chunk.length - at, this.#end);
        at += bytesWritten;
        this.#end += bytesWritten;
      }
    }
    return { offset, sizeBytes: this.#end - offset };
  }

  #open(): Promise<FileHandle> {
    this.#file ??= openUnnamed();
    return this.#file;
  }
}

/** Its name is gone at once, so that nothing remains whatever happens to this process. */
async function openUnnamed(): Promise<FileHandle> {
  const directory = await mkdtemp(path.join(tmpdir(), 'zerocloud-job-'));
  try {
    return await open(path.join(directory, 'outputs'), 'wx+', 0o600);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
