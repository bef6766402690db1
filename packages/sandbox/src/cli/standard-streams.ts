import { fstatSync, writeSync } from 'node:fs';

export const standardFds = { stdin: 0, stdout: 1, stderr: 2 } as const;

const retryMs = 2;
const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** Writes text at once. */
export function writeText(fd: number, text: string): void {
  writeBytes(fd, Buffer.from(text));
}

/**
 * Writes at once. Node's own streams would make pipes and terminals non-blocking, which the guest, who has the same
 * ones as channels, would notice. Bytes for a reader that is gone are dropped.
 */
export function writeBytes(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(fd, bytes, done);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE' || code === 'EBADF') return;
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(sleeper, 0, 0, retryMs);
    }
  }
}

/** Whether somebody left the descriptor open for us. */
export function isOpen(fd: number): boolean {
  try {
    fstatSync(fd);
    return true;
  } catch {
    return false;
  }
}

/** The reason in a system error, in words: `no such file or directory`. */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return /^[A-Z][A-Z0-9]+: ([^,]+)/.exec(message)?.[1] ?? message;
}
