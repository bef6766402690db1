/** Every expected failure of the storage side. The proxy turns a code into a status and a sentence. */
export type StorageErrorCode =
  | 'accountNotFound'
  | 'accountDeleted'
  | 'containerNotFound'
  | 'containerNotEmpty'
  | 'versionsLeft'
  | 'archiveNotFound'
  | 'policyConflict'
  | 'objectNotFound'
  | 'objectExists'
  | 'requirementNotMet'
  | 'objectIsLink'
  | 'objectIsManifest'
  | 'objectTooLarge'
  | 'bodyLengthMismatch'
  | 'bodyTimeout'
  | 'bodyAborted'
  | 'etagMismatch'
  | 'badMetadata'
  | 'stagedNotFound'
  | 'badArchive'
  | 'programNotFound'
  | 'programTooLarge'
  | 'inputTooLarge'
  | 'channelWithoutData'
  | 'systemImageNotFound'
  | 'sessionFailed'
  | 'noSlot'
  | 'insufficientStorage'
  | 'unavailable';

/** An expected failure; `message` is safe to show to a client. */
export class StorageError extends Error {
  /** Which session of a group it is about. */
  session?: number;

  constructor(
    readonly code: StorageErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'StorageError';
  }
}

/** Works across module instances and for errors rebuilt from the wire, unlike `instanceof`. */
export function isStorageError(error: unknown, code?: StorageErrorCode): error is StorageError {
  return (
    error instanceof Error &&
    error.name === 'StorageError' &&
    (code === undefined || (error as StorageError).code === code)
  );
}
