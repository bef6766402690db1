import { encodePath } from '../../objects/copy-request';
import { getBucketFor } from '../access';
import { answerXml } from '../answers';
import { segmentsOf } from '../bucket-name';
import { S3Error } from '../errors';
import { s3TimeOfIso } from '../operations/list-objects';
import { readCount, type S3Request } from '../request';
import { askSwift, readListing, refusalOf } from '../swift';
import { element, textElement, userElement, xmlDocument } from '../xml';
import { readEncoding } from './list-parts';

const maxUploads = 1000;
/** Parts stand between the uploads and are skipped at the end of a page, so pages are small. */
const pageSize = 250;

interface Row {
  name: string;
  last_modified: string;
}

interface Found {
  uploads: { key: string; id: string; lastModified: string }[];
  prefixes: Set<string>;
  /** The last of both; a prefix has no id. */
  last?: { key: string; id?: string };
  isTruncated: boolean;
}

/** GET Bucket `?uploads`. */
export async function listUploads(req: S3Request): Promise<void> {
  const { params, user } = req;
  if (req.key) throw new S3Error('InvalidRequest', 'Key is not expected for the GET method ?uploads subresource');
  const encoding = readEncoding(req);
  const encode = encoding === 'url' ? encodePath : (text: string) => text;
  const limit = readCount(params, 'max-uploads', maxUploads, maxUploads);
  await getBucketFor(req, 'READ');
  const { uploads, prefixes, isTruncated, ...found } = await findUploads(req, limit);
  // As in Swift, also where there is no next page.
  const last = isTruncated || uploads.length > 1 ? found.last : undefined;
  const given = (element: string, name: string) =>
    params.has(name) ? [textElement(element, encode(params.get(name)!))] : [];
  const rows = uploads.map(({ key, id, lastModified }) =>
    element(
      'Upload',
      textElement('Key', encode(key)),
      textElement('UploadId', id),
      userElement('Initiator', user),
      userElement('Owner', user),
      textElement('StorageClass', 'STANDARD'),
      textElement('Initiated', s3TimeOfIso(lastModified)),
    ),
  );
  answerXml(
    req.ctx,
    xmlDocument(
      'ListMultipartUploadsResult',
      textElement('Bucket', req.bucket),
      textElement('KeyMarker', encode(params.get('key-marker') ?? '')),
      textElement('UploadIdMarker', params.get('upload-id-marker')),
      textElement('NextKeyMarker', last && encode(last.key)),
      textElement('NextUploadIdMarker', last?.id),
      ...given('Delimiter', 'delimiter'),
      ...given('Prefix', 'prefix'),
      textElement('MaxUploads', limit),
      ...(encoding === undefined ? [] : [textElement('EncodingType', encoding)]),
      textElement('IsTruncated', isTruncated),
      ...rows,
      ...[...prefixes].map((prefix) => element('CommonPrefixes', textElement('Prefix', encode(prefix)))),
    ),
  );
}

async function findUploads(req: S3Request, limit: number): Promise<Found> {
  const { params } = req;
  const prefix = params.get('prefix') ?? '';
  const delimiter = params.get('delimiter');
  const found: Found = { uploads: [], prefixes: new Set(), isTruncated: false };
  const keyMarker = params.get('key-marker') ?? '';
  let marker = startOf(keyMarker, params.get('upload-id-marker'));
  for (;;) {
    const rows = await readPage(req, prefix, marker);
    for (const { name, last_modified: lastModified } of rows) {
      const slash = name.lastIndexOf('/');
      const key = name.slice(0, slash);
      const id = name.slice(slash + 1);
      // A part: its upload was there before.
      if (/^\d+$/.test(id)) continue;
      const end = delimiter ? key.indexOf(delimiter, prefix.length) : -1;
      const group = end < 0 ? undefined : key.slice(0, end + delimiter!.length);
      if (group !== undefined && (keyMarker.startsWith(group) || found.prefixes.has(group))) continue;
      if (found.uploads.length + found.prefixes.size >= limit) {
        found.isTruncated = true;
        return found;
      }
      if (group === undefined) found.uploads.push({ key, id, lastModified });
      else found.prefixes.add(group);
      found.last = group === undefined ? { key, id } : { key: group };
    }
    if (rows.length < pageSize) return found;
    // Numbers end before the colon: the next page begins behind the parts of this upload.
    marker = rows.at(-1)!.name.replace(/\/\d+$/, '/:');
  }
}

function startOf(key: string, id = ''): string {
  if (key === '') return '';
  return id === '' ? `${key}/~` : `${key}/${id}`;
}

/** Without a container nobody ever began an upload. */
async function readPage(req: S3Request, prefix: string, marker: string): Promise<Row[]> {
  const query = { format: 'json', limit: pageSize, prefix, marker };
  const request = { method: 'GET', container: segmentsOf(req.bucket), query };
  const answer = await askSwift(req, request);
  if (answer.status === 404) return [];
  if (answer.status >= 400) throw await refusalOf(req, request, answer);
  return readListing<Row>(answer);
}
