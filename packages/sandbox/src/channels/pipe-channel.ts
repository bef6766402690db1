import { createHash, type Hash } from 'node:crypto';
import { type Errno, errno } from '../wasi/errno';
import { type ChannelSpec, isReadable, isWritable } from './channel-spec';
import type { IoVectors } from './io-vectors';
import type { OpenChannel } from './open-channel';
import { updateHash } from './output-file';
import { Ring } from './ring';
import type { ChannelState } from './state';

/**
 * One end of a pipe to another session of the same executor. Bytes come and go in order. A read gives what is there and
 * waits only while there is nothing; it is 0 when the writer ended, for any reason, or closed its end. A write waits until
 * all of it is in the pipe; it is `pipe` once nobody reads it. Both wait where the thread can be terminated.
 */
export class PipeChannel implements OpenChannel {
  readonly readable: boolean;
  readonly writable: boolean;
  readonly seekable = false;
  readonly appends = true;
  readonly sizeBytes = 0;
  private readonly ring: Ring;
  private readonly hash: Hash | undefined;
  private ended = false;

  /** Throws a plain error for a channel with both directions. */
  constructor(
    readonly spec: ChannelSpec,
    pipe: SharedArrayBuffer,
    private readonly state: ChannelState,
  ) {
    this.readable = isReadable(spec);
    this.writable = isWritable(spec);
    if (this.readable && this.writable) throw new Error(`the pipe ${spec.name} has both directions`);
    this.ring = new Ring(pipe);
    if (spec.etag) this.hash = createHash('md5');
    state.opened = true;
  }

  read(memory: Uint8Array, vectors: IoVectors): number {
    const { state, ring } = this;
    const { reads, readBytes } = this.spec.limits;
    if (vectors.totalBytes === 0 || this.ended) return 0;
    if (!this.readable || state.reads >= reads || state.readBytes >= readBytes) return -errno.dquot;
    const wanted = Math.min(vectors.totalBytes, readBytes - state.readBytes);
    let done = 0;
    for (let i = 0; i < vectors.count && done < wanted; i++) {
      const pointer = vectors.pointers[i]!;
      const length = Math.min(vectors.lengths[i]!, wanted - done);
      // Only the first part may wait: what has arrived must not be kept from the guest.
      const count = i === 0 ? ring.read(memory, pointer, length) : ring.readAvailable(memory, pointer, length);
      if (this.hash !== undefined) updateHash(this.hash, memory.subarray(pointer, pointer + count));
      done += count;
      if (count < length) break;
    }
    state.countRead(done);
    this.ended = done === 0;
    return done;
  }

  write(memory: Uint8Array, vectors: IoVectors): number {
    const { state } = this;
    const { writes, writeBytes } = this.spec.limits;
    if (vectors.totalBytes === 0) return 0;
    const wanted = Math.min(vectors.totalBytes, writeBytes - state.writeBytes);
    if (!this.writable || state.writes >= writes || wanted <= 0) return -errno.dquot;
    let done = 0;
    for (let i = 0; i < vectors.count && done < wanted; i++) {
      const length = Math.min(vectors.lengths[i]!, wanted - done);
      const count = this.writePart(memory, vectors.pointers[i]!, length, done === 0);
      done += count;
      if (count < length) break;
    }
    return done === 0 ? -errno.pipe : done;
  }

  /** A pipe has no content that could be cut: programs may open it with mode "w". */
  truncate(sizeBytes: number): Errno {
    return sizeBytes === 0 ? errno.success : errno.inval;
  }

  /** A reader that sees the end of its input must not depend on the writer's other business. A closed input may be opened again. */
  closed(): void {
    if (this.writable) this.ring.endWriter();
  }

  finish(): void {
    if (this.writable) this.ring.endWriter();
    else this.ring.endReader();
    if (this.hash !== undefined) this.state.setDigest(this.hash.digest());
  }

  /** Returns fewer than `length` only if the reader is gone. Counts as it goes: a writer may be killed while it waits. */
  private writePart(memory: Uint8Array, pointer: number, length: number, isNewCall: boolean): number {
    const { state, ring } = this;
    let done = 0;
    while (done < length) {
      const count = ring.write(memory, pointer + done, length - done);
      if (count === 0) break;
      if (isNewCall && done === 0) state.countWrite(count);
      else state.extendWrite(count);
      state.sizeBytes += count;
      if (this.hash !== undefined) updateHash(this.hash, memory.subarray(pointer + done, pointer + done + count));
      done += count;
    }
    return done;
  }
}
