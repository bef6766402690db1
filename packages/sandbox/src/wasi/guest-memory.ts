import type { IoVectors } from '../channels/io-vectors';
import { maxIoVectors } from '../channels/io-vectors';
import { structSizes } from './abi';
import { errno, WasiError } from './errno';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The part of a `WebAssembly.Memory` that the host needs. */
export interface LinearMemory {
  readonly buffer: ArrayBuffer;
}

/**
 * The guest's linear memory with every access checked: what lies outside is `fault`, never a JavaScript exception that
 * reaches the guest. Pointers arrive as signed 32-bit numbers and mean unsigned ones.
 */
export class GuestMemory {
  private memory: LinearMemory | undefined;
  private currentBytes = new Uint8Array(0);
  private currentView = new DataView(this.currentBytes.buffer);

  attach(memory: LinearMemory): void {
    this.memory = memory;
    this.refresh();
  }

  /** `memory.grow` detaches the old buffer, whose length is 0 from then on. */
  get bytes(): Uint8Array {
    if (this.currentBytes.byteLength === 0) this.refresh();
    return this.currentBytes;
  }

  /** Throws `fault` unless the whole range is inside; returns the pointer as an unsigned number. */
  check(pointer: number, length: number): number {
    const start = pointer >>> 0;
    if (start + length > this.bytes.byteLength) throw new WasiError(errno.fault);
    return start;
  }

  /** The range itself, not a copy. Valid until guest code runs again. */
  slice(pointer: number, length: number): Uint8Array {
    const size = length >>> 0;
    const start = this.check(pointer, size);
    return this.currentBytes.subarray(start, start + size);
  }

  /** Guest text: `ilseq` if it is not UTF-8. */
  text(pointer: number, length: number): string {
    const bytes = this.slice(pointer, length);
    try {
      return utf8.decode(bytes);
    } catch {
      throw new WasiError(errno.ilseq);
    }
  }

  getUint8(pointer: number): number {
    return this.view(pointer, 1).getUint8(pointer >>> 0);
  }

  getUint16(pointer: number): number {
    return this.view(pointer, 2).getUint16(pointer >>> 0, true);
  }

  getUint32(pointer: number): number {
    return this.view(pointer, 4).getUint32(pointer >>> 0, true);
  }

  getUint64(pointer: number): bigint {
    return this.view(pointer, 8).getBigUint64(pointer >>> 0, true);
  }

  setUint8(pointer: number, value: number): void {
    this.view(pointer, 1).setUint8(pointer >>> 0, value);
  }

  setUint16(pointer: number, value: number): void {
    this.view(pointer, 2).setUint16(pointer >>> 0, value, true);
  }

  setUint32(pointer: number, value: number): void {
    this.view(pointer, 4).setUint32(pointer >>> 0, value, true);
  }

  setUint64(pointer: number, value: bigint): void {
    this.view(pointer, 8).setBigUint64(pointer >>> 0, value, true);
  }

  /** Reads a scatter/gather list and checks every buffer in it. `inval`: too long, or more bytes than a result can count; `fault`: something lies outside. */
  readIoVectors(pointer: number, count: number, vectors: IoVectors): void {
    const length = count >>> 0;
    if (length > maxIoVectors) throw new WasiError(errno.inval);
    const view = this.view(pointer, length * structSizes.ciovec);
    const memoryBytes = this.currentBytes.byteLength;
    vectors.clear();
    for (let i = 0, at = pointer >>> 0; i < length; i++, at += structSizes.ciovec) {
      const start = view.getUint32(at, true);
      const size = view.getUint32(at + 4, true);
      if (start + size > memoryBytes) throw new WasiError(errno.fault);
      vectors.add(start, size);
    }
    if (vectors.totalBytes > 0xffffffff) throw new WasiError(errno.inval);
  }

  private view(pointer: number, length: number): DataView {
    this.check(pointer, length);
    return this.currentView;
  }

  private refresh(): void {
    const { memory } = this;
    if (memory === undefined) return;
    this.currentBytes = new Uint8Array(memory.buffer);
    this.currentView = new DataView(memory.buffer);
  }
}
