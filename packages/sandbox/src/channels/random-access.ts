import { readSync } from 'node:fs';

/** Bytes of known length that can be read at any position. */
export interface RandomAccess {
  readonly sizeBytes: number;
  /** Fills `target` from `offset`, at most `length` bytes from `position`; fewer only at the end. Returns how many. */
  readAt(target: Uint8Array, offset: number, length: number, position: number): number;
}

/** One system call takes at most this much, so that a worker in the middle of gigabytes can still be ended. */
export const maxTransferBytes = 64 * 1024 * 1024;

export class BytesAccess implements RandomAccess {
  readonly sizeBytes: number;

  constructor(private readonly data: Uint8Array) {
    this.sizeBytes = data.byteLength;
  }

  readAt(target: Uint8Array, offset: number, length: number, position: number): number {
    const count = Math.min(length, this.sizeBytes - position);
    if (count <= 0) return 0;
    target.set(this.data.subarray(position, position + count), offset);
    return count;
  }
}

/** A file descriptor that somebody else opened and closes. */
export class FdAccess implements RandomAccess {
  constructor(
    readonly fd: number,
    readonly sizeBytes: number,
  ) {}

  readAt(target: Uint8Array, offset: number, length: number, position: number): number {
    return readFully(this.fd, target, offset, Math.min(length, this.sizeBytes - position), position);
  }
}

/** pread(2) until `length` bytes or the end of the file. */
export function readFully(fd: number, target: Uint8Array, offset: number, length: number, position: number): number {
  let done = 0;
  while (done < length) {
    const count = readSync(fd, target, offset + done, Math.min(length - done, maxTransferBytes), position + done);
    if (count === 0) break;
    done += count;
  }
  return done;
}
