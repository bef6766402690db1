import type { SwiftContext } from '../../context';
import { invalidArgument } from '../errors';
import type { S3Parameters } from '../parameters';
import { isChecksumOfNothing } from '../payload/checksums';

/** What makes the signature itself; none of these says anything about the request. */
const signing = new Set([
  'x-amz-algorithm',
  'x-amz-content-sha256',
  'x-amz-credential',
  'x-amz-date',
  'x-amz-expires',
  'x-amz-signature',
  'x-amz-signedheaders',
]);
const headerName = /^x-amz-[!#$%&'*+.^_`|~0-9a-z-]+$/;

/**
 * AWS's SDKs move headers into a URL that they sign (`x-amz-acl`, `x-amz-meta-…`, checksums), for whoever uses it need
 * not know them. They count as headers from then on: left out, an upload would lose its metadata or be readable to
 * others than meant. Only for a URL whose signature was found good, and which covers them.
 */
export function takeHoistedHeaders({ req }: SwiftContext, params: S3Parameters): void {
  for (const [parameter, value] of params) {
    const name = parameter.toLowerCase();
    // SDKs sign a URL before there is a body, and give it the checksum of none: that says nothing of what will come.
    if (!name.startsWith('x-amz-') || signing.has(name) || isChecksumOfNothing(name, value)) continue;
    const bytes = Buffer.from(value, 'utf8').toString('latin1');
    const sent = req.headers[name];
    if (!headerName.test(name) || /[\0-\x08\x0a-\x1f\x7f]/.test(bytes) || (sent !== undefined && sent !== bytes)) {
      throw invalidArgument(parameter, value);
    }
    if (sent !== undefined) continue;
    req.headers[name] = bytes;
    req.rawHeaders.push(name, bytes);
  }
}
