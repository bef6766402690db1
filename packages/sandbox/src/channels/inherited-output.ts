import { createHash, type Hash } from 'node:crypto';
import { ftruncateSync } from 'node:fs';
import type { InheritedChannel } from '../session';
import type { ChannelSpec } from './channel-spec';
import { updateHash, writeFully } from './output-file';
import { type RandomAccess, readFully } from './random-access';
import type { ChannelState } from './state';

/**
 * The content of a writable channel that is a file of the starter's: every write goes to the file at once, so that it
 * holds all that was transferred whenever the process is killed. The checksum is ZeroVM's, over the bytes as they pass.
 */
export class InheritedOutput implements RandomAccess {
  private readonly fd: number;
  private readonly hash: Hash | undefined;

  constructor(
    spec: ChannelSpec,
    { fd, sizeBytes }: InheritedChannel,
    private readonly state: ChannelState,
  ) {
    this.fd = fd;
    if (spec.etag) this.hash = createHash('md5');
    state.sizeBytes = sizeBytes;
    state.opened = true;
  }

  get sizeBytes(): number {
    return this.state.sizeBytes;
  }

  readAt(target: Uint8Array, offset: number, length: number, position: number): number {
    const wanted = Math.min(length, this.sizeBytes - position);
    if (wanted <= 0) return 0;
    const count = readFully(this.fd, target, offset, wanted, position);
    if (this.hash !== undefined) updateHash(this.hash, target.subarray(offset, offset + count));
    return count;
  }

  /** Writes all of it or throws the system error. */
  writeAt(source: Uint8Array, offset: number, length: number, position: number): void {
    writeFully(this.fd, source, offset, length, position);
    if (this.hash !== undefined) updateHash(this.hash, source.subarray(offset, offset + length));
    this.state.sizeBytes = Math.max(this.state.sizeBytes, position + length);
  }

  truncate(sizeBytes: number): void {
    ftruncateSync(this.fd, sizeBytes);
    this.state.sizeBytes = sizeBytes;
  }

  finish(): void {
    if (this.hash !== undefined) this.state.setDigest(this.hash.digest());
  }
}
