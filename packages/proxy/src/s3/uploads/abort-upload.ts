import { respondEmpty } from '../../http/respond';
import { getBucketFor } from '../access';
import { noSuchUpload, S3Error } from '../errors';
import type { S3Request } from '../request';
import { askSwift } from '../swift';
import { findCompleted, getUpload, listUploadedParts, removeSegments } from './upload';

/** DELETE Object `?uploadId=…`. */
export async function abortUpload(req: S3Request): Promise<void> {
  await getBucketFor(req, 'WRITE');
  const upload = await getUpload(req);
  const { container, id } = upload;
  // Its parts are the object's by now.
  if (upload.isCompleted) throw noSuchUpload(id);
  // Both may be there if an earlier version of this program, which made two steps of it, crashed.
  const isCompleted = await findCompleted(req, id);
  // The upload goes first, so that nobody can complete what is half removed.
  const { status } = await askSwift(req, { method: 'DELETE', container, object: upload.name });
  if (status === 404 || isCompleted) throw noSuchUpload(id);
  if (status >= 400) throw new S3Error('ServiceUnavailable');
  const parts = await listUploadedParts(req, upload);
  await removeSegments(
    req,
    container,
    parts.map(({ name }) => name),
  );
  respondEmpty(req.ctx, 204);
}
