import { encodePath } from '../../objects/copy-request';
import { getBucketFor } from '../access';
import { answerXml } from '../answers';
import { invalidArgument } from '../errors';
import { s3TimeOfIso } from '../operations/list-objects';
import { readCount, type S3Request } from '../request';
import { element, textElement, userElement, xmlDocument } from '../xml';
import { getUpload, listUploadedParts } from './upload';

/** GET Object `?uploadId=…`. */
export async function listParts(req: S3Request): Promise<void> {
  const { params, user } = req;
  const { maxPartsListing } = req.api.config;
  const encoding = readEncoding(req);
  await getBucketFor(req, 'READ');
  const upload = await getUpload(req);
  const maxParts = readCount(params, 'max-parts', Math.min(1000, maxPartsListing), maxPartsListing);
  const marker = readCount(params, 'part-number-marker', 0);
  const all = (await listUploadedParts(req, upload)).filter(({ number }) => number > marker);
  const parts = all.slice(0, maxParts);
  const rows = parts.map(({ number, last_modified, hash, bytes }) =>
    element(
      'Part',
      textElement('PartNumber', number),
      textElement('LastModified', s3TimeOfIso(last_modified)),
      textElement('ETag', `"${hash}"`),
      textElement('Size', bytes),
    ),
  );
  answerXml(
    req.ctx,
    xmlDocument(
      'ListPartsResult',
      textElement('Bucket', req.bucket),
      textElement('Key', encoding === 'url' ? encodePath(req.key) : req.key),
      textElement('UploadId', upload.id),
      userElement('Initiator', user),
      userElement('Owner', user),
      textElement('StorageClass', 'STANDARD'),
      textElement('PartNumberMarker', marker),
      // Of an empty page nothing follows: clients that ask on as long as there is a number would begin again at 0.
      ...parts.slice(-1).map(({ number }) => textElement('NextPartNumberMarker', number)),
      textElement('MaxParts', maxParts),
      ...(encoding === undefined ? [] : [textElement('EncodingType', encoding)]),
      textElement('IsTruncated', all.length > maxParts),
      ...rows,
    ),
  );
}

/** `url`, or nothing. */
export function readEncoding({ params }: S3Request): string | undefined {
  const encoding = params.get('encoding-type');
  if (encoding === undefined || encoding === 'url') return encoding;
  throw invalidArgument('encoding-type', encoding, 'Invalid Encoding Method specified in Request');
}
