import type { SwiftContext } from '../context';
import { decodeHeaderText } from '../http/header-text';
import type { SubAnswer } from '../http/subrequest';
import { setUncheckedHeader } from '../http/unchecked-header';
import { linesOfHeaders } from './auth/credentials';
import { invalidArgument } from './errors';
import type { S3Request } from './request';
import { s3Etag } from './s3-etag';

/** Headers that mean the same in both. */
const shared = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'expires',
  'x-delete-after',
  'x-delete-at',
  'x-robots-tag',
] as const;

const ignoredInNames = /[ "),/;<=>?@[\\\]{}]/;
const metaPrefix = 'x-amz-meta-';

/**
 * What an upload, a copy or a new multipart upload says of its object, as Swift wants it. S3 tells `_` in names from
 * `-`, Swift does not: it becomes `=5f` on the way in and `_` on the way out, as in Swift's s3api.
 */
export function readObjectHeaders(req: S3Request): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of shared) {
    const value = req.header(name);
    if (value !== undefined) headers[name] = value;
  }
  const encoding = withoutAwsChunked(headers['content-encoding']);
  if (encoding === undefined) delete headers['content-encoding'];
  else headers['content-encoding'] = encoding;
  for (const [name, values] of linesOfHeaders(req.ctx)) {
    if (!name.startsWith(metaPrefix) || ignoredInNames.test(name)) continue;
    const key = `x-object-meta-${name.slice(metaPrefix.length).replaceAll('_', '=5f')}`;
    headers[key] = values.map((value) => printable(value.trim())).join(',');
  }
  return headers;
}

function withoutAwsChunked(encoding: string | undefined): string | undefined {
  const rest = encoding
    ?.split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '' && part.toLowerCase() !== 'aws-chunked');
  return rest?.length ? rest.join(',') : undefined;
}

/** As AWS does, text beyond ASCII comes back in the form of RFC 2047. */
function printable(value: string): string {
  if (/^[\t\x20-\x7e]*$/.test(value)) return value;
  const text = decodeHeaderText(value) ?? value;
  return `=?UTF-8?B?${Buffer.from(text, 'utf8').toString('base64')}?=`;
}

const answered = new Set([
  'accept-ranges',
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-length',
  'content-range',
  'content-type',
  'expires',
  'last-modified',
  'x-robots-tag',
]);

/** Puts what Swift tells of an object into an answer of S3. */
export function setObjectHeaders(ctx: SwiftContext, { headers }: SubAnswer): void {
  const { res } = ctx;
  for (const name in headers) {
    const value = headers[name]!;
    if (answered.has(name)) ctx.set(title(name), value);
    else if (name.startsWith('x-object-meta-')) setMetadata(ctx, name.slice('x-object-meta-'.length), value);
  }
  const etag = s3Etag(headers);
  if (etag !== undefined) res.setHeader('ETag', `"${etag}"`);
  const version = headers['x-object-version-id'];
  if (version !== undefined) res.setHeader('x-amz-version-id', version);
}

function setMetadata(ctx: SwiftContext, key: string, value: string): void {
  const name = `${metaPrefix}${key.toLowerCase().replaceAll('=5f', '_')}`;
  // Names beyond ASCII, which only Swift can have set, are none in S3.
  if (/^[\x21-\x7e]+$/.test(name)) setUncheckedHeader(ctx.res, name, value);
}

function title(name: string): string {
  return name.replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());
}

const overrides = [
  'content-type',
  'content-language',
  'expires',
  'cache-control',
  'content-disposition',
  'content-encoding',
];

/** `response-content-type=…` and its like. */
export function setOverrides(req: S3Request): void {
  for (const name of overrides) {
    const value = req.params.get(`response-${name}`);
    if (value === undefined) continue;
    if (/[\0-\x08\x0a-\x1f\x7f]/.test(value)) throw invalidArgument(`response-${name}`, value);
    req.ctx.set(title(name), Buffer.from(value, 'utf8').toString('latin1'));
  }
}
