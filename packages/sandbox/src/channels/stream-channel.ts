import { readSync, writeSync } from 'node:fs';
import { errnoOfSystemError } from '../wasi/errno';
import type { ChannelSpec } from './channel-spec';
import type { IoVectors } from './io-vectors';
import { maxTransferBytes } from './random-access';
import { SequentialChannel } from './sequential-channel';
import type { ChannelState } from './state';

/** Milliseconds until a descriptor that somebody else made non-blocking is tried again. */
const retryMs = 2;

let sleeper: Int32Array<SharedArrayBuffer> | undefined;

/**
 * A FIFO, terminal, socket or device: bytes that come and go in order. A read gives what is there and blocks only while
 * there is nothing; a blocked one is ended with the process. A reader that went away is `pipe`, for the guest to act on.
 */
export class StreamChannel extends SequentialChannel {
  constructor(
    spec: ChannelSpec,
    private readonly fd: number,
    state: ChannelState,
  ) {
    super(spec, state);
  }

  protected receive(memory: Uint8Array, vectors: IoVectors, wanted: number): number {
    const pointer = vectors.pointers[0]!;
    const length = Math.min(vectors.lengths[0]!, wanted, maxTransferBytes);
    try {
      const count = retryWhileBusy(() => readSync(this.fd, memory, pointer, length, null));
      this.takeIntoHash(memory, pointer, count);
      return count;
    } catch (error) {
      return -errnoOfSystemError(error);
    }
  }

  protected send(memory: Uint8Array, vectors: IoVectors, wanted: number): number {
    const { state } = this;
    let done = 0;
    try {
      for (let i = 0; i < vectors.count && done < wanted; i++) {
        const pointer = vectors.pointers[i]!;
        const length = Math.min(vectors.lengths[i]!, wanted - done);
        for (let at = 0; at < length; ) {
          const part = Math.min(length - at, maxTransferBytes);
          const count = retryWhileBusy(() => writeSync(this.fd, memory, pointer + at, part, null));
          this.takeIntoHash(memory, pointer + at, count);
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
