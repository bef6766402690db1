import { createHash } from 'node:crypto';
import type { ContainerRecord } from '@zerocloud/object-server';
import type { SwiftContext } from '../../context';
import { maxSegmentsName } from '../../large-objects/put-manifest';
import { unquoteEtag } from '../../objects/conditions';
import { rawPathOf } from '../../swift-path';
import { getBucketFor } from '../access';
import { objectAclName } from '../acl';
import { answerXml } from '../answers';
import { noSuchUpload, notImplemented, S3Error } from '../errors';
import type { S3Request } from '../request';
import { s3EtagName } from '../s3-etag';
import { askSwift, refusalOf, type SwiftRequest } from '../swift';
import { allowOnly, findText, parseXml, textElement, xmlDocument } from '../xml';
import { findReplaced, removeReplaced } from './replaced';
import {
  asWhole,
  findCompleted,
  getUpload,
  listUploadedParts,
  type Part,
  removeSegments,
  type Upload,
  uploadMetadata,
} from './upload';

/** With the longest checksum. */
const maxBytesOfPart = 512;
/** An upload that gets parts again and again while it is being completed: after so many the client may try later. */
const maxAttempts = 5;
const minBodyBytes = 2 * 1024 * 1024;
const partElements = [
  'PartNumber',
  'ETag',
  // Checked when the part was uploaded, if its client sent one.
  'ChecksumCRC32',
  'ChecksumCRC32C',
  'ChecksumCRC64NVME',
  'ChecksumSHA1',
  'ChecksumSHA256',
];
const kept = ['content-encoding', 'content-language', 'content-disposition', 'expires', 'cache-control'];

interface NamedPart {
  number: number;
  etag: string;
}

/** POST Object `?uploadId=…`: the parts become one object, whose bytes stay where they are. */
export async function completeUpload(req: S3Request): Promise<void> {
  if (Object.keys(req.headers).some((name) => /^x-amz-(?:checksum-(?!type)|mp-object-size)/.test(name))) {
    throw notImplemented('Checksums of whole multipart uploads are not supported.');
  }
  const bucket = await getBucketFor(req, 'WRITE');
  const named = await readParts(req, await getUpload(req));
  for (let attempt = 1; ; attempt++) {
    const refusal = await complete(req, bucket, named);
    if (!refusal) break;
    if (attempt === maxAttempts) throw refusal;
  }
  answerCompleted(req, etagOf(named));
}

/** Resolves with the refusal if the upload may have changed meanwhile: a part came, or somebody else ended it. */
async function complete(req: S3Request, bucket: ContainerRecord, named: NamedPart[]): Promise<S3Error | undefined> {
  const upload = await getUpload(req);
  const etag = etagOf(named);
  const completed = upload.isCompleted ? upload.head : await findCompleted(req, upload.id);
  if (completed) {
    // Again, for a client that did not hear of it the first time. Both are there only if an earlier version crashed.
    if (!upload.isCompleted) await removeSegments(req, upload.container, [upload.name]);
    if (completed.headers[s3EtagName] !== etag) throw noSuchUpload(upload.id);
    return undefined;
  }
  const uploaded = await listUploadedParts(req, upload);
  const manifest = Buffer.from(JSON.stringify(manifestOf(req, upload, named, uploaded)));
  const replaced = await findReplaced(req, bucket);
  const request: SwiftRequest = {
    method: 'PUT',
    object: req.key,
    query: { 'multipart-manifest': 'put' },
    headers: {
      ...headersOf(upload),
      ...asWhole(upload),
      'content-length': String(manifest.length),
      [maxSegmentsName]: String(named.length),
      [s3EtagName]: etag,
    },
    body: once(manifest),
  };
  const answer = await askSwift(req, request);
  if (answer.status === 409) return new S3Error('ServiceUnavailable');
  const refusal = answer.status >= 400 ? await refusalOf(req, request, answer) : undefined;
  // Parts that are gone or others by now.
  if (answer.status === 400) return refusal;
  if (refusal) throw refusal;
  const isNamed = new Set(named.map(({ number }) => number));
  const unused = uploaded.filter(({ number }) => !isNamed.has(number)).map(({ name }) => name);
  await removeSegments(req, upload.container, unused);
  await removeReplaced(req, replaced, answer);
  const version = answer.headers['x-object-version-id'];
  if (version !== undefined) req.ctx.res.setHeader('x-amz-version-id', version);
  return undefined;
}

