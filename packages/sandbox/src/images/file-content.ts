import type { RandomAccess } from '../channels/random-access';
import { errno, WasiError } from '../wasi/errno';
import type { Budget } from './budget';

const nothing = new Uint8Array(0);

export interface FileSlice {
  source: RandomAccess;
  offset: number;
  sizeBytes: number;
}

/**
 * The bytes of a regular file in the root: a slice of an archive or a host file until the first write, then a copy in
 * memory. Only the copy is charged to the budget, by its length.
 */
export class FileContent implements RandomAccess {
  private slice: { source: RandomAccess; offset: number } | undefined;
  private bytes = nothing;
  private size = 0;
  /** Finds the slice when somebody looks. */
  private later: (() => FileSlice) | undefined;

  constructor(
    private readonly budget: Budget,
    slice?: FileSlice | (() => FileSlice),
  ) {
    if (typeof slice === 'function') this.later = slice;
    else this.take(slice);
  }

  get sizeBytes(): number {
    if (this.later) this.find();
    return this.size;
  }

  readAt(target: Uint8Array, offset: number, length: number, position: number): number {
    const count = Math.min(length, this.sizeBytes - position);
    if (count <= 0) return 0;
    const { slice } = this;
    if (slice !== undefined) return slice.source.readAt(target, offset, count, slice.offset + position);
    target.set(this.bytes.subarray(position, position + count), offset);
    return count;
  }

  /** Throws `nospc` beyond the budget, with nothing changed. */
  writeAt(source: Uint8Array, offset: number, length: number, position: number): void {
    const end = position + length;
    this.resize(Math.max(this.sizeBytes, end));
    this.bytes.set(source.subarray(offset, offset + length), position);
  }

  /** Cuts, or extends by zeros. Throws `nospc`. */
  resize(sizeBytes: number): void {
    if (this.later) this.find();
    const copied = this.slice === undefined ? this.size : 0;
    if (!this.budget.takeBytes(sizeBytes - copied)) throw new WasiError(errno.nospc);
    try {
      this.copySlice(sizeBytes);
      this.reserve(sizeBytes);
    } catch (error) {
      this.budget.takeBytes(copied - sizeBytes);
      throw error instanceof RangeError ? new WasiError(errno.nomem) : error;
    }
    if (sizeBytes < this.size) this.bytes.fill(0, sizeBytes, this.size);
    this.size = sizeBytes;
  }

  /** The last name and the last descriptor are gone. */
  release(): void {
    this.later = undefined;
    if (this.slice === undefined) this.budget.takeBytes(-this.size);
    this.slice = undefined;
    this.bytes = nothing;
    this.size = 0;
  }

  private find(): void {
    const { later } = this;
    this.later = undefined;
    this.take(later?.());
  }

  private take(slice: FileSlice | undefined): void {
    this.slice = slice;
    this.size = slice?.sizeBytes ?? 0;
  }

  private copySlice(sizeBytes: number): void {
    const { slice } = this;
    if (slice === undefined) return;
    const kept = Math.min(this.size, sizeBytes);
    const copy = new Uint8Array(sizeBytes);
    slice.source.readAt(copy, 0, kept, slice.offset);
    this.bytes = copy;
    this.size = kept;
    this.slice = undefined;
  }

  /** Room grows by doubling, so that appending costs the same per byte however long the file is. */
  private reserve(sizeBytes: number): void {
    if (sizeBytes <= this.bytes.byteLength) return;
    const room = Math.max(sizeBytes, Math.min(this.bytes.byteLength * 2, sizeBytes + this.budget.bytesLeft), 64);
    const bytes = new Uint8Array(room);
    bytes.set(this.bytes.subarray(0, this.size));
    this.bytes = bytes;
  }
}
