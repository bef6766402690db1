import type { StorageError, StorageErrorCode } from '@zerocloud/object-server';
import type { HttpError } from '../errors';
import { nodeNotRun } from './errors';

/** What a storage node's refusal to start a node means to the client. */
export function refusedNode(node: string, error: StorageError): HttpError {
  return nodeNotRun(node, statuses[error.code] ?? 500, sentences[error.code] ?? error.message, error);
}

const statuses: Partial<Record<StorageErrorCode, number>> = {
  objectNotFound: 404,
  containerNotFound: 404,
  accountNotFound: 404,
  accountDeleted: 410,
  programNotFound: 400,
  systemImageNotFound: 400,
  channelWithoutData: 400,
  programTooLarge: 413,
  inputTooLarge: 413,
  objectIsLink: 409,
  objectIsManifest: 409,
  objectTooLarge: 413,
  badArchive: 422,
  noSlot: 503,
  unavailable: 503,
  insufficientStorage: 507,
};

const sentences: Partial<Record<StorageErrorCode, string>> = {
  objectTooLarge: 'RPC request too large',
};
