import type { ServerResponse } from 'node:http';
import type { ObjectRecord } from '@zerocloud/object-server';
import { encodeHeaderText } from '../http/header-text';
import { setMetadataHeaders } from '../http/metadata';
import { httpDate } from '../http/timestamp';

/** Everything a GET or HEAD tells of an object but the length. */
export function setObjectHeaders(response: ServerResponse, record: ObjectRecord): void {
  response.setHeader('Content-Type', encodeHeaderText(record.contentType));
  response.setHeader('Etag', record.etag);
  response.setHeader('Last-Modified', httpDate(record.timestamp));
  response.setHeader('X-Timestamp', record.timestamp);
  response.setHeader('Accept-Ranges', 'bytes');
  setMetadataHeaders(response, record.metadata);
  if (record.deleteAt !== undefined) response.setHeader('X-Delete-At', String(record.deleteAt));
}
