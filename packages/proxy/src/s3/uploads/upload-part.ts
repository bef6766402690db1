import type { SubAnswer } from '../../http/subrequest';
import { getBucketFor } from '../access';
import { invalidArgument, noSuchUpload } from '../errors';
import { answerCopied, type CopySource, copyFrom, getCopySource } from '../operations/copy-object';
import { answerPut, lengthOf } from '../operations/object';
import { findExpectedMd5 } from '../payload/content-md5';
import type { S3Request } from '../request';
import { askSwift, refusalOf, type SwiftRequest } from '../swift';
import { asPart, getUpload, noInheritance } from './upload';

/** PUT Object `?partNumber=…&uploadId=…`: Upload Part, and Upload Part Copy. */
export async function uploadPart(req: S3Request): Promise<void> {
  if (!req.params.has('uploadId')) {
    throw invalidArgument('ResourceType', 'partNumber', 'Unexpected query string parameter');
  }
  const etag = findExpectedMd5(req.headers);
  const number = readPartNumber(req);
  await getBucketFor(req, 'WRITE');
  const upload = await getUpload(req);
  if (upload.isCompleted) throw noSuchUpload(upload.id);
  const { container, name } = upload;
  const target = { method: 'PUT', container, object: `${name}/${number}` };
  const condition = asPart(req, upload);
  if (req.header('x-amz-copy-source') !== undefined) {
    const source = await getCopySource(req);
    const headers = {
      ...copyFrom(source),
      ...noInheritance,
      ...condition,
      'x-fresh-metadata': 'true',
      range: readRange(req, source),
    };
    answerCopied(req, 'CopyPartResult', source, await storePart(req, { ...target, headers }));
    return;
  }
  const own = { 'content-type': 'application/octet-stream', 'content-length': lengthOf(req), etag };
  const headers = { ...own, ...condition };
  const answer = await storePart(req, { ...target, headers, body: req.payload.stream() });
  answerPut(req, answer.headers);
}

async function storePart(req: S3Request, request: SwiftRequest): Promise<SubAnswer> {
  const answer = await askSwift(req, request);
  // Ended while the part came; nobody must find it changed, or the part without it.
  if (answer.status === 409 && (await getUpload(req)).isCompleted) throw noSuchUpload(req.params.get('uploadId')!);
  if (answer.status >= 400) throw await refusalOf(req, request, answer);
  return answer;
}

function readPartNumber({ params, api }: S3Request): number {
  const text = params.get('partNumber') ?? '';
  const max = api.config.maxUploadParts;
  const number = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= max) return number;
  throw invalidArgument('partNumber', text, `Part number must be an integer between 1 and ${max}, inclusive`);
}

function readRange(req: S3Request, { head }: CopySource): string | undefined {
  const range = req.header('x-amz-copy-source-range');
  if (range === undefined) return undefined;
  const match = /^bytes=(\d{1,15})-(\d{1,15})$/.exec(range);
  if (!match || Number(match[2]) < Number(match[1])) {
    const message =
      'The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy';
    throw invalidArgument('x-amz-source-range', range, message);
  }
  const sizeBytes = Number(head.headers['content-length']);
  if (Number(match[1]) >= sizeBytes) {
    throw invalidArgument(
      'x-amz-source-range',
      range,
      `Range specified is not valid for source object of size: ${sizeBytes}`,
    );
  }
  return range;
}
