import { readSync, writeSync } from 'node:fs';
import { deserialize, serialize } from 'node:v8';

/**
 * Requests and replies between the server and the guest's thread travel over one socket as frames: four bytes of length,
 * then a structured clone. The thread reads and writes it synchronously, without its event loop and without passing through
 * the main thread of its process; that saves two hops of each session.
 */

const lengthBytes = 4;

/** No frame is larger; a longer one is a broken or hostile peer. */
export const maxFrameBytes = 1024 ** 3;

/** Below this a frame is joined to one buffer, which is cheaper than a second write. */
const joinBytes = 128 * 1024;

/** The buffers to write for one value. */
export function encodeFrame(value: unknown): Buffer[] {
  const body = serialize(value);
  if (body.length > maxFrameBytes) throw new RangeError(`frame of ${body.length} bytes`);
  const length = Buffer.allocUnsafe(lengthBytes);
  length.writeUInt32LE(body.length, 0);
  return body.length <= joinBytes ? [Buffer.concat([length, body])] : [length, body];
}

/** Collects chunks of a stream and hands out whole values. */
export class FrameDecoder {
  private chunks: Buffer[] = [];
  private heldBytes = 0;

  constructor(private readonly maxBytes: number) {}

  /** The values completed by this chunk. Throws on a frame that is too long or no structured clone. */
  push(chunk: Buffer): unknown[] {
    this.chunks.push(chunk);
    this.heldBytes += chunk.length;
    const values: unknown[] = [];
    while (this.heldBytes >= lengthBytes) {
      if (this.chunks[0]!.length < lengthBytes) this.chunks = [Buffer.concat(this.chunks)];
      const size = this.chunks[0]!.readUInt32LE(0);
      if (size > this.maxBytes) throw new RangeError(`frame of ${size} bytes`);
      if (this.heldBytes < lengthBytes + size) break;
      const all = this.chunks.length === 1 ? this.chunks[0]! : Buffer.concat(this.chunks);
      const rest = all.subarray(lengthBytes + size);
      values.push(deserialize(all.subarray(lengthBytes, lengthBytes + size)));
      this.chunks = rest.length > 0 ? [rest] : [];
      this.heldBytes = rest.length;
    }
    return values;
  }
}

/** Blocks until a whole value has arrived; undefined when the other side is gone. */
export class FrameSource {
  private buffer: Buffer = Buffer.allocUnsafeSlow(joinBytes);

  constructor(private readonly fd: number) {}

  /** Byte arrays in the value are views that are overwritten by the next call. */
  read(): unknown {
    if (!this.fill(0, lengthBytes)) return undefined;
    const size = this.buffer.readUInt32LE(0);
    if (size > maxFrameBytes) return undefined;
    const large = size > joinBytes;
    const target = large ? Buffer.allocUnsafeSlow(size) : this.buffer;
    return this.fill(0, size, target) ? deserialize(target.subarray(0, size)) : undefined;
  }

  private fill(start: number, end: number, target = this.buffer): boolean {
    for (let position = start; position < end; ) {
      const count = readSync(this.fd, target, position, end - position, null);
      if (count === 0) return false;
      position += count;
    }
    return true;
  }
}

/** Writes a value to a blocking descriptor. */
export function writeFrame(fd: number, value: unknown): void {
  for (const part of encodeFrame(value)) {
    for (let position = 0; position < part.length; ) position += writeSync(fd, part, position);
  }
}
