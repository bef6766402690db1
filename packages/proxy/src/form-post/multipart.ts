import type { Readable } from 'node:stream';
import busboy from 'busboy';
import { decodeHeaderTextLossless } from '../http/header-text';
import { cutAtHeaders, FormSyntaxError, findHeader } from './cut-at-headers';
import { maxValueBytes } from './form-attributes';

/** A field of a form. Of a long value only the first `maxValueBytes` are there. */
export interface FormField {
  name: string | undefined;
  value: string;
}

/** A file of a form. Its body is to be read before the next part comes; headers have one character per byte. */
export interface FormFile {
  filename: string;
  contentType: string | undefined;
  contentEncoding: string | undefined;
  body: AsyncIterable<Buffer>;
}

/** What busboy found and nobody has asked for yet: as many as one piece of the body holds. */
type Found = FormField | { name: string | undefined; filename: string; header: string; stream: Readable };

/**
 * The parts of a `multipart/form-data` body, one after the other as they arrive; memory holds a few chunks, however long
 * a part is. Whatever of a part was not read when the next one is asked for is thrown away. Throws `FormSyntaxError`, and
 * what `source` throws.
 */
export async function* readParts(
  source: AsyncIterable<Uint8Array>,
  boundary: string,
): AsyncGenerator<FormField | FormFile> {
  const parser = openParser(boundary);
  const found: Found[] = [];
  const open = new Set<Readable>();
  let header = '';
  let failure: Error | undefined;
  let isOver = false;
  let wake = () => {};
  let releaseFeeder = () => {};

  const fail = (error: Error) => {
    failure ??= error;
    for (const stream of open) stream.destroy(failure);
    wake();
    // busboy reads on behind malformed headers; nobody wants what comes.
    releaseFeeder();
  };
  parser.on('finish', () => {
    isOver = true;
    wake();
  });
  parser.on('error', (error) => fail(syntaxError(error as Error)));
  parser.on('field', (name: string | undefined, value: string | undefined) => {
    found.push({ name: textOf(name), value: value ?? '' });
    wake();
  });
  parser.on('file', (name: string | undefined, stream, { filename }) => {
    open.add(stream);
    // Whoever reads the part sees the error; nobody may be reading it just now.
    stream.on('error', () => {});
    stream.on('close', () => open.delete(stream));
    // What busboy read from `filename*` is text already.
    const file = hasExtendedName.test(header) ? filename : textOf(filename);
    found.push({ name: textOf(name), filename: file ?? '', header, stream });
    wake();
  });

  const feed = async () => {
    for await (const piece of cutAtHeaders(source, boundary)) {
      if (failure) return;
      if (piece.header !== undefined) header = piece.header;
      await new Promise<void>((resolve) => {
        // The parser asks for no more once it is destroyed.
        releaseFeeder = resolve;
        parser.write(piece.data, () => resolve());
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
      // busboy ends its streams before it says why.
      throw failure ?? syntaxError(error as Error);
    }
  }

  try {
    while (true) {
      const part = found.shift();
      if (part && 'stream' in part) {
        const body = read(part.stream);
        if (part.filename) {
          const contentType = findHeader(part.header, 'content-type');
          const contentEncoding = findHeader(part.header, 'content-encoding');
          yield { filename: part.filename, contentType, contentEncoding, body };
        } else {
          yield { name: part.name, value: await readValue(body) };
        }
        part.stream.resume();
      } else if (part) {
        yield part;
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

const hasExtendedName = /;[ \t]*filename\*=/i;

/** Names arrive as one character per byte: they are UTF-8, or else latin1. */
function textOf(name: string | undefined): string | undefined {
  return name === undefined ? undefined : decodeHeaderTextLossless(name);
}

function openParser(boundary: string): busboy.Busboy {
  // busboy would look for other bytes.
  if (/[^\0-\x7f]/.test(boundary)) throw new FormSyntaxError('invalid boundary');
  const quoted = boundary.replace(/[\\"]/g, '\\$&');
  try {
    return busboy({
      headers: { 'content-type': `multipart/form-data; boundary="${quoted}"` },
      preservePath: true,
      limits: { fieldSize: maxValueBytes },
    });
  } catch {
    throw new FormSyntaxError('invalid boundary');
  }
}

/** The value of a field that busboy takes for a file, since its type is `application/octet-stream`. */
async function readValue(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of body) {
    if (sizeBytes < maxValueBytes) chunks.push(chunk.subarray(0, maxValueBytes - sizeBytes));
    sizeBytes += chunk.length;
  }
  return Buffer.concat(chunks).toString('utf8');
}

function syntaxError({ message }: Error): FormSyntaxError {
  const isHeader = message === 'Malformed part header';
  return new FormSyntaxError(isHeader ? 'malformed header of a part' : 'unexpected end of the form');
}
