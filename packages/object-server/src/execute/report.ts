import { type Report, SandboxError, type SandboxErrorCode } from '@zerocloud/sandbox';
import { StorageError, type StorageErrorCode } from '../errors';
import type { NodeReport, NodeSession } from '../storage-node';
import type { OpenedSources } from './opened-sources';

/** The report as the client shall see it, with what was known of the session's sources. */
export function reportOf(
  report: Report,
  { channels, prevalidated }: NodeSession,
  { isProgramFoundValid, policy }: Pick<OpenedSources, 'isProgramFoundValid' | 'policy'>,
): NodeReport {
  // Stored outputs have checksums besides, for the store.
  const isWanted = (name: string) => channels.some(({ device, etag }) => etag && name === `/dev/${device}`);
  const etags = report.etags.filter(({ name }) => isWanted(name));
  const validation = prevalidated && isProgramFoundValid && report.validation === 0 ? 2 : report.validation;
  return { ...report, etags, validation, ...(policy && { policy }) };
}

/** Codes that are not here come from a sandbox that does not work, not from a session. */
const codes: Partial<Record<SandboxErrorCode, [code: StorageErrorCode, sentence?: string]>> = {
  'system-image-not-found': ['systemImageNotFound'],
  'program-not-found': ['programNotFound', 'No executable found in request'],
  'bad-image': ['badArchive'],
  'image-too-large': ['inputTooLarge'],
  'source-not-found': ['sessionFailed', 'An input of the session was lost'],
  closed: ['unavailable', 'The server is stopping'],
  'executor-failed': ['sessionFailed'],
};

/** Works for errors of another module instance too, unlike `instanceof`. */
export function toStorageError(error: unknown): unknown {
  if (!(error instanceof Error) || error.name !== SandboxError.name) return error;
  const { code: sandboxCode, session } = error as SandboxError;
  const [code, sentence] = codes[sandboxCode] ?? ['unavailable'];
  const translated = new StorageError(code, sentence ?? error.message, { cause: error });
  if (session !== undefined) translated.session = session;
  return translated;
}
