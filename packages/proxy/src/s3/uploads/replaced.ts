import { type ContainerRecord, nullVersion } from '@zerocloud/object-server';
import type { SubAnswer } from '../../http/subrequest';
import { isStatic } from '../../large-objects/stored-manifest';
import { segmentsOf } from '../bucket-name';
import type { S3Request } from '../request';
import { listUploadedParts, removeSegments, uploadMetadata } from './upload';

/** The parts of an object that is about to be replaced, or gone. */
export interface Replaced {
  container: string;
  /** `<key>/<upload id>`. */
  name: string;
}

/** Those of a multipart object at the key of the request; nothing where the bucket keeps what is replaced. */
export async function findReplaced(req: S3Request, bucket: ContainerRecord): Promise<Replaced | undefined> {
  const { versioning, archive } = bucket;
  if (versioning === 'enabled' || archive) return undefined;
  const path = { account: req.account, container: req.bucket, object: req.key };
  const record = await req.api.deps.node.findObject(path);
  // Where versions are suspended, only the one without an id is replaced.
  if (versioning && record?.versionId !== nullVersion) return undefined;
  const id = record?.metadata[uploadMetadata.id];
  return record && id && isStatic(record) ? { container: segmentsOf(req.bucket), name: `${req.key}/${id}` } : undefined;
}

/**
 * Removes what nobody can reach any more, once the new object is there. (Swift leaves it until the bucket goes.) The
 * request has done what it was asked for, so a failure is only logged.
 */
export async function removeReplaced(
  req: S3Request,
  replaced: Replaced | undefined,
  { headers }: Pick<SubAnswer, 'headers'>,
): Promise<void> {
  // The bucket keeps versions by now: what was replaced is one.
  if (!replaced || (headers['x-object-version-id'] ?? nullVersion) !== nullVersion) return;
  const { container } = replaced;
  try {
    const parts = await listUploadedParts(req, replaced);
    const names = parts.map(({ name }) => name);
    await removeSegments(req, container, names);
  } catch (err) {
    req.api.deps.log.warn({ txn: req.ctx.state.transactionId, err, container }, 'parts of an object that is gone stay');
  }
}
