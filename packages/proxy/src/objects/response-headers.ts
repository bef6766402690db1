import type { ServerResponse } from 'node:http';
import type { ObjectRecord } from '@zerocloud/object-server';
import { encodeHeaderText } from '../http/header-text';
import { setMetadataHeaders } from '../http/metadata';
import { httpDate } from '../http/timestamp';
import { setOwnHeader } from '../http/unchecked-header';

/** Everything a GET or HEAD tells of an object but the length. */
export function setObjectHeaders(response: ServerResponse, record: ObjectRecord): void {
  response.setHeader('Content-Type', encodeHeaderText(record.contentType));
  setOwnHeader(response, 'etag', 'Etag', record.etag);
  setOwnHeader(response, 'last-modified', 'Last-Modified', httpDate(record.timestamp));
  setOwnHeader(response, 'x-timestamp', 'X-Timestamp', record.timestamp);
  setOwnHeader(response, 'accept-ranges', 'Accept-Ranges', 'bytes');
  setMetadataHeaders(response, record.metadata);
  if (record.deleteAt !== undefined) response.setHeader('X-Delete-At', String(record.deleteAt));
}
