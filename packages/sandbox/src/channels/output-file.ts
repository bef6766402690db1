import { createHash, type Hash } from 'node:crypto';
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import type { ChannelSpec } from './channel-spec';
import { maxTransferBytes, type RandomAccess, readFully } from './random-access';
import { type ChannelState, channelBufferBytes } from './state';

/**
 * The content of a writable channel, worker side. Small writes that continue or touch the window stay in the shared
 * buffer; the spill file is created when the window must make room, so a small output never touches a file. The
 * supervisor finishes the job with `collectOutput`, from the same state, whether or not the worker still lives.
 */
export class OutputFile implements RandomAccess {
  private fd: number | undefined;
  /** An md5 is wanted and can still be kept running: everything that left the window came in order. */
  private isHashing: boolean;
  /** The running md5, from the first bytes that leave the window. */
  private hash: Hash | undefined;
  /** It covers the content up to here. */
  private hashedBytes = 0;

  /** `initial` is what a channel with both directions held before; it is copied before the first change. */
  constructor(
    private readonly spec: ChannelSpec,
    private readonly state: ChannelState,
    private readonly initial?: RandomAccess,
  ) {
    this.isHashing = spec.etag;
    if (initial !== undefined && initial.sizeBytes > channelBufferBytes) {
      state.sizeBytes = initial.sizeBytes;
    } else if (initial !== undefined) {
      state.windowLength = initial.readAt(state.buffer, 0, initial.sizeBytes, 0);
      state.sizeBytes = state.windowLength;
      this.initial = undefined;
    }
    state.opened = true;
  }

  get sizeBytes(): number {
    return this.state.sizeBytes;
  }

  readAt(target: Uint8Array, offset: number, length: number, position: number): number {
    const count = Math.min(length, this.state.sizeBytes - position);
    if (count <= 0) return 0;
    if (this.initial !== undefined && !this.state.spilled) return this.initial.readAt(target, offset, count, position);
    const start = position - this.state.windowStart;
    if (start >= 0 && start + count <= this.state.windowLength) {
      target.set(this.state.buffer.subarray(start, start + count), offset);
      return count;
    }
    this.flush();
    const done = readFully(this.openFile(), target, offset, count, position);
    target.fill(0, offset + done, offset + count);
    return count;
  }

  /** Writes all of it or throws the system error; what a failed write left behind the old size does not count. */
  writeAt(source: Uint8Array, offset: number, length: number, position: number): void {
    const { state } = this;
    if (this.spec.discard) {
      this.takeIntoHash(source.subarray(offset, offset + length), position);
      state.sizeBytes = Math.max(state.sizeBytes, position + length);
      return;
    }
    if (this.initial !== undefined) this.openFile();
    if (length >= channelBufferBytes) this.writeDirectly(source, offset, length, position);
    else this.writeToWindow(source, offset, length, position);
    if (position + length > state.sizeBytes) state.sizeBytes = position + length;
  }

  /** Cuts or extends the content; an extension reads as zeros. */
  truncate(sizeBytes: number): void {
    const { state } = this;
    if (sizeBytes === state.sizeBytes) return;
    if (sizeBytes < this.hashedBytes) this.isHashing = false;
    if (this.spec.discard) {
      state.sizeBytes = sizeBytes;
    } else if (
      !state.spilled &&
      this.initial === undefined &&
      state.windowStart === 0 &&
      sizeBytes <= channelBufferBytes
    ) {
      if (sizeBytes > state.windowLength) state.buffer.fill(0, state.windowLength, sizeBytes);
      state.windowLength = sizeBytes;
      state.sizeBytes = sizeBytes;
    } else {
      this.flush();
      ftruncateSync(this.openFile(), sizeBytes);
      state.sizeBytes = sizeBytes;
    }
  }

