import { hash } from 'node:crypto';
import { StorageError } from '../../errors';
import type { ObjectRecord } from '../object-store';
import { isBlobId, maxInlineBytes } from './blob-files';
import type { Transaction } from './group-commit';
import { inlineBodyKey } from './keys';
import { inlineBodies } from './rows';

/** The body of `record`, if there is one, with `data` behind it. `objectTooLarge` beyond what is kept in the database. */
export function appendBody(
  tx: Transaction,
  record: ObjectRecord | undefined,
  data: Uint8Array,
): { body: Buffer; etag: string } {
  if ((record?.sizeBytes ?? 0) + data.byteLength > maxInlineBytes || (record && isBlobId(record.bodyId))) {
    throw new StorageError('objectTooLarge', `An object may grow to at most ${maxInlineBytes} bytes.`);
  }
  const old = record && tx.find(inlineBodies, inlineBodyKey(record.bodyId));
  const body = Buffer.concat(old ? [old, data] : [data]);
  return { body, etag: hash('md5', body) };
}
