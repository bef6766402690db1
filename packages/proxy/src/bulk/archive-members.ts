import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { type Extract, extract, type Header } from 'tar-stream';
import { ArchiveError, asArchiveError } from './archive-error';
import { bunzip } from './bzip2/bunzip';

export type ArchiveType = 'tar' | 'tar.gz' | 'tar.bz2';

/** A regular file of an archive. */
export interface Member {
  /** Bytes: names need not be text. */
  name: Buffer;
  sizeBytes: number;
  /** Records of the extended header. */
  pax: Record<string, string>;
  /** To be read, or left alone; the next member comes when this one is over. */
  body: AsyncIterable<Uint8Array>;
}

/**
 * The files of an archive, as its bytes come: no more than a few chunks of a member are held. Everything else in it
 * (folders, links …) is passed over. Throws an `ArchiveError`, or what the source throws.
 */
export async function* archiveMembers(source: AsyncIterable<Uint8Array>, type: ArchiveType): AsyncGenerator<Member> {
  const entries = extract(parserOptions);
  const seen: Seen = { tarBytes: 0, failure: undefined };
  const stop = new AbortController();
  const fed = feed(source, type, entries, seen, stop.signal);
  // It is told by the entries, too; whoever comes first.
  fed.catch((error) => entries.destroy(error));
  try {
    for await (const entry of entries) {
      const chunks = inTurn(entry[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>);
      const member = findMember(entry.header, chunks);
      if (member) yield member;
      // What nobody wanted. The iterator is never returned: that would end the whole archive.
      while (!(await chunks.next()).done);
    }
    await fed;
    if (seen.tarBytes === 0) throw new ArchiveError(type === 'tar.gz' ? 'not a gzip file' : 'empty file');
  } catch (error) {
    throw seen.failure ?? asArchiveError(error, seen.tarBytes);
  } finally {
    stop.abort();
    entries.destroy();
  }
}

/**
 * One read at a time. Of two that overlap the parser forgets the first; and who loses interest in a member half-way, as an
 * upload does that fails, may have one under way when the rest is passed over.
 */
function inTurn(chunks: AsyncIterator<Uint8Array>): Pick<AsyncIterator<Uint8Array>, 'next'> {
  let turn: Promise<unknown> = Promise.resolve();
  return {
    next: () => {
      const result = turn.then(() => chunks.next());
      turn = result.catch(() => undefined);
      return result;
    },
  };
}

/** Its types do not know them. Names come as they are, byte by byte; tars from before the standard are tars, too. */
const parserOptions: object = { filenameEncoding: 'latin1', allowUnknownFormat: true };

interface Seen {
  /** Bytes of the tar itself. */
  tarBytes: number;
  /** What ended the source. It says more than what the parser makes of an early end. */
  failure: unknown;
}

function feed(
  source: AsyncIterable<Uint8Array>,
  type: ArchiveType,
  entries: Extract,
  seen: Seen,
  signal: AbortSignal,
): Promise<void> {
  async function* input(): AsyncGenerator<Uint8Array> {
    try {
      yield* source;
    } catch (error) {
      seen.failure = error;
      throw error;
    }
  }
  async function* counted(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      seen.tarBytes += chunk.length;
      yield chunk;
    }
  }
  const bytes = Readable.from(input(), { objectMode: false });
  if (type === 'tar') return pipeline(bytes, counted, entries, { signal });
  if (type === 'tar.gz') return pipeline(bytes, createGunzip(), counted, entries, { signal });
  return pipeline(bytes, bunzip, counted, entries, { signal });
}

function findMember(header: Header, chunks: Pick<AsyncIterator<Uint8Array>, 'next'>): Member | undefined {
  if (header.type !== 'file' && header.type !== 'contiguous-file') return undefined;
  const pax = (header.pax ?? {}) as Record<string, string>;
  return {
    name: nameOf(header.name, pax),
    sizeBytes: header.size,
    pax,
    body: { [Symbol.asyncIterator]: () => ({ next: () => chunks.next() }) },
  };
}

/** Names in extended headers are UTF-8, and where they were not, this character has taken the place of bytes. */
function nameOf(name: string, pax: Record<string, string>): Buffer {
  if (pax.path === undefined) return Buffer.from(name, 'latin1');
  return name.includes('\ufffd') ? Buffer.from(name.replaceAll('\ufffd', '\xff'), 'latin1') : Buffer.from(name);
}
