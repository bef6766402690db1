import { isStorageError, StorageError, type StorageErrorCode } from '../errors';

/** A refusal as it travels. `code` is a `StorageErrorCode`, or one of the protocol's own: `badRequest`, `unauthorized`, `internal`. */
export interface WireError {
  code: string;
  message: string;
  /** As in `StorageError`. */
  session?: number;
}

/** Statuses are for people who look at the wire; the other side goes by the code. */
const statuses: Record<StorageErrorCode, number> = {
  accountNotFound: 404,
  accountDeleted: 410,
  containerNotFound: 404,
  containerNotEmpty: 409,
  versionsLeft: 409,
  archiveNotFound: 412,
  policyConflict: 409,
  objectNotFound: 404,
  objectExists: 412,
  requirementNotMet: 409,
  objectIsLink: 409,
  objectIsManifest: 409,
  objectTooLarge: 413,
  bodyLengthMismatch: 400,
  bodyTimeout: 408,
  bodyAborted: 499,
  etagMismatch: 422,
  badMetadata: 400,
  stagedNotFound: 404,
  badArchive: 422,
  programNotFound: 404,
  programTooLarge: 413,
  inputTooLarge: 413,
  channelWithoutData: 400,
  systemImageNotFound: 404,
  sessionFailed: 500,
  noSlot: 503,
  insufficientStorage: 507,
  unavailable: 503,
};

/** A request that does not keep to the protocol: another version, or no proxy at all. */
export class ProtocolError extends Error {
  constructor(
    readonly status: 400 | 401 | 404 | 413,
    readonly code: 'badRequest' | 'unauthorized' | 'notFound',
    message: string,
  ) {
    super(message);
    this.name = 'ProtocolError';
  }
}

/** Status and JSON body for whatever was thrown; `expected` is false for faults that belong in the log. */
export function encodeError(error: unknown): { status: number; body: WireError; expected: boolean } {
  if (isStorageError(error)) {
    const { code, message, session } = error;
    return { status: statuses[code] ?? 500, body: { code, message, session }, expected: true };
  }
  if (error instanceof ProtocolError) {
    return { status: error.status, body: { code: error.code, message: error.message }, expected: true };
  }
  return { status: 500, body: { code: 'internal', message: 'The storage node failed; see its log.' }, expected: false };
}

/** The error that the other side meant. A code that is no `StorageErrorCode` becomes a fault of the host. */
export function decodeError(status: number, text: string): Error {
  const { code, message, session } = parseError(text);
  if (code === undefined || !Object.hasOwn(statuses, code)) {
    return new Error(`the storage node answered ${status}: ${message ?? text.slice(0, 200)}`);
  }
  const error = new StorageError(code as StorageErrorCode, message ?? code);
  if (session !== undefined) error.session = session;
  return error;
}

function parseError(text: string): Partial<WireError> {
  try {
    const { code, message, session } = JSON.parse(text);
    if (typeof code !== 'string' || typeof message !== 'string') return {};
    return typeof session === 'number' ? { code, message, session } : { code, message };
  } catch {
    return {};
  }
}
