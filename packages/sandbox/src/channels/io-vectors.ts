/** Scatter/gather lists longer than this are refused, as by Linux (IOV_MAX). */
export const maxIoVectors = 1024;

/** The guest buffers of one call, checked against guest memory. One instance is reused for every call. */
export class IoVectors {
  readonly pointers = new Uint32Array(maxIoVectors);
  readonly lengths = new Uint32Array(maxIoVectors);
  count = 0;
  /** Sum of the lengths. */
  totalBytes = 0;

  clear(): void {
    this.count = 0;
    this.totalBytes = 0;
  }

  /** Empty buffers leave no trace. The caller keeps within `maxIoVectors`. */
  add(pointer: number, length: number): void {
    if (length === 0) return;
    this.pointers[this.count] = pointer;
    this.lengths[this.count] = length;
    this.count++;
    this.totalBytes += length;
  }

  /** A list of one buffer. */
  static of(pointer: number, length: number): IoVectors {
    const vectors = new IoVectors();
    vectors.add(pointer, length);
    return vectors;
  }
}
