import { errno } from '../wasi/errno';
import type { ChannelSpec } from './channel-spec';
import type { IoVectors } from './io-vectors';
import { Ring } from './ring';
import { SequentialChannel } from './sequential-channel';
import type { ChannelState } from './state';

/**
 * One end of a pipe to another session of the same executor. Bytes come and go in order. A read gives what is there and
 * waits only while there is nothing; it is 0 when the writer ended, for any reason, or closed its end. A write waits until
 * all of it is in the pipe; it is `pipe` once nobody reads it. Both wait where the thread can be terminated.
 */
export class PipeChannel extends SequentialChannel {
  private readonly ring: Ring;

  /** Throws a plain error for a channel with both directions. */
  constructor(spec: ChannelSpec, pipe: SharedArrayBuffer, state: ChannelState) {
    super(spec, state);
    if (this.readable && this.writable) throw new Error(`the pipe ${spec.name} has both directions`);
    this.ring = new Ring(pipe);
  }

  protected receive(memory: Uint8Array, vectors: IoVectors, wanted: number): number {
    const { ring } = this;
    let done = 0;
    for (let i = 0; i < vectors.count && done < wanted; i++) {
      const pointer = vectors.pointers[i]!;
      const length = Math.min(vectors.lengths[i]!, wanted - done);
      // Only the first part may wait: what has arrived must not be kept from the guest.
      const count = i === 0 ? ring.read(memory, pointer, length) : ring.readAvailable(memory, pointer, length);
      this.takeIntoHash(memory, pointer, count);
      done += count;
      if (count < length) break;
    }
    return done;
  }

  protected send(memory: Uint8Array, vectors: IoVectors, wanted: number): number {
    let done = 0;
    for (let i = 0; i < vectors.count && done < wanted; i++) {
      const length = Math.min(vectors.lengths[i]!, wanted - done);
      const count = this.writePart(memory, vectors.pointers[i]!, length, done === 0);
      done += count;
      if (count < length) break;
    }
    return done === 0 ? -errno.pipe : done;
  }

  /** A reader that sees the end of its input must not depend on the writer's other business. A closed input may be opened again. */
  closed(): void {
    if (this.writable) this.ring.endWriter();
  }

  override finish(): void {
    if (this.writable) this.ring.endWriter();
    else this.ring.endReader();
    super.finish();
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
      this.takeIntoHash(memory, pointer + done, count);
      done += count;
    }
    return done;
  }
}
