import { Readable, type Writable } from 'node:stream';
import { type ByteRange, type OpenObject, sendBodies } from '@zerocloud/object-server';
import { SegmentError, type SegmentReader } from './segment-reader';
import type { Part } from './static-parts';

type Body = Buffer | Readable;

/**
 * Opens the parts one after the other, the next one while the current one is read, so that a reader does not wait for a
 * look-up at every border. At most two are open at a time. Ends with a `SegmentError` if they are not
 * `expectedBytes` together (unless nobody knows): a manifest among the segments may have changed.
 */
export async function* openParts(
  reader: SegmentReader,
  parts: AsyncIterator<Part>,
  expectedBytes: number | undefined,
): AsyncGenerator<Body> {
  let missingBytes = expectedBytes ?? 0;
  let next: Promise<Body | undefined> | undefined;
  const openNext = async () => {
    const { value, done } = await parts.next();
    if (done) return undefined;
    missingBytes -= partBytes(value);
    return value.kind === 'data' ? value.data : openPart(reader, value);
  };
  try {
    for (let body = await openNext(); body; body = await next) {
      next = openNext();
      next.catch(() => undefined);
      yield body;
    }
    next = undefined;
  } finally {
    // What was opened ahead and nobody reads.
    void next?.then(discard, () => undefined);
    await parts.return?.(undefined);
  }
  if (expectedBytes !== undefined && missingBytes !== 0)
    throw new SegmentError(`the segments are ${missingBytes} bytes short of the whole`);
}

function partBytes(part: Part): number {
  return part.kind === 'data' ? part.data.length : part.range.end - part.range.start + 1;
}

async function openPart(reader: SegmentReader, part: Part & { kind: 'object' }): Promise<Body> {
  const open = await reader.open(part.path);
  try {
    checkSegment(open, part);
    return await open.read(wholeOr(part.range, part.sizeBytes));
  } finally {
    // A stream that runs by now keeps what it reads.
    open.close();
  }
}

function checkSegment({ record }: OpenObject, { path, sizeBytes, etag }: Part & { kind: 'object' }): void {
  if (record.sizeBytes === sizeBytes && (etag === undefined || record.etag === etag)) return;
  throw new SegmentError(
    `Object segment no longer valid: /${path.container}/${path.object} etag: ${record.etag} != ${etag} or ${record.sizeBytes} != ${sizeBytes}`,
  );
}

function wholeOr(range: ByteRange, sizeBytes: number): ByteRange | undefined {
  return range.start === 0 && range.end === sizeBytes - 1 ? undefined : range;
}

function discard(body: Body | undefined): void {
  if (body && !Buffer.isBuffer(body)) body.destroy();
}

/** A sequence of bodies as one stream. It goes to a socket body by body, each by its fastest way. */
export class SegmentStream extends Readable {
  readonly #bodies: AsyncGenerator<Body>;
  #chunks?: AsyncIterator<Uint8Array>;
  #current?: Body;

  /** The first body is opened here: what is wrong with it is said before anything is answered. */
  static async open(bodies: AsyncGenerator<Body>): Promise<SegmentStream> {
    const { value: first } = await bodies.next();
    return new SegmentStream(bodies, first as Body | undefined);
  }

  private constructor(bodies: AsyncGenerator<Body>, first: Body | undefined) {
    super();
    this.#bodies = bodies;
    this.#current = first;
  }

  async sendTo(sink: Writable): Promise<void> {
    try {
      await sendBodies(this.#allBodies(), sink);
    } finally {
      this.destroy();
    }
  }

  override _read(): void {
    this.#chunks ??= this.#allChunks();
    this.#chunks.next().then(
      ({ value, done }) => this.push(done ? null : value),
      (error: Error) => this.destroy(error),
    );
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    discard(this.#current);
    this.#bodies.return(undefined).then(
      () => callback(error),
      () => callback(error),
    );
  }

  async *#allBodies(): AsyncGenerator<Body> {
    if (!this.#current) return;
    yield this.#current;
    for await (const body of this.#bodies) {
      this.#current = body;
      yield body;
    }
  }

  async *#allChunks(): AsyncGenerator<Uint8Array> {
    for await (const body of this.#allBodies()) {
      if (Buffer.isBuffer(body)) yield body;
      else yield* body as AsyncIterable<Buffer>;
    }
  }
}
