import { respondEmpty } from '../../http/respond';
import { getBucketFor } from '../access';
import { S3Error } from '../errors';
import type { S3Request } from '../request';
import { s3EtagName } from '../s3-etag';
import { askSwift, refusalOf, type SwiftRequest } from '../swift';

/** DELETE Object: 204 also when there was none. */
export async function deleteObject(req: S3Request): Promise<void> {
  await getBucketFor(req, 'WRITE');
  const headers = await removeObject(req, req.key, req.params.get('versionId'));
  respondEmpty(req.ctx, 204, headers);
}

/** Deletes one object with the parts it is made of. Resolves with headers for the answer. */
export async function removeObject(req: S3Request, key: string, version?: string): Promise<Record<string, string>> {
  const selection = version === undefined ? {} : { 'version-id': version, symlink: 'get' };
  const head = await askSwift(req, { method: 'HEAD', object: key, query: { ...selection, symlink: 'get' } });
  const isLarge = head.headers['x-static-large-object']?.toLowerCase() === 'true';
  // What S3 made is of one container, so its parts can go without a report.
  const isUpload = head.headers[s3EtagName] !== undefined;
  const manifest = isLarge ? { 'multipart-manifest': 'delete', async: isUpload ? 'on' : undefined } : {};
  const request: SwiftRequest = {
    method: 'DELETE',
    object: key,
    query: { ...selection, ...manifest },
    headers: { accept: 'application/json' },
  };
  const answer = await askSwift(req, request);
  if (answer.status >= 400 && answer.status !== 404) throw await refusalOf(req, request, answer);
  if (isLarge && answer.status === 200) await checkParts(answer.body);
  const headers: Record<string, string> = {};
  const versionId = answer.headers['x-object-version-id'];
  if (versionId) headers['x-amz-version-id'] = versionId;
  return headers;
}

/** The report on the parts of a large object that Swift made. */
async function checkParts(body: AsyncIterable<Uint8Array> | Buffer): Promise<void> {
  const chunks: Uint8Array[] = [];
  if (Buffer.isBuffer(body)) chunks.push(body);
  else for await (const chunk of body) chunks.push(chunk);
  const report = JSON.parse(Buffer.concat(chunks).toString('utf8')) as {
    'Response Status': string;
    Errors: [string, string][];
  };
  if (report.Errors.length === 0) return;
  const lines = report.Errors.map(([name, status]) => `${name}: ${status}`);
  throw new S3Error('InternalError', [report['Response Status'], ...lines].join('\n'));
}
