/**
 * What is known about one channel while its session runs, in memory shared between the worker that runs the guest and
 * the supervisor that may have to kill it. A killed worker can say nothing any more, yet everything it transferred
 * stays valid: the counters, and the bytes of an output that were not in its file yet.
 *
 * Only the worker writes while it lives. A kill can fall between two function calls, never between two plain stores;
 * every change is therefore ordered so that the state is true before and after each single store: bytes first, then
 * the length that makes them count. A window that is written to its file twice is the same as written once.
 */

/** Small writes are collected here before they go to the spill file. */
export const channelBufferBytes = 64 * 1024;

const slots = {
  reads: 0,
  readBytes: 1,
  writes: 2,
  writeBytes: 3,
  sizeBytes: 4,
  windowStart: 5,
  windowLength: 6,
  spilled: 7,
  digestValid: 8,
  opened: 9,
} as const;

const digestOffset = 128;
const digestBytes = 16;
const headerBytes = 256;

/** A new channel's shared memory; read-only channels need no buffer. Give it back to a pool with `ChannelState.reset`. */
export function createChannelState({ writable }: { writable: boolean }): SharedArrayBuffer {
  return new SharedArrayBuffer(headerBytes + (writable ? channelBufferBytes : 0));
}

/** The view that both sides open over the shared memory. */
export class ChannelState {
  /** The numbers below by index; hot paths store into it directly. */
  readonly numbers: Float64Array;
  /** The window of output bytes not in the file yet; empty for read-only channels. */
  readonly buffer: Uint8Array;
  private readonly digestArea: Uint8Array;

  constructor(readonly shared: SharedArrayBuffer) {
    this.numbers = new Float64Array(shared, 0, digestOffset / 8);
    this.digestArea = new Uint8Array(shared, digestOffset, digestBytes);
    this.buffer = new Uint8Array(shared, headerBytes);
  }

  /** Read calls that counted. */
  get reads(): number {
    return this.numbers[slots.reads]!;
  }

  get readBytes(): number {
    return this.numbers[slots.readBytes]!;
  }

  /** Write calls that counted. */
  get writes(): number {
    return this.numbers[slots.writes]!;
  }

  get writeBytes(): number {
    return this.numbers[slots.writeBytes]!;
  }

  /** Length of a writable channel's content, the window included. */
  get sizeBytes(): number {
    return this.numbers[slots.sizeBytes]!;
  }

  set sizeBytes(value: number) {
    this.numbers[slots.sizeBytes] = value;
  }

  /** Position in the content of the buffer's first byte. */
  get windowStart(): number {
    return this.numbers[slots.windowStart]!;
  }

  /** Bytes in the buffer that are newer than the spill file; 0 says that the file (if any) is complete. */
  get windowLength(): number {
    return this.numbers[slots.windowLength]!;
  }

  set windowLength(value: number) {
    this.numbers[slots.windowLength] = value;
  }

  /** The spill file exists and holds everything outside the window. */
  get spilled(): boolean {
    return this.numbers[slots.spilled] === 1;
  }

  set spilled(value: boolean) {
    this.numbers[slots.spilled] = value ? 1 : 0;
  }

  /** The worker came as far as opening the channel; before that the numbers say nothing about the content. */
  get opened(): boolean {
    return this.numbers[slots.opened] === 1;
  }

  set opened(value: boolean) {
    this.numbers[slots.opened] = value ? 1 : 0;
  }

  /** md5 of the finished channel, when the worker lived to the end; none of an output that never left the buffer. */
  get digest(): string | undefined {
    return this.numbers[slots.digestValid] === 1 ? Buffer.from(this.digestArea).toString('hex') : undefined;
  }

  setDigest(digest: Uint8Array): void {
    this.digestArea.set(digest);
    this.numbers[slots.digestValid] = 1;
  }

  countRead(bytes: number): void {
    const numbers = this.numbers;
    numbers[slots.reads] = numbers[slots.reads]! + 1;
    numbers[slots.readBytes] = numbers[slots.readBytes]! + bytes;
  }

  countWrite(bytes: number): void {
    const numbers = this.numbers;
    numbers[slots.writes] = numbers[slots.writes]! + 1;
    numbers[slots.writeBytes] = numbers[slots.writeBytes]! + bytes;
  }

  /** More bytes of the write that was counted last. */
  extendWrite(bytes: number): void {
    this.numbers[slots.writeBytes] = this.numbers[slots.writeBytes]! + bytes;
  }

  /** The window moves; it is empty while it does. */
  moveWindow(start: number): void {
    this.numbers[slots.windowLength] = 0;
    this.numbers[slots.windowStart] = start;
  }

  /** Makes the memory as new for another session. Old output bytes remain in the buffer but behind a length of 0. */
  reset(): void {
    this.numbers.fill(0);
    this.digestArea.fill(0);
  }
}
