import { readSync, writeSync } from 'node:fs';
import { putParts, takeParts } from './byte-parts';

/**
 * Requests and replies between the server and the guest's thread travel over one socket as frames. The thread reads and
 * writes it synchronously, without its event loop and without passing through the main thread of its process; that saves
 * two hops of each session. A frame is its length, the length of its text, the number of byte strings behind that and
 * the length of each (32 bits, little-endian), the text (JSON), and the byte strings. JSON, because who reads replies
 * must expect a broken peer, and no reader of the engine is tried by more hostile texts.
 */

const wordBytes = 4;
/** Words that each frame has: its length (itself not counted), that of its text, the number of byte strings. */
const fixedWords = 3;

/** No frame is larger; a longer one is a broken or hostile peer. */
export const maxFrameBytes = 1024 ** 3;

/** Bytes up to this size are copied behind their text, which is cheaper than a second write. */
const joinBytes = 128 * 1024;

/** The buffers to write for one value: what JSON holds, and bytes where `byte-parts` knows them. */
export function encodeFrame(value: unknown): Buffer[] {
  const parts: Uint8Array[] = [];
  const text = JSON.stringify(takeParts(value, parts));
  const textBytes = Buffer.byteLength(text);
  let partBytes = 0;
  for (const { byteLength } of parts) partBytes += byteLength;
  const headBytes = wordBytes * (fixedWords + parts.length);
  const frameBytes = headBytes + textBytes + partBytes;
  if (frameBytes > maxFrameBytes) throw new RangeError(`frame of ${frameBytes} bytes`);
  const joined = partBytes <= joinBytes;
  const frame = allocate(joined ? frameBytes : headBytes + textBytes);
  frame.writeUInt32LE(frameBytes - wordBytes, 0);
  frame.writeUInt32LE(textBytes, wordBytes);
  frame.writeUInt32LE(parts.length, 2 * wordBytes);
  parts.forEach(({ byteLength }, index) => {
    frame.writeUInt32LE(byteLength, wordBytes * (fixedWords + index));
  });
  frame.write(text, headBytes, 'utf8');
  if (!joined) return [frame, ...parts.map((part) => Buffer.from(part.buffer, part.byteOffset, part.byteLength))];
  let end = headBytes + textBytes;
  for (const part of parts) {
    frame.set(part, end);
    end += part.byteLength;
  }
  return [frame];
}

const slabBytes = 256 * 1024;
let slab = Buffer.alloc(0);
let slabUsed = 0;

/** Frames with the body of a small object are too large for Node's own pool, and a buffer by itself costs a tenth of a session. */
function allocate(bytes: number): Buffer {
  if (bytes > slabBytes / 8) return Buffer.allocUnsafeSlow(bytes);
  if (slabUsed + bytes > slab.length) {
    slab = Buffer.allocUnsafeSlow(slabBytes);
    slabUsed = 0;
  }
  const start = slabUsed;
  slabUsed += bytes;
  return slab.subarray(start, slabUsed);
}

/** The value of a frame, without its first word. Byte arrays in it are views of the frame. Throws on anything that is no frame. */
function decodeFrame(frame: Buffer): unknown {
  if (frame.length < wordBytes * (fixedWords - 1)) throw new RangeError('frame without a head');
  const textBytes = frame.readUInt32LE(0);
  const partCount = frame.readUInt32LE(wordBytes);
  let end = wordBytes * (fixedWords - 1 + partCount) + textBytes;
  if (end > frame.length) throw new RangeError('frame is shorter than its text');
  const value = JSON.parse(frame.toString('utf8', end - textBytes, end)) as unknown;
  if (partCount === 0) return value;
  const parts: Uint8Array[] = [];
  for (let i = 0; i < partCount; i++) {
    const start = end;
    end += frame.readUInt32LE(wordBytes * (fixedWords - 1 + i));
    if (end > frame.length) throw new RangeError('frame is shorter than its parts');
    parts.push(frame.subarray(start, end));
  }
  return putParts(value, parts);
}

/** Collects chunks of a stream and hands out whole values. */
export class FrameDecoder {
  private chunks: Buffer[] = [];
  private heldBytes = 0;

  constructor(private readonly maxBytes: number) {}

  /** The values completed by this chunk. Throws on a frame that is too long or none. */
  push(chunk: Buffer): unknown[] {
    this.chunks.push(chunk);
    this.heldBytes += chunk.length;
    const values: unknown[] = [];
    while (this.heldBytes >= wordBytes) {
      if (this.chunks[0]!.length < wordBytes) this.chunks = [Buffer.concat(this.chunks)];
      const size = this.chunks[0]!.readUInt32LE(0);
      if (size > this.maxBytes) throw new RangeError(`frame of ${size} bytes`);
      if (this.heldBytes < wordBytes + size) break;
      const all = this.chunks.length === 1 ? this.chunks[0]! : Buffer.concat(this.chunks);
      const rest = all.subarray(wordBytes + size);
      values.push(decodeFrame(all.subarray(wordBytes, wordBytes + size)));
      this.chunks = rest.length > 0 ? [rest] : [];
      this.heldBytes = rest.length;
    }
    return values;
  }
}

/** Blocks until a whole value has arrived; undefined when the other side is gone. */
export class FrameSource {
  private readonly buffer: Buffer = Buffer.allocUnsafeSlow(joinBytes);
  /** What is in the buffer and not handed out yet. */
  private start = 0;
  private end = 0;

  constructor(private readonly fd: number) {}

  /** Byte arrays in the value are views that are overwritten by the next call. */
  read(): unknown {
    if (this.start === this.end) this.start = this.end = 0;
    if (!this.hold(wordBytes)) return undefined;
    const size = this.buffer.readUInt32LE(this.start);
    if (size > maxFrameBytes) return undefined;
    if (wordBytes + size > this.buffer.length) return this.readLarge(size);
    if (!this.hold(wordBytes + size)) return undefined;
    const start = this.start + wordBytes;
    this.start = start + size;
    return decodeFrame(this.buffer.subarray(start, start + size));
  }

  /** As much as there is with each system call: a small frame comes with one. */
  private hold(bytes: number): boolean {
    while (this.end - this.start < bytes) {
      if (this.start + bytes > this.buffer.length) {
        this.buffer.copyWithin(0, this.start, this.end);
        this.end -= this.start;
        this.start = 0;
      }
      const count = readSync(this.fd, this.buffer, this.end, this.buffer.length - this.end, null);
      if (count === 0) return false;
      this.end += count;
    }
    return true;
  }

  private readLarge(size: number): unknown {
    const frame = Buffer.allocUnsafeSlow(size);
    let position = this.buffer.copy(frame, 0, this.start + wordBytes, this.end);
    this.start = this.end = 0;
    while (position < size) {
      const count = readSync(this.fd, frame, position, size - position, null);
      if (count === 0) return undefined;
      position += count;
    }
    return decodeFrame(frame);
  }
}

/** Writes a value to a blocking descriptor. */
export function writeFrame(fd: number, value: unknown): void {
  for (const part of encodeFrame(value)) {
    for (let position = 0; position < part.length; ) position += writeSync(fd, part, position);
  }
}
