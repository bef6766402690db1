import type { SubAnswer } from '../../http/subrequest';
import { requireObject } from '../../objects/required-object';
import { objectAclName } from '../acl';
import { segmentsOf } from '../bucket-name';
import { noSuchUpload, S3Error } from '../errors';
import type { S3Request } from '../request';
import { s3EtagName } from '../s3-etag';
import { askSwift, callSwift, readListing } from '../swift';

/**
 * A multipart upload, as Swift's s3api keeps one: in the container `<bucket>+segments`, an empty object
 * `<key>/<upload id>` that knows the headers of the object to be, and beside it the parts, `<key>/<upload id>/<number>`.
 * Completed, it is a static large object of those parts.
 *
 * The empty object decides, for any number of proxies: a part is stored only where it is, and notes itself in it; the
 * completed object appears in the step in which it goes, and only if no part has come since the parts were looked at; and
 * an abortion begins with its removal.
 */
export interface Upload {
  container: string;
  /** `<key>/<upload id>`. */
  name: string;
  id: string;
  /** HEAD of the empty object; or of the completed one, when the upload is over. */
  head: SubAnswer;
  isCompleted: boolean;
}

/** System metadata of an upload, and of the object it became. */
export const uploadMetadata = {
  /** The access control list of the object to be. */
  acl: 'x-object-sysmeta-s3api-tmpacl',
  hasContentType: 'x-object-sysmeta-s3api-has-content-type',
  contentType: 'x-object-sysmeta-s3api-content-type',
  /** On the object: the upload that made it, so that completing it twice does no harm. */
  id: 'x-object-sysmeta-s3api-upload-id',
  /** Other after each part. */
  lastPart: 'x-object-sysmeta-s3api-last-part',
} as const;

/** System metadata that a copy, a part for example, must not take from its source: its content is one piece. */
export const noInheritance = { [objectAclName]: '', [s3EtagName]: '', [uploadMetadata.id]: '' };

/** Only ids of this form were given out; others could name a part. */
const idForm = /^[A-Za-z0-9_-]{1,128}$/;

/** The upload that the request names. `NoSuchUpload`. */
export async function getUpload(req: S3Request): Promise<Upload> {
  const id = req.params.get('uploadId')!;
  if (!idForm.test(id)) throw noSuchUpload(id);
  const container = segmentsOf(req.bucket);
  const name = `${req.key}/${id}`;
  const head = await askSwift(req, { method: 'HEAD', container, object: name });
  if (head.status === 200 && head.headers[uploadMetadata.hasContentType] !== undefined) {
    return { container, name, id, head, isCompleted: false };
  }
  const completed = await findCompleted(req, id);
  if (!completed) throw noSuchUpload(id);
  return { container, name, id, head: completed, isCompleted: true };
}

/** HEAD of the object that the upload became. */
export async function findCompleted(req: S3Request, id: string): Promise<SubAnswer | undefined> {
  const head = await askSwift(req, { method: 'HEAD', object: req.key });
  return head.status === 200 && head.headers[uploadMetadata.id] === id ? head : undefined;
}

/** Headers of a write that makes a part of the upload. Where it is over by then, it is refused with 409. */
export function asPart(req: S3Request, { container, name }: Upload): Record<string, string> {
  const lastPart = req.ctx.state.transactionId;
  return requireObject({ container, object: name, metadata: {}, becomes: { [uploadMetadata.lastPart]: lastPart } });
}

/** Headers of the write that completes the upload as it was seen. If it is another by then, it is refused with 409. */
export function asWhole({ container, name, head }: Upload): Record<string, string> {
  const lastPart = head.headers[uploadMetadata.lastPart] ?? '';
  return requireObject({
    container,
    object: name,
    metadata: { [uploadMetadata.lastPart]: lastPart },
    becomes: 'deleted',
  });
}

/** A part as the listing of its container shows it. */
export interface Part {
  number: number;
  name: string;
  hash: string;
  bytes: number;
  last_modified: string;
}

/** All parts that were uploaded, in order. There are at most as many as a part can have numbers. */
export async function listUploadedParts(
  req: S3Request,
  { container, name }: Pick<Upload, 'container' | 'name'>,
): Promise<Part[]> {
  const parts: Part[] = [];
  for (let marker = ''; ; ) {
    const query = { format: 'json', prefix: `${name}/`, delimiter: '/', marker };
    const answer = await callSwift(req, { method: 'GET', container, query });
    const page = readListing<Partial<Part> & { name?: string }>(answer);
    for (const row of page) {
      const number = row.name?.slice(name.length + 1) ?? '';
      if (/^[1-9]\d{0,4}$/.test(number)) parts.push({ ...(row as Part), number: Number(number) });
    }
    const last = page.at(-1);
    if (!last) break;
    marker = last.name ?? (last as { subdir: string }).subdir;
  }
  return parts.sort((a, b) => a.number - b.number);
}

/** Deletions at a time: those that wait for the disk together share its sync. */
const width = 16;

/** Removes objects of uploads; what is gone already is as good as removed. */
export async function removeSegments(req: S3Request, container: string, names: string[]): Promise<void> {
  const queue = names.values();
  const work = async () => {
    for (const object of queue) {
      const { status } = await askSwift(req, { method: 'DELETE', container, object });
      if (status >= 400 && status !== 404) throw new S3Error('ServiceUnavailable');
    }
  };
  await Promise.all(Array.from({ length: width }, work));
}
