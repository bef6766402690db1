import { respondEmpty } from '../../http/respond';
import { getBucketFor } from '../access';
import { noSuchUpload } from '../errors';
import type { S3Request } from '../request';
import { endUpload, findCompleted, getUpload, listUploadedParts, removeSegments } from './upload';

/** DELETE Object `?uploadId=…`. */
export async function abortUpload(req: S3Request): Promise<void> {
  await getBucketFor(req, 'WRITE');
  await endUpload(req, () => abort(req));
  respondEmpty(req.ctx, 204);
}

async function abort(req: S3Request): Promise<void> {
  const upload = await getUpload(req);
  // Its parts are the object's by now.
  if (upload.isCompleted) throw noSuchUpload(upload.id);
  // After a crash both may be there.
  const isCompleted = await findCompleted(req, upload.id);
  // The upload goes first, so that nobody can complete what is half removed.
  await removeSegments(req, upload.container, [upload.name]);
  if (isCompleted) throw noSuchUpload(upload.id);
  const parts = await listUploadedParts(req, upload);
  await removeSegments(
    req,
    upload.container,
    parts.map(({ name }) => name),
  );
}