async function* once(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function readParts(req: S3Request, { id }: Upload): Promise<NamedPart[]> {
  const maxBytes = Math.max(minBodyBytes, req.api.config.maxUploadParts * maxBytesOfPart);
  const body = await req.payload.read(maxBytes, new S3Error('MalformedXML'));
  if (body.length === 0) throw new S3Error('InvalidRequest', 'You must specify at least one part');
  const root = parseXml(body, 'CompleteMultipartUpload');
  allowOnly(root, ['Part']);
  if (root.children.length === 0) throw new S3Error('MalformedXML');
  let previous = 0;
  return root.children.map((part) => {
    allowOnly(part, partElements);
    const text = findText(part, 'PartNumber')?.trim() ?? '';
    const tag = findText(part, 'ETag');
    if (!/^[+-]?\d{1,9}$/.test(text) || tag === undefined) throw new S3Error('MalformedXML');
    const number = Number(text);
    if (number <= previous) throw new S3Error('InvalidPartOrder', undefined, { UploadId: id });
    previous = number;
    const etag = unquoteEtag(tag.trim());
    if (!/^[0-9a-f]{32}$/.test(etag)) throw invalidPart(id, number);
    return { number, etag };
  });
}

/** S3's entity tag of the whole: the md5 of the parts' md5s, and their number. */
function etagOf(parts: NamedPart[]): string {
  const hash = createHash('md5');
  for (const { etag } of parts) hash.update(etag, 'hex');
  return `${hash.digest('hex')}-${parts.length}`;
}

/** `InvalidPart` for what was not uploaded, `EntityTooSmall`. */
function manifestOf(req: S3Request, { container, name, id }: Upload, named: NamedPart[], uploaded: Part[]) {
  const { minPartBytes } = req.api.config;
  const byNumber = new Map(uploaded.map((part) => [part.number, part]));
  return named.map(({ number, etag }, index) => {
    const part = byNumber.get(number);
    if (!part || part.hash !== etag) throw invalidPart(id, number);
    if (part.bytes < minPartBytes && index < named.length - 1) {
      throw new S3Error('EntityTooSmall', undefined, {
        PartNumber: String(number),
        ProposedSize: String(part.bytes),
        MinSizeAllowed: String(minPartBytes),
      });
    }
    return { path: `/${container}/${name}/${number}`, etag, size_bytes: part.bytes };
  });
}

/** What the upload was begun with. */
function headersOf({ id, head: { headers } }: Upload): Record<string, string | undefined> {
  const own: Record<string, string | undefined> = {};
  for (const name in headers) if (name.startsWith('x-object-meta-') || kept.includes(name)) own[name] = headers[name];
  return {
    ...own,
    'content-type': headers[uploadMetadata.contentType],
    [objectAclName]: headers[uploadMetadata.acl],
    [uploadMetadata.id]: id,
  };
}

function invalidPart(uploadId: string, number: number): S3Error {
  return new S3Error('InvalidPart', undefined, { UploadId: uploadId, PartNumber: String(number) });
}

function answerCompleted(req: S3Request, etag: string): void {
  const { ctx } = req;
  answerXml(
    ctx,
    xmlDocument(
      'CompleteMultipartUploadResult',
      textElement('Location', `http://${hostOf(ctx)}${rawPathOf(ctx.req.url!)}`),
      textElement('Bucket', req.bucket),
      textElement('Key', req.key),
      textElement('ETag', `"${etag}"`),
    ),
  );
}

/** Old clients name their port twice when they sign with version 4. */
function hostOf(ctx: SwiftContext): string {
  return (ctx.req.headers.host ?? '').split(':', 2).join(':');
}
