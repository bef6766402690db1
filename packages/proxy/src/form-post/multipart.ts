import type { Readable } from 'node:stream';
import { Dicer } from '@fastify/busboy';

/** One part of a form: its headers (names in lower case) and its body, which is to be read before the next part comes. */
export interface FormPart {
  headers: Record<string, string>;
  body: AsyncIterable<Buffer>;
}

/** A body that is no form; the message is for the client. */
export class FormSyntaxError extends Error {}

const maxHeaderPairs = 100;

/**
 * The parts of a `multipart/form-data` body, one after the other as they arrive; memory holds a few chunks, however long
 * a part is. Whatever of a part was not read when the next one is asked for is thrown away. Throws `FormSyntaxError`, and
 * what `source` throws.
 *
 * The parser is the one inside busboy, used by itself, for busboy keeps the parts' headers to itself.
 */
export async function* readParts(source: AsyncIterable<Uint8Array>, boundary: string): AsyncGenerator<FormPart> {
  const parser = new Dicer({ boundary, maxHeaderPairs });
  const found: { headers: Record<string, string>; stream: Readable }[] = [];
  const open = new Set<Readable>();
  let failure: Error | undefined;
  let isOver = false;
  let wake = () => {};
  let releaseFeeder = () => {};

  const fail = (error: Error) => {
    failure ??= error;
    for (const stream of open) stream.destroy(failure);
    wake();
  };
  // All parts were read and the last boundary was seen.
  parser.on('finish', () => {
    isOver = true;
    wake();
  });
  parser.on('error', () => fail(new FormSyntaxError('unexpected end of the form')));
  parser.on('part', (stream) => {
    open.add(stream);
    // Whoever reads the part sees the error; nobody may be reading it just now.
    stream.on('error', () => {});
    stream.on('close', () => open.delete(stream));
    stream.on('header', (header) => {
      found.push({ headers: textHeaders(header as Record<string, string[]>), stream });
      wake();
    });
  });

  const feed = async () => {
    for await (const chunk of checkStart(source, boundary)) {
      await new Promise<void>((resolve) => {
        // The parser never asks for more behind the last boundary, or once it is destroyed.
        releaseFeeder = resolve;
        parser.write(chunk, () => resolve());
      });
      if (isOver) return;
    }
    parser.end();
  };
  const feeding = feed().catch(fail);

  async function* read(stream: Readable): AsyncGenerator<Buffer> {
    try {
      yield* stream.iterator({ destroyOnReturn: false });
    } catch (error) {
      throw failure ?? error;
    }
  }

  try {
    while (true) {
      const part = found.shift();
      if (part) {
        yield { headers: part.headers, body: read(part.stream) };
        part.stream.resume();
      } else if (failure) {
        throw failure;
      } else if (isOver) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    isOver = true;
    for (const stream of open) stream.destroy();
    parser.destroy();
    releaseFeeder();
    await feeding;
  }
}

/** Refuses a body that does not begin with the boundary (behind empty lines), which the parser would skip in silence. */
async function* checkStart(source: AsyncIterable<Uint8Array>, boundary: string): AsyncGenerator<Buffer> {
  const wanted = Buffer.from(`--${boundary}\r\n`, 'latin1');
  let head: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of source) {
    const data = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    if (head === undefined) {
      yield data;
      continue;
    }
    head = Buffer.concat([head, data]);
    while (head[0] === 0x0d && head[1] === 0x0a) head = head.subarray(2);
    if (head.length < wanted.length) continue;
    if (!head.subarray(0, wanted.length).equals(wanted)) throw invalidStart();
    yield head;
    head = undefined;
  }
  if (head) throw invalidStart();
}

function invalidStart(): FormSyntaxError {
  return new FormSyntaxError('invalid starting boundary');
}

function textHeaders(header: Record<string, string[]>): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name in header) headers[name] = header[name]![0]!;
  return headers;
}
