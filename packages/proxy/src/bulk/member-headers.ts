import type { IncomingHttpHeaders } from 'node:http';
import { encodeHeaderText } from '../http/header-text';

/** Extended attributes that become metadata, as GNU tar and libarchive write them into extended headers. */
const attributes = /^(?:SCHILY|LIBARCHIVE)\.xattr\.user\.(mime_type$|meta\.)(.*)$/s;

/** Headers of the request that hold for every member. */
const shared = /^x-(?:delete-at$|delete-after$|object-meta-.)/;

/** Headers with which a member is stored: those of the request, and over them what the archive says of it. */
export function memberHeaders(
  request: IncomingHttpHeaders,
  sizeBytes: number,
  pax: Record<string, string>,
): Record<string, string> {
  const headers: Record<string, string> = { 'content-length': String(sizeBytes) };
  for (const name in request) if (shared.test(name)) headers[name] = String(request[name]);
  for (const [record, value] of Object.entries(pax)) {
    const [, kind, name] = attributes.exec(record) ?? [];
    if (kind === undefined) continue;
    const header = kind === 'meta.' ? `x-object-meta-${encodeHeaderText(name!).toLowerCase()}` : 'content-type';
    headers[header] = encodeHeaderText(value);
  }
  return headers;
}
