import { randomUUID } from 'node:crypto';
import { bucketOwnerOf, getBucketFor } from '../access';
import { encodeAcl, getAclOfHeaders } from '../acl';
import { answerXml } from '../answers';
import { segmentsOf } from '../bucket-name';
import { notImplemented } from '../errors';
import { readObjectHeaders } from '../object-headers';
import type { S3Request } from '../request';
import { callSwift } from '../swift';
import { textElement, xmlDocument } from '../xml';
import { uploadMetadata } from './upload';

/** POST Object `?uploads`. */
export async function createUpload(req: S3Request): Promise<void> {
  const bucket = await getBucketFor(req, 'WRITE');
  if (req.header('x-delete-at') !== undefined || req.header('x-delete-after') !== undefined) {
    throw notImplemented('Multipart uploads cannot be given an expiry.');
  }
  const owners = { bucketOwner: bucketOwnerOf(req, bucket), objectOwner: req.user };
  const acl = encodeAcl(getAclOfHeaders(req.headers, owners));
  const container = segmentsOf(req.bucket);
  await makeContainer(req, container);
  const id = Buffer.from(randomUUID()).toString('base64url');
  const contentType = req.header('content-type');
  await callSwift(req, {
    method: 'PUT',
    container,
    object: `${req.key}/${id}`,
    headers: {
      ...readObjectHeaders(req),
      'content-type': 'application/directory',
      [uploadMetadata.hasContentType]: contentType === undefined ? 'no' : 'yes',
      [uploadMetadata.contentType]: contentType,
      [uploadMetadata.acl]: acl,
    },
  });
  answerXml(
    req.ctx,
    xmlDocument(
      'InitiateMultipartUploadResult',
      textElement('Bucket', req.bucket),
      textElement('Key', req.key),
      textElement('UploadId', id),
    ),
  );
}

/** The parts live under the policy of their bucket, and whoever may use the one by Swift may use the other. */
async function makeContainer(req: S3Request, container: string): Promise<void> {
  if (await req.api.deps.node.findContainer({ account: req.account, container })) return;
  const { headers } = await callSwift(req, { method: 'HEAD' });
  const kept = ['x-storage-policy', 'x-container-read', 'x-container-write'];
  const same = Object.fromEntries(kept.map((name) => [name, headers[name]]));
  await callSwift(req, { method: 'PUT', container, headers: same });
}
