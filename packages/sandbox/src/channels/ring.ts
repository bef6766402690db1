/**
 * A pipe between two threads of one process: one writer, one reader, a ring of bytes in shared memory. Whoever cannot go on
 * waits in `Atomics.wait` and nowhere else, because a thread that waits there can be terminated.
 *
 * No wake-up is lost: a side that is about to wait reads its signal, announces that it waits, and then looks once more;
 * the other side moves its counter first and then looks for the announcement, and changes the signal before it notifies. All of
 * it is atomic, so at least one of the two sees what the other did. Counters are 32 bits wide and run over; only their difference counts.
 */

/** Capacity of a pipe in bytes: with less, both threads wait for each other more often than they copy. */
export const defaultRingBytes = 1024 * 1024;

const maxRingBytes = 2 ** 30;

/** With less, a writer is stopped by every other of its calls. */
const smallestRingBytes = 64 * 1024;

/** Memory that the rings of one group may take, as long as each has its least. */
const allRingsBytes = 128 * 1024 * 1024;

/** Capacity of each of so many rings. */
export function ringBytes(count: number): number {
  let capacityBytes = defaultRingBytes;
  while (capacityBytes > smallestRingBytes && capacityBytes * count > allRingsBytes) capacityBytes /= 2;
  return capacityBytes;
}

/** Indexes of 32-bit words, a cache line apart, so that neither side's stores slow down the other's loads. */
export const ringWords = {
  /** Bytes written so far, modulo 2^32. Stored by the writer. */
  written: 0,
  /** Bytes read so far, modulo 2^32. Stored by the reader. */
  taken: 16,
  /** Which sides have ended: bits of `gone`. */
  gone: 32,
  /** Changes when a waiting reader has something to look at. */
  dataSignal: 48,
  /** Changes when a waiting writer has something to look at. */
  spaceSignal: 64,
  /** 1 while the reader waits or is about to. */
  readerWaits: 80,
  /** Free bytes that the writer waits for, 0 when it does not wait. */
  spaceWanted: 96,
} as const;

const headerBytes = 512;
const gone = { writer: 1, reader: 2 } as const;

/** Memory for a ring, open at both ends. The capacity is a power of two, at most 1 GiB. */
export function createRing(capacityBytes: number = defaultRingBytes): SharedArrayBuffer {
  const powerOfTwo = Number.isInteger(capacityBytes) && Number.isInteger(Math.log2(capacityBytes));
  if (!powerOfTwo || capacityBytes > maxRingBytes) throw new RangeError('a ring has a power of two bytes, up to 1 GiB');
  return new SharedArrayBuffer(headerBytes + capacityBytes);
}

/** Makes a ring as it was when it was new, for the next two threads. Neither of the last ones may use it any more. */
export function resetRing(shared: SharedArrayBuffer): void {
  new Int32Array(shared, 0, headerBytes / 4).fill(0);
}

/** The view that the writer, the reader and whoever supervises them open over the shared memory. */
export class Ring {
  readonly capacityBytes: number;
  private readonly words: Int32Array;
  private readonly bytes: Uint8Array;

  constructor(shared: SharedArrayBuffer) {
    this.words = new Int32Array(shared, 0, headerBytes / 4);
    this.bytes = new Uint8Array(shared, headerBytes);
    this.capacityBytes = this.bytes.byteLength;
  }

  /** Bytes that can be read without waiting. */
  get availableBytes(): number {
    return (Atomics.load(this.words, ringWords.written) - Atomics.load(this.words, ringWords.taken)) >>> 0;
  }

  /**
   * Writer only. Waits until `length` bytes or half of the ring are free, whichever is less, and puts in as many as fit: a
   * writer is not woken for every byte that a slow reader takes. Returns how many; 0 if nobody will read them.
   */
  write(source: Uint8Array, offset: number, length: number): number {
    const { words, capacityBytes } = this;
    const wanted = Math.min(length, Math.max(1, capacityBytes / 2));
    for (;;) {
      const seen = Atomics.load(words, ringWords.spaceSignal);
      if (Atomics.load(words, ringWords.gone) !== 0) return 0;
      const freeBytes = capacityBytes - this.availableBytes;
      if (freeBytes >= wanted) return this.put(source, offset, Math.min(length, freeBytes));
      Atomics.store(words, ringWords.spaceWanted, wanted);
      if (capacityBytes - this.availableBytes < wanted) Atomics.wait(words, ringWords.spaceSignal, seen);
      Atomics.store(words, ringWords.spaceWanted, 0);
    }
  }

  /** Reader only. Takes what is there, up to `length` bytes; waits while there is nothing. 0: the writer has ended, and this is all. */
  read(target: Uint8Array, offset: number, length: number): number {
    const { words } = this;
    for (;;) {
      const seen = Atomics.load(words, ringWords.dataSignal);
      // Before the counter: what a writer wrote before it ended is seen.
      const ended = Atomics.load(words, ringWords.gone) !== 0;
      const count = this.readAvailable(target, offset, length);
      if (count > 0 || ended) return count;
      Atomics.store(words, ringWords.readerWaits, 1);
      if (this.availableBytes === 0) Atomics.wait(words, ringWords.dataSignal, seen);
      Atomics.store(words, ringWords.readerWaits, 0);
    }
  }

  /** Reader only. As `read`, but 0 when there is nothing now. */
  readAvailable(target: Uint8Array, offset: number, length: number): number {
    const { words, bytes, capacityBytes } = this;
    const available = this.availableBytes;
    const count = Math.min(length, available);
    if (count === 0) return 0;
    const taken = Atomics.load(words, ringWords.taken);
    const start = taken & (capacityBytes - 1);
    const first = Math.min(count, capacityBytes - start);
    target.set(bytes.subarray(start, start + first), offset);
    if (first < count) target.set(bytes.subarray(0, count - first), offset + first);
    Atomics.store(words, ringWords.taken, taken + count);
    const wanted = Atomics.load(words, ringWords.spaceWanted);
    if (wanted !== 0 && capacityBytes - available + count >= wanted) this.wake(ringWords.spaceSignal);
    return count;
  }

  /** No byte will follow: the reader gets what is there and then the end. Called by the writer, or by the supervisor of a dead one. */
  endWriter(): void {
    this.end(gone.writer);
  }

  /** Nobody will read any more: a write fails, and one that waits is woken. Called by the reader, or by the supervisor of a dead one. */
  endReader(): void {
    this.end(gone.reader);
  }

  private put(source: Uint8Array, offset: number, count: number): number {
    const { words, bytes, capacityBytes } = this;
    const written = Atomics.load(words, ringWords.written);
    const start = written & (capacityBytes - 1);
    const first = Math.min(count, capacityBytes - start);
    bytes.set(source.subarray(offset, offset + first), start);
    if (first < count) bytes.set(source.subarray(offset + first, offset + count), 0);
    Atomics.store(words, ringWords.written, written + count);
    if (Atomics.load(words, ringWords.readerWaits) !== 0) this.wake(ringWords.dataSignal);
    return count;
  }

  private end(side: number): void {
    Atomics.or(this.words, ringWords.gone, side);
    this.wake(ringWords.dataSignal);
    this.wake(ringWords.spaceSignal);
  }

  private wake(signal: number): void {
    Atomics.add(this.words, signal, 1);
    Atomics.notify(this.words, signal);
  }
}
