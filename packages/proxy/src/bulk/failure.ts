import { isStorageError, type StorageErrorCode } from '@zerocloud/object-server';
import { HttpError } from '../errors';

const statuses: Partial<Record<StorageErrorCode, number>> = { bodyTimeout: 408, bodyAborted: 499, noSlot: 503 };

/** What ended a bulk request, if that is no fault of the server: status and sentence for its report. */
export function findFailure(error: unknown): { status: number; sentence: string } | undefined {
  if (error instanceof HttpError) return { status: error.status, sentence: error.body };
  if (!isStorageError(error)) return undefined;
  const status = statuses[error.code];
  return status === undefined ? undefined : { status, sentence: '' };
}
