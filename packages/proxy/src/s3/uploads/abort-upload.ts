import { respondEmpty } from '../../http/respond';
import { getBucketFor } from '../access';
import { S3Error } from '../errors';
import type { S3Request } from '../request';
import { getUpload, listUploadedParts, removeSegments } from './upload';

/** DELETE Object `?uploadId=…`. */
export async function abortUpload(req: S3Request): Promise<void> {
  await getBucketFor(req, 'WRITE');
  const upload = await getUpload(req);
  // Its parts are the object's by now.
  if (upload.isCompleted) throw new S3Error('NoSuchUpload', undefined, { UploadId: upload.id });
  // The upload goes first, so that nobody can complete what is half removed.
  await removeSegments(req, upload.container, [upload.name]);
  const parts = await listUploadedParts(req, upload);
  await removeSegments(
    req,
    upload.container,
    parts.map(({ name }) => name),
  );
  respondEmpty(req.ctx, 204);
}
