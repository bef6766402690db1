import { isTrueValue } from '../../http/query';
import { encodePath } from '../../objects/copy-request';
import { getBucketFor } from '../access';
import { answerXml } from '../answers';
import { decodeToken, encodeToken } from '../continuation-token';
import { invalidArgument } from '../errors';
import { readCount, type S3Request } from '../request';
import { callSwift, readListing } from '../swift';
import { element, textElement, userElement, xmlDocument } from '../xml';

/** A row of Swift's JSON listing. */
interface Row {
  name?: string;
  subdir?: string;
  hash: string;
  bytes: number;
  content_type: string;
  last_modified: string;
  /** Of a multipart object, quoted. */
  s3_etag?: string;
  /** Of another static large object, quoted. */
  slo_etag?: string;
  version_id?: string;
  is_latest?: boolean;
}

type ListingKind = 'objects' | 'objects-v2' | 'versions';

/** What is said of the listing besides its entries. */
interface Listing {
  kind: ListingKind;
  rows: Row[];
  /** As the client asked for. */
  maxKeys: number;
  isTruncated: boolean;
  /** Percent-encodes when the client wants that. */
  encode(text: string): string;
}

const deleteMarkerType = 'application/x-deleted;swift_versions_deleted=1';

/** GET Bucket, both versions of it, and GET Bucket Object versions. */
export async function listObjects(req: S3Request): Promise<void> {
  const { params } = req;
  const { maxBucketListing } = req.api.config;
  const maxKeys = readCount(params, 'max-keys', maxBucketListing);
  const limit = Math.min(maxKeys, maxBucketListing);
  const encoding = params.get('encoding-type');
  if (encoding !== undefined && encoding !== 'url') {
    throw invalidArgument('encoding-type', encoding, 'Invalid Encoding Method specified in Request');
  }
  const kind = params.has('versions')
    ? 'versions'
    : readVersion(params.get('list-type')) === 2
      ? 'objects-v2'
      : 'objects';
  const marker = readMarker(req, kind);
  await getBucketFor(req, 'READ');
  const query = { format: 'json', limit: limit + 1, prefix: params.get('prefix'), delimiter: params.get('delimiter') };
  const answer = await callSwift(req, { method: 'GET', query: { ...query, ...marker } });
  const found = readListing<Row>(answer);
  const listing: Listing = {
    kind,
    rows: found.slice(0, limit),
    maxKeys,
    isTruncated: limit > 0 && found.length > limit,
    encode: encoding === 'url' ? encodePath : (text) => text,
  };
  const root = kind === 'versions' ? 'ListVersionsResult' : 'ListBucketResult';
  answerXml(
    req.ctx,
    xmlDocument(root, ...headOf(req, listing), ...listing.rows.map((row) => entryOf(req, listing, row))),
  );
}

function readVersion(text: string | undefined): number {
  if (text === undefined) return 1;
  if (!/^\d+$/.test(text)) throw invalidArgument('list-type', text);
  return Number(text);
}

function readMarker({ params }: S3Request, kind: ListingKind): Record<string, string | undefined> {
  if (kind === 'objects') return { marker: params.get('marker') };
  if (kind === 'objects-v2') {
    const token = params.get('continuation-token');
    return { marker: token === undefined ? params.get('start-after') : decodeToken(token) };
  }
  const key = params.get('key-marker');
  const version = params.get('version-id-marker');
  if (version !== undefined && key === undefined) {
    const message = 'A version-id marker cannot be specified without a key marker.';
    throw invalidArgument('version-id-marker', version, message);
  }
  if (version !== undefined && version !== 'null' && !/^\d{1,10}(\.\d+)?$/.test(version)) {
    throw invalidArgument('version-id-marker', version, 'Invalid version id specified');
  }
  return { versions: params.get('versions'), marker: key, version_marker: version };
}

function nameOf(row: Row): string {
  return row.name ?? row.subdir!;
}

function headOf(req: S3Request, listing: Listing): string[] {
  const { params } = req;
  const { kind, rows, maxKeys, isTruncated, encode } = listing;
  const shown = (name: string) => encode(params.get(name) ?? '');
  const last = isTruncated ? rows.at(-1) : undefined;
  const head = [textElement('Name', req.bucket), textElement('Prefix', shown('prefix'))];
  if (kind === 'versions') {
    head.push(textElement('KeyMarker', shown('key-marker')));
    head.push(textElement('VersionIdMarker', params.get('version-id-marker')));
    if (last) head.push(textElement('NextKeyMarker', encode(nameOf(last))));
    if (last) head.push(textElement('NextVersionIdMarker', last.version_id ?? 'null'));
  } else if (kind === 'objects-v2') {
    if (last) head.push(textElement('NextContinuationToken', encodeToken(nameOf(last))));
    const token = params.get('continuation-token');
    if (token !== undefined) head.push(textElement('ContinuationToken', token));
    if (params.has('start-after')) head.push(textElement('StartAfter', shown('start-after')));
    head.push(textElement('KeyCount', rows.length));
  } else {
    head.push(textElement('Marker', shown('marker')));
    if (last && params.has('delimiter')) head.push(textElement('NextMarker', encode(nameOf(last))));
  }
  head.push(textElement('MaxKeys', maxKeys));
  if (kind === 'versions' ? params.has('delimiter') : params.get('delimiter'))
    head.push(textElement('Delimiter', shown('delimiter')));
  if (params.get('encoding-type')) head.push(textElement('EncodingType', 'url'));
  head.push(textElement('IsTruncated', isTruncated));
  return head;
}

function entryOf(req: S3Request, { kind, encode }: Listing, row: Row): string {
  if (row.subdir !== undefined) return element('CommonPrefixes', textElement('Prefix', encode(row.subdir)));
  const isMarker = kind === 'versions' && row.content_type === deleteMarkerType;
  const fields = [textElement('Key', encode(row.name!))];
  if (kind === 'versions') {
    fields.push(textElement('VersionId', row.version_id ?? 'null'), textElement('IsLatest', row.is_latest ?? true));
  }
  fields.push(textElement('LastModified', s3TimeOfIso(row.last_modified)));
  if (!isMarker) fields.push(textElement('ETag', etagOf(row)), textElement('Size', row.bytes));
  if (kind !== 'objects-v2' || isTrueValue(req.params.get('fetch-owner'))) fields.push(userElement('Owner', req.user));
  if (!isMarker) fields.push(textElement('StorageClass', 'STANDARD'));
  return element(kind !== 'versions' ? 'Contents' : isMarker ? 'DeleteMarker' : 'Version', ...fields);
}

function etagOf({ hash, s3_etag, slo_etag }: Row): string {
  if (s3_etag !== undefined) return s3_etag;
  if (slo_etag !== undefined) return `"${slo_etag.replace(/^"|"$/g, '')}-N"`;
  return /^".*"$/.test(hash) ? hash : `"${hash}"`;
}

/** A time of Swift's listings as S3's XML has it: whole seconds, rounded up as in Last-Modified. */
export function s3TimeOfIso(time: string): string {
  const [seconds = '', fraction = ''] = time.split('.');
  const ms = Date.parse(`${seconds}Z`) + (Number(fraction) > 0 ? 1000 : 0);
  return `${new Date(ms).toISOString().slice(0, 19)}.000Z`;
}
