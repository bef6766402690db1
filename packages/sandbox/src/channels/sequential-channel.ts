import { createHash, type Hash } from 'node:crypto';
import { type Errno, errno } from '../wasi/errno';
import { type ChannelSpec, isReadable, isWritable } from './channel-spec';
import type { IoVectors } from './io-vectors';
import type { OpenChannel } from './open-channel';
import { updateHash } from './output-file';
import type { ChannelState } from './state';

/**
 * A channel whose bytes come and go in order and are kept nowhere: a pipe, a FIFO, a terminal. What all of them share:
 * quotas, the end of the input, checksums.
 */
export abstract class SequentialChannel implements OpenChannel {
  readonly readable: boolean;
  readonly writable: boolean;
  readonly seekable = false;
  readonly appends = true;
  readonly sizeBytes = 0;
  private readonly hash: Hash | undefined;
  private ended = false;

  constructor(
    readonly spec: ChannelSpec,
    protected readonly state: ChannelState,
  ) {
    this.readable = isReadable(spec);
    this.writable = isWritable(spec);
    if (spec.etag) this.hash = createHash('md5');
    state.opened = true;
  }

  /**
   * Takes up to `wanted` bytes; waits only while there are none. Zero: the end. Passes every piece to `takeIntoHash`; the
   * caller counts. Negative: an error number.
   */
  protected abstract receive(memory: Uint8Array, vectors: IoVectors, wanted: number): number;

  /** Passes on up to `wanted` bytes, to `takeIntoHash` as well, and counts them. Negative: an error number. */
  protected abstract send(memory: Uint8Array, vectors: IoVectors, wanted: number): number;

  read(memory: Uint8Array, vectors: IoVectors): number {
    const { state } = this;
    const { reads, readBytes } = this.spec.limits;
    if (vectors.totalBytes === 0 || this.ended) return 0;
    if (!this.readable || state.reads >= reads || state.readBytes >= readBytes) return -errno.dquot;
    const count = this.receive(memory, vectors, Math.min(vectors.totalBytes, readBytes - state.readBytes));
    if (count < 0) return count;
    state.countRead(count);
    this.ended = count === 0;
    return count;
  }

  write(memory: Uint8Array, vectors: IoVectors): number {
    const { state } = this;
    const { writes, writeBytes } = this.spec.limits;
    if (vectors.totalBytes === 0) return 0;
    const wanted = Math.min(vectors.totalBytes, writeBytes - state.writeBytes);
    if (!this.writable || state.writes >= writes || wanted <= 0) return -errno.dquot;
    return this.send(memory, vectors, wanted);
  }

  /** There is no content that could be cut: programs may open it with mode "w". */
  truncate(sizeBytes: number): Errno {
    return this.writable && sizeBytes === 0 ? errno.success : errno.inval;
  }

  finish(): void {
    if (this.hash !== undefined) this.state.setDigest(this.hash.digest());
  }

  protected takeIntoHash(memory: Uint8Array, pointer: number, count: number): void {
    if (this.hash !== undefined) updateHash(this.hash, memory.subarray(pointer, pointer + count));
  }
}
