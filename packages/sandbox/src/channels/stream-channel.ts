import { createHash, type Hash } from 'node:crypto';
import { readSync, writeSync } from 'node:fs';
import { type Errno, errno, errnoOfSystemError } from '../wasi/errno';
import { type ChannelSpec, isReadable, isWritable } from './channel-spec';
import type { IoVectors } from './io-vectors';
import type { OpenChannel } from './open-channel';
import { updateHash } from './output-file';
import { maxTransferBytes } from './random-access';
import type { ChannelState } from './state';

/** Milliseconds until a descriptor that somebody else made non-blocking is tried again. */
const retryMs = 2;

let sleeper: Int32Array<SharedArrayBuffer> | undefined;

/**
 * A FIFO, terminal, socket or device: bytes that come and go in order. A read gives what is there and blocks only while
 * there is nothing; a blocked one is ended with the process. A reader that went away is `pipe`, for the guest to act on.
 */
export class StreamChannel implements OpenChannel {
  readonly readable: boolean;
  readonly writable: boolean;
  readonly seekable = false;
  readonly appends = true;
  readonly sizeBytes = 0;
  private readonly hash: Hash | undefined;
  private ended = false;

  constructor(
    readonly spec: ChannelSpec,
    private readonly fd: number,
    private readonly state: ChannelState,
  ) {
    this.readable = isReadable(spec);
    this.writable = isWritable(spec);
    if (spec.etag) this.hash = createHash('md5');
    state.opened = true;
  }

  read(memory: Uint8Array, vectors: IoVectors): number {
    const { state } = this;
    const { reads, readBytes } = this.spec.limits;
    if (vectors.totalBytes === 0 || this.ended) return 0;
    if (!this.readable || state.reads >= reads || state.readBytes >= readBytes) return -errno.dquot;
    const pointer = vectors.pointers[0]!;
    const length = Math.min(vectors.lengths[0]!, readBytes - state.readBytes, maxTransferBytes);
    let count: number;
    try {
      count = retryWhileBusy(() => readSync(this.fd, memory, pointer, length, null));
    } catch (error) {
      return -errnoOfSystemError(error);
    }
    state.countRead(count);
    this.ended = count === 0;
    if (this.hash !== undefined) updateHash(this.hash, memory.subarray(pointer, pointer + count));
    return count;
  }

  write(memory: Uint8Array, vectors: IoVectors): number {
    const { state } = this;
    const { writes, writeBytes } = this.spec.limits;
    if (vectors.totalBytes === 0) return 0;
    const wanted = Math.min(vectors.totalBytes, writeBytes - state.writeBytes);
    if (!this.writable || state.writes >= writes || wanted <= 0) return -errno.dquot;
    let done = 0;
    try {
      for (let i = 0; i < vectors.count && done < wanted; i++) {
        const pointer = vectors.pointers[i]!;
        const length = Math.min(vectors.lengths[i]!, wanted - done);
        for (let at = 0; at < length; ) {
          const part = Math.min(length - at, maxTransferBytes);
          const count = retryWhileBusy(() => writeSync(this.fd, memory, pointer + at, part, null));
          if (this.hash !== undefined) updateHash(this.hash, memory.subarray(pointer + at, pointer + at + count));
          at += count;
          done += count;
        }
      }
    } catch (error) {
      if (done === 0) return -errnoOfSystemError(error);
    }
    state.countWrite(done);
    state.sizeBytes += done;
    return done;
  }

  truncate(): Errno {
    return errno.inval;
  }

  finish(): void {
    if (this.hash !== undefined) this.state.setDigest(this.hash.digest());
  }
}

/** A descriptor shared with other processes may be non-blocking by their doing. */
function retryWhileBusy(transfer: () => number): number {
  for (;;) {
    try {
      return transfer();
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'EAGAIN') throw error;
      sleeper ??= new Int32Array(new SharedArrayBuffer(4));
      Atomics.wait(sleeper, 0, 0, retryMs);
    }
  }
}
