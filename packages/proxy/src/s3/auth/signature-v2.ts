import { createHmac } from 'node:crypto';
import { rawPathOf } from '../../swift-path';
import { S3Error } from '../errors';
import { type Credentials, linesOfHeaders, parseDate, type SigningInput } from './credentials';

/** The parameters that are signed; others may be changed under way. */
const signedParameters = new Set([
  'acl',
  'cors',
  'delete',
  'lifecycle',
  'location',
  'logging',
  'notification',
  'partNumber',
  'policy',
  'requestPayment',
  'response-cache-control',
  'response-content-disposition',
  'response-content-encoding',
  'response-content-language',
  'response-content-type',
  'response-expires',
  'restore',
  'tagging',
  'torrent',
  'uploadId',
  'uploads',
  'versionId',
  'versioning',
  'versions',
  'website',
]);

/** Signature version 2: in `Authorization: AWS key:signature`, or in the query with `Expires`. */
export function readSignatureV2(input: SigningInput): Credentials {
  const { params } = input;
  const isQuery = params.has('AWSAccessKeyId');
  if (isQuery) checkExpiry(input);
  else checkDates(input);
  const { accessKey, signature } = isQuery ? readQuery(input) : readHeader(input);
  const path = rawPathOf(input.ctx.req.url!);
  const text = stringToSign(input, isQuery, path);
  // A bucket may be named with a slash behind it; botocore signs it so, whatever it sends.
  const others = /^\/[^/]+$/.test(path) ? [stringToSign(input, isQuery, `${path}/`)] : [];
  return {
    accessKey,
    signature,
    stringToSign: text,
    sign: (secret) =>
      [text, ...others].map((signed) => createHmac('sha1', secret).update(signed, 'latin1').digest('base64')),
  };
}

function checkExpiry({ params, nowMs }: SigningInput): void {
  const text = params.get('Expires') ?? '';
  const expires = /^\s*\d+(\.\d*)?\s*$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(expires)) throw new S3Error('AccessDenied');
  if (nowMs / 1000 > expires) throw new S3Error('AccessDenied', 'Request has expired');
  if (expires >= 2 ** 31) {
    throw new S3Error('AccessDenied', `Invalid date (should be seconds since epoch): ${text}`);
  }
}

function checkDates({ ctx, nowMs, clockSkewS }: SigningInput): void {
  const { headers } = ctx.req;
  const date = headers['x-amz-date'] ?? headers.date;
  const timeMs = typeof date === 'string' ? parseDate(date) : Number.NaN;
  if (!(timeMs >= 0)) {
    throw new S3Error('AccessDenied', 'AWS authentication requires a valid Date or x-amz-date header');
  }
  if (Math.abs(timeMs - nowMs) / 1000 > clockSkewS) throw new S3Error('RequestTimeTooSkewed');
}

function readQuery({ params }: SigningInput): { accessKey: string; signature: string } {
  const accessKey = params.get('AWSAccessKeyId');
  const signature = params.get('Signature');
  if (!accessKey || !signature) throw new S3Error('AccessDenied');
  return { accessKey, signature };
}

function readHeader({ ctx }: SigningInput): { accessKey: string; signature: string } {
  const match = /^AWS (.+):([^:]*)$/.exec(ctx.req.headers.authorization ?? '');
  if (!match) throw new S3Error('AccessDenied');
  return { accessKey: Buffer.from(match[1]!, 'latin1').toString('utf8'), signature: match[2]! };
}

function stringToSign({ ctx, raw, params, hostBucket }: SigningInput, isQuery: boolean, path: string): string {
  const lines = linesOfHeaders(ctx);
  const first = (name: string) => lines.get(name)?.[0]?.trim() ?? '';
  const time = isQuery ? params.get('Expires')! : lines.has('x-amz-date') ? '' : first('date');
  const amzHeaders = [...lines]
    .filter(([name]) => name.startsWith('x-amz-'))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, values]) => `${name}:${values.map((value) => value.trim()).join(',')}\n`);
  const signed = raw
    .map(([name, value]) => [latin1(name), latin1(value)] as const)
    .filter(([name]) => signedParameters.has(name))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => (value === '' ? name : `${name}=${value}`));
  const resource = `${hostBucket === undefined ? '' : `/${hostBucket}`}${path}`;
  const head = [ctx.method, first('content-md5'), first('content-type'), time].join('\n');
  return `${head}\n${amzHeaders.join('')}${resource}${signed.length === 0 ? '' : `?${signed.join('&')}`}`;
}

/** Decoded bytes as characters. */
function latin1(text: string): string {
  return text
    .replaceAll('+', ' ')
    .replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
}
