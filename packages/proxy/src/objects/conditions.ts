import type { IncomingHttpHeaders } from 'node:http';
import type { ObjectRecord } from '@zerocloud/object-server';
import { parseHttpDate } from './http-date';

/**
 * What the conditional headers of a read say: 304, 412, or `undefined` to go on. Order and details are those of
 * `Response._get_conditional_response_status` in swift/common/swob.py: the two entity tag headers come first, no
 * header silences another one, weak tags match nothing, and a date that is none is ignored.
 */
export function evaluateConditions(headers: IncomingHttpHeaders, record: ObjectRecord): 304 | 412 | undefined {
  const ifNoneMatch = headers['if-none-match'];
  if (ifNoneMatch !== undefined && isMatch(ifNoneMatch, knownEtag(headers, record))) return 304;
  const ifMatch = headers['if-match'];
  if (ifMatch !== undefined && !isMatch(ifMatch, knownEtag(headers, record))) return 412;
  const modifiedSince = headers['if-modified-since'];
  if (modifiedSince !== undefined) {
    const since = parseHttpDate(modifiedSince);
    if (since !== undefined && lastModifiedS(record) <= since) return 304;
  }
  const unmodifiedSince = headers['if-unmodified-since'];
  if (unmodifiedSince !== undefined) {
    const since = parseHttpDate(unmodifiedSince);
    if (since !== undefined && lastModifiedS(record) > since) return 412;
  }
  return undefined;
}

/**
 * The entity tag that the client knows the object by: its own, unless a request of the server's own names system
 * metadata that hold another (Swift's X-Backend-Etag-Is-At).
 */
function knownEtag(headers: IncomingHttpHeaders, { metadata, etag }: ObjectRecord): string {
  const place = headers['x-backend-etag-is-at'];
  return (place !== undefined && metadata[String(place)]) || etag;
}

/** `If-Match: *` wants an object, whichever: where there is none, the answer is 412 instead of 404. */
export function demandsExistence(headers: IncomingHttpHeaders): boolean {
  const ifMatch = headers['if-match'];
  return ifMatch !== undefined && entityTags(ifMatch).includes('*');
}

/**
 * The Range header, unless `If-Range` names another version of the object: then all of the current one is wanted.
 * (Swift sends the range regardless, which spoils a download that is resumed after the object changed.)
 */
export function findRangeHeader(headers: IncomingHttpHeaders, record: ObjectRecord): string | undefined {
  const ifRange = headers['if-range'];
  if (typeof ifRange !== 'string' || headers.range === undefined) return headers.range;
  const isSame =
    unquoteEtag(ifRange.trim()) === knownEtag(headers, record) || parseHttpDate(ifRange) === lastModifiedS(record);
  return isSame ? headers.range : undefined;
}

/** `If-None-Match` of a write: true for `*`, the only value that Swift knows there. */
export function hasStar(ifNoneMatch: string): boolean {
  return entityTags(ifNoneMatch).includes('*');
}

/** An entity tag without its quotes; anything else as it is. */
export function unquoteEtag(tag: string): string {
  return tag.length > 1 && tag.startsWith('"') && tag.endsWith('"') ? tag.slice(1, -1) : tag;
}

/** The entity tag that a new body must have. As in Swift, an empty one says nothing, quoted or not. */
export function findSentEtag({ etag }: IncomingHttpHeaders): string | undefined {
  return (etag && unquoteEtag(etag)) || undefined;
}

function isMatch(header: string, etag: string): boolean {
  const tags = entityTags(header);
  return tags.includes('*') || tags.includes(etag);
}

function entityTags(header: string): string[] {
  return header
    .split(',')
    .map((tag) => unquoteEtag(tag.trim()))
    .filter((tag) => tag !== '');
}

/** Whole seconds, rounded up like the Last-Modified header. */
function lastModifiedS(record: ObjectRecord): number {
  return Math.ceil(Number(record.timestamp));
}