  /**
   * The guest ended by itself: leaves the md5 for `collectOutput`, if it could be kept running, and closes the file. An output
   * that never left the window has none yet.
   */
  finish(): void {
    const { state } = this;
    if (this.isHashing && (state.spilled || this.spec.discard)) {
      this.takeIntoHash(state.buffer.subarray(0, state.windowLength), state.windowStart);
      if (this.isHashing && this.hashedBytes === state.sizeBytes) {
        state.setDigest((this.hash ?? createHash('md5')).digest());
      }
      this.isHashing = false;
    }
    if (this.fd !== undefined) closeSync(this.fd);
    this.fd = undefined;
  }

  private writeDirectly(source: Uint8Array, offset: number, length: number, position: number): void {
    this.flush();
    writeFully(this.openFile(), source, offset, length, position);
    this.takeIntoHash(source.subarray(offset, offset + length), position);
  }

  private writeToWindow(source: Uint8Array, offset: number, length: number, position: number): void {
    const { state } = this;
    let start = position - state.windowStart;
    // Behind the end of the content a gap is a hole, which the window can hold as zeros.
    const isAtEnd = state.windowStart + state.windowLength === state.sizeBytes;
    if (start < 0 || start + length > channelBufferBytes || (start > state.windowLength && !isAtEnd)) {
      this.flush();
      state.moveWindow(position);
      start = 0;
    } else if (start > state.windowLength) {
      state.buffer.fill(0, state.windowLength, start);
    }
    state.buffer.set(source.subarray(offset, offset + length), start);
    if (start + length > state.windowLength) state.windowLength = start + length;
  }

  private flush(): void {
    const { state } = this;
    const length = state.windowLength;
    if (length === 0) return;
    writeFully(this.openFile(), state.buffer, 0, length, state.windowStart);
    this.takeIntoHash(state.buffer.subarray(0, length), state.windowStart);
    state.windowLength = 0;
  }

  /** The spill file, made when first needed: empty, or a copy of what the channel held before. */
  private openFile(): number {
    if (this.fd !== undefined) return this.fd;
    const { spillPath } = this.spec;
    if (spillPath === undefined) throw new Error(`channel ${this.spec.name} has no spill file`);
    const fd = openSpillFile(spillPath);
    if (this.initial !== undefined) {
      this.isHashing = false;
      try {
        copyContent(this.initial, fd);
      } catch (error) {
        closeSync(fd);
        throw error;
      }
    }
    this.fd = fd;
    this.state.spilled = true;
    return fd;
  }

  private takeIntoHash(bytes: Uint8Array, position: number): void {
    if (!this.isHashing || bytes.byteLength === 0) return;
    if (position !== this.hashedBytes) {
      this.isHashing = false;
      return;
    }
    this.hash ??= createHash('md5');
    updateHash(this.hash, bytes);
    this.hashedBytes += bytes.byteLength;
  }
}

/**
 * Opens a spill file, empty. An executor finds it made by the server, since it may not create files; where nobody has
 * made it, it is created.
 */
export function openSpillFile(path: string): number {
  let fd: number;
  try {
    fd = openSync(path, 'r+');
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ENOENT') throw error;
    return openSync(path, 'w+');
  }
  try {
    ftruncateSync(fd);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Hashes in pieces: Node takes no more than 2 GiB at once, and a worker can be ended between them. */
export function updateHash(hash: Hash, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.byteLength; at += maxTransferBytes)
    hash.update(bytes.subarray(at, at + maxTransferBytes));
}

/** pwrite(2) until everything is written. */
export function writeFully(fd: number, source: Uint8Array, offset: number, length: number, position: number): void {
  let done = 0;
  while (done < length) {
    done += writeSync(fd, source, offset + done, Math.min(length - done, maxTransferBytes), position + done);
  }
}

export function copyContent(source: RandomAccess, fd: number): void {
  const chunk = Buffer.allocUnsafeSlow(Math.min(source.sizeBytes, 1024 * 1024));
  for (let position = 0; position < source.sizeBytes; ) {
    const count = source.readAt(chunk, 0, chunk.byteLength, position);
    if (count === 0) break;
    writeFully(fd, chunk, 0, count, position);
    position += count;
  }
}
