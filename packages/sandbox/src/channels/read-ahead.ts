import { type RandomAccess, readFully } from './random-access';

/** From this size a read goes straight from the file into guest memory: one copy, no buffer. */
const directBytes = 64 * 1024;
const windowBytes = 128 * 1024;

/**
 * A file read mostly forwards. A system call costs about 2 µs, which dominates reads of a few KiB; so reads that
 * continue where the last one ended are served from a window that is filled 128 KiB at a time. Scattered small reads
 * pay for what they ask and no more.
 */
export class ReadAheadFile implements RandomAccess {
  private window: Uint8Array | undefined;
  private windowStart = 0;
  private windowEnd = 0;
  /** Where the next read starts if the guest reads forwards. */
  private expectedPosition = 0;

  constructor(
    readonly fd: number,
    readonly sizeBytes: number,
  ) {}

  readAt(target: Uint8Array, offset: number, length: number, position: number): number {
    const wanted = Math.min(length, this.sizeBytes - position);
    if (wanted <= 0) return 0;
    const forwards = position === this.expectedPosition;
    this.expectedPosition = position + wanted;
    if (wanted >= directBytes) return readFully(this.fd, target, offset, wanted, position);
    const done = this.takeFromWindow(target, offset, wanted, position);
    if (done === wanted) return done;
    if (done === 0 && !forwards) return readFully(this.fd, target, offset, wanted, position);
    this.fill(position + done);
    return done + this.takeFromWindow(target, offset + done, wanted - done, position + done);
  }

  private takeFromWindow(target: Uint8Array, offset: number, length: number, position: number): number {
    if (this.window === undefined || position < this.windowStart || position >= this.windowEnd) return 0;
    const start = position - this.windowStart;
    const count = Math.min(length, this.windowEnd - position);
    target.set(this.window.subarray(start, start + count), offset);
    return count;
  }

  private fill(position: number): void {
    this.window ??= Buffer.allocUnsafeSlow(Math.min(windowBytes, this.sizeBytes));
    this.windowEnd = 0;
    const count = readFully(this.fd, this.window, 0, this.window.byteLength, position);
    this.windowStart = position;
    this.windowEnd = position + count;
  }
}
