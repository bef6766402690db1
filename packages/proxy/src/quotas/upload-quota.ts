import type { AccountRecord, ContainerRecord } from '@zerocloud/object-server';
import { HttpError, htmlType } from '../errors';

const accountBytes = 'x-account-meta-quota-bytes';
const containerBytes = 'x-container-meta-quota-bytes';
const containerCount = 'x-container-meta-quota-count';
const whole = /^\d+$/;

/**
 * Bytes that the body of an upload may have: `maxBytes`, or what the quotas of account and container leave. Throws 413
 * when the declared length does not fit. As Swift counts, an object that takes another's place needs room beside it
 * (`account_quotas.py`, `container_quotas.py`); an upload without a declared length is held to the same room, where
 * Swift lets it pass.
 */
export function getUploadRoom(
  account: AccountRecord | undefined,
  container: Pick<ContainerRecord, 'metadata' | 'objectCount' | 'bytesUsed'>,
  declaredBytes: number | undefined,
  maxBytes: number,
): number {
  const ownBytes = findQuota(container.metadata, containerBytes);
  const allBytes = findQuota(account?.metadata, accountBytes);
  const count = findQuota(container.metadata, containerCount);
  if (count !== undefined && container.objectCount >= count) throw exceeded();
  if (ownBytes === undefined && allBytes === undefined) return maxBytes;
  const room = Math.min(
    (ownBytes ?? Number.POSITIVE_INFINITY) - container.bytesUsed,
    (allBytes ?? Number.POSITIVE_INFINITY) - (account?.bytesUsed ?? 0),
  );
  if (room < (declaredBytes ?? 0)) throw exceeded();
  return Math.min(room, maxBytes);
}

function findQuota(metadata: Record<string, string> | undefined, name: string): number | undefined {
  const text = metadata?.[name];
  return text !== undefined && whole.test(text) ? Number(text) : undefined;
}

function exceeded(): HttpError {
  return new HttpError(413, 'Upload exceeds quota.', { headers: { 'content-type': htmlType } });
}
