import { createHash, type Hash } from 'node:crypto';
import { type Errno, errno } from '../wasi/errno';
import {
  type ChannelSource,
  type ChannelSpec,
  findChannelProblem,
  isReadable,
  isWritable,
  readsRandomly,
  writesRandomly,
} from './channel-spec';
import { InheritedOutput } from './inherited-output';
import type { IoVectors } from './io-vectors';
import { type OpenSource, openSource } from './open-source';
import { OutputFile, updateHash } from './output-file';
import { PipeChannel } from './pipe-channel';
import type { RandomAccess } from './random-access';
import type { ChannelState } from './state';
import { StreamChannel } from './stream-channel';

/**
 * A channel as the WASI host sees it. Transfers return the bytes moved or a negative error number; they throw only the
 * system errors of the host's own files. Quotas follow ZeroVM (`src/syscalls/trap.c`): whichever limit of a direction is
 * hit first ends that direction, the last permitted transfer is shortened, the next one is `dquot`.
 */
export interface OpenChannel {
  readonly spec: ChannelSpec;
  readonly readable: boolean;
  readonly writable: boolean;
  /** A descriptor has a position of its own. False: all descriptors of the channel share one stream. */
  readonly seekable: boolean;
  /** Writes go behind what is there, wherever the descriptor stands. */
  readonly appends: boolean;
  /** Length of the content: of the source, or of what has been written so far. */
  readonly sizeBytes: number;
  /** Fills the guest's buffers. `position` counts for random reads only. Zero: end of the content. */
  read(memory: Uint8Array, vectors: IoVectors, position: number): number;
  /** Takes the guest's buffers. `position` counts for random writes only. */
  write(memory: Uint8Array, vectors: IoVectors, position: number): number;
  /** `ftruncate`: random writers may choose any size within their limits, others only the one they have. */
  truncate(sizeBytes: number): Errno;
  /** The guest has closed the last descriptor of the channel; it may open another one. Absent where that means nothing. */
  closed?(): void;
  /** The guest has ended: leaves checksums in the state and closes files. Called once. */
  finish(): void;
}

/**
 * Opens a channel for the guest (worker side). Files are opened now, so that their names may go away afterwards.
 * Throws `source-not-found` if the source is not a readable regular file, and a plain error if no channel can be like this.
 */
export function openChannel(spec: ChannelSpec, state: ChannelState): OpenChannel {
  const problem = findChannelProblem(spec);
  if (problem !== undefined) throw new Error(problem);
  if (spec.pipe !== undefined) return new PipeChannel(spec, spec.pipe, state);
  if (spec.inherited?.kind === 'stream') return new StreamChannel(spec, spec.inherited.fd, state);
  return new StoredChannel(spec, state);
}

function sourceOf({ source, inherited }: ChannelSpec): ChannelSource {
  if (inherited !== undefined) return { ...inherited, kind: 'inherited' };
  return source ?? { kind: 'bytes', data: new Uint8Array(0) };
}

class StoredChannel implements OpenChannel {
  readonly readable: boolean;
  readonly writable: boolean;
  readonly seekable: boolean;
  readonly appends: boolean;
  private readonly readsInOrder: boolean;
  private readonly input: RandomAccess | undefined;
  private readonly output: OutputFile | InheritedOutput | undefined;
  private readonly source: OpenSource | undefined;
  private readonly readHash: Hash | undefined;
  private readPosition = 0;
  private ended = false;

  constructor(
    readonly spec: ChannelSpec,
    private readonly state: ChannelState,
  ) {
    this.readable = isReadable(spec);
    this.writable = isWritable(spec);
    this.readsInOrder = !readsRandomly(spec);
    this.appends = !writesRandomly(spec);
    this.seekable = this.readable ? !this.readsInOrder : !this.appends;
    if (this.readable) {
      this.source = openSource(sourceOf(spec), `channel ${spec.name}`);
      this.input = this.source.content;
    }
    if (this.writable) {
      this.output = spec.inherited
        ? new InheritedOutput(spec, spec.inherited, state)
        : new OutputFile(spec, state, this.input);
      if (this.input !== undefined) this.input = this.output;
    } else if (spec.etag) {
      this.readHash = createHash('md5');
    }
  }

  get sizeBytes(): number {
    return this.output?.sizeBytes ?? this.input?.sizeBytes ?? 0;
  }

  read(memory: Uint8Array, vectors: IoVectors, position: number): number {
    const { state, input, readsInOrder } = this;
    const { reads, readBytes } = this.spec.limits;
    let wanted = vectors.totalBytes;
    if (input !== undefined && !readsInOrder) wanted = Math.min(wanted, input.sizeBytes - position);
    if (wanted <= 0 || this.ended) return 0;
    if (input === undefined || state.reads >= reads || state.readBytes >= readBytes) return -errno.dquot;
    wanted = Math.min(wanted, readBytes - state.readBytes);
    const start = readsInOrder ? this.readPosition : position;
    let done = 0;
    for (let i = 0; i < vectors.count && done < wanted; i++) {
      const pointer = vectors.pointers[i]!;
      const length = Math.min(vectors.lengths[i]!, wanted - done);
      const count = input.readAt(memory, pointer, length, start + done);
      if (this.readHash !== undefined) updateHash(this.readHash, memory.subarray(pointer, pointer + count));
      done += count;
      if (count < length) break;
    }
    state.countRead(done);
    if (readsInOrder) {
      this.readPosition += done;
      this.ended = done < wanted;
    }
    return done;
  }

  write(memory: Uint8Array, vectors: IoVectors, position: number): number {
    const { state, output } = this;
    const { writes, writeBytes } = this.spec.limits;
    if (vectors.totalBytes === 0) return 0;
    if (output === undefined || state.writes >= writes) return -errno.dquot;
    const start = this.appends ? output.sizeBytes : position;
    if (start > this.maxSizeBytes(output)) return -errno.inval;
    const wanted = Math.min(vectors.totalBytes, writeBytes - state.writeBytes);
    if (wanted <= 0) return -errno.dquot;
    let done = 0;
    for (let i = 0; i < vectors.count && done < wanted; i++) {
      const length = Math.min(vectors.lengths[i]!, wanted - done);
      output.writeAt(memory, vectors.pointers[i]!, length, start + done);
      done += length;
    }
    state.countWrite(done);
    return done;
  }

  truncate(sizeBytes: number): Errno {
    const { output } = this;
    if (output === undefined) return errno.inval;
    if (sizeBytes === output.sizeBytes) return errno.success;
    if (this.appends || sizeBytes > this.maxSizeBytes(output)) return errno.inval;
    output.truncate(sizeBytes);
    return errno.success;
  }

  finish(): void {
    if (this.readHash !== undefined) this.state.setDigest(this.readHash.digest());
    this.output?.finish();
    this.source?.close();
  }

  /** The largest offset a write may start at. */
  private maxSizeBytes(output: RandomAccess): number {
    const { writeBytes } = this.spec.limits;
    return this.readable ? output.sizeBytes + Math.max(0, writeBytes - this.state.writeBytes) : writeBytes;
  }
}
