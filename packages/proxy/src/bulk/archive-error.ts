import { BzipError } from './bzip2/bunzip';

/** The bytes are no archive of the type, or not all of one. The sentences are those of Python's tarfile. */
export class ArchiveError extends Error {}

const headerBytes = 512;

/** What the parsers say, in one language; other errors as they are. `tarBytes` is how far the archive was read. */
export function asArchiveError(error: unknown, tarBytes: number): unknown {
  if (error instanceof ArchiveError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (error instanceof BzipError) {
    return new ArchiveError(/EOF/.test(message) ? endOfData(tarBytes) : 'invalid compressed data', { cause: error });
  }
  if (code === 'Z_DATA_ERROR' && tarBytes === 0 && /header/.test(message)) {
    return new ArchiveError('not a gzip file', { cause: error });
  }
  if (code === 'Z_BUF_ERROR' && tarBytes === 0) return new ArchiveError('not a gzip file', { cause: error });
  if (code === 'Z_BUF_ERROR') return new ArchiveError(endOfData(tarBytes), { cause: error });
  if (code?.startsWith('Z_')) return new ArchiveError('invalid compressed data', { cause: error });
  if (message === 'Unexpected end of data') return new ArchiveError(endOfData(tarBytes), { cause: error });
  if (/^(Invalid tar header|Invalid header|Header exceeds|Invalid pax)/i.test(message)) {
    return new ArchiveError('invalid header', { cause: error });
  }
  return error;
}

function endOfData(tarBytes: number): string {
  if (tarBytes === 0) return 'empty file';
  return tarBytes < headerBytes ? 'truncated header' : 'unexpected end of data';
}
