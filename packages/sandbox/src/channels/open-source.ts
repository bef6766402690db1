import { closeSync, fstatSync, openSync } from 'node:fs';
import { SandboxError } from '../errors';
import type { ChannelSource } from './channel-spec';
import { BytesAccess, type RandomAccess } from './random-access';
import { ReadAheadFile } from './read-ahead';

export interface OpenSource {
  readonly content: RandomAccess;
  /** Closes the file; the content must not be read any more. */
  close(): void;
}

/**
 * Opens bytes or a regular file for reading; the file keeps readable when its name goes away.
 * Throws `source-not-found`; `what` names the source in the sentence.
 */
export function openSource(source: ChannelSource, what: string): OpenSource {
  if (source.kind === 'bytes') return { content: new BytesAccess(source.data), close: () => undefined };
  if (source.kind === 'inherited') {
    return { content: new ReadAheadFile(source.fd, source.sizeBytes), close: () => undefined };
  }
  let fd: number;
  try {
    fd = openSync(source.path, 'r');
  } catch (cause) {
    throw new SandboxError('source-not-found', `the source of ${what} cannot be opened`, { cause });
  }
  const stat = fstatSync(fd);
  if (stat.isFile()) return { content: new ReadAheadFile(fd, stat.size), close: () => closeSync(fd) };
  closeSync(fd);
  throw new SandboxError('source-not-found', `the source of ${what} is not a regular file`);
}
