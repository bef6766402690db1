import { StorageError } from '../errors';

/** A host failure as the error to answer with; the disk being full is told apart. */
export function toStorageError(error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  const code = (error as NodeJS.ErrnoException)?.code;
  const full = code === 'ENOSPC' || code === 'EDQUOT' || /no space left|quota exceeded/i.test(String(error));
  return full
    ? new StorageError('insufficientStorage', 'There is not enough space to store this.', { cause: error })
    : new StorageError('unavailable', 'The store failed to write; try again.', { cause: error });
}
