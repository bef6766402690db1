import { createHash, createHmac } from 'node:crypto';
import { rawPathOf } from '../../swift-path';
import { invalidArgument, S3Error } from '../errors';
import { type Credentials, linesOfHeaders, parseDate, type SigningInput } from './credentials';

export const algorithm = 'AWS4-HMAC-SHA256';
export const unsignedPayload = 'UNSIGNED-PAYLOAD';

/** Headers of these kinds change what a request does: they must be signed when they are there. */
const mustBeSigned = /^x-amz-(?:copy|acl|grant|meta)/;
const maxExpiresS = 604_800;

/** Signature version 4: in `Authorization: AWS4-HMAC-SHA256 …`, or in the query with `X-Amz-Expires`. */
export function readSignatureV4(input: SigningInput): Credentials {
  const isQuery = input.params.has('X-Amz-Credential');
  const amzDate = isQuery ? checkExpiry(input) : checkDates(input);
  const shown = isQuery ? readQuery(input) : readHeader(input);
  const scope = checkScope(input, shown, amzDate, isQuery);
  const canonicalRequest = canonicalRequestOf(input, shown.signedHeaders, isQuery);
  const hash = createHash('sha256').update(canonicalRequest, 'latin1').digest('hex');
  const stringToSign = [algorithm, amzDate, scope, hash].join('\n');
  const signingKey = (secret: string) => deriveKey(secret, scope);
  return {
    accessKey: shown.accessKey,
    signature: shown.signature,
    stringToSign,
    canonicalRequest,
    sign: (secret) => [createHmac('sha256', signingKey(secret)).update(stringToSign, 'latin1').digest('hex')],
    chunks: { amzDate, scope, seed: shown.signature, signingKey },
  };
}

interface Shown {
  accessKey: string;
  date: string;
  region: string;
  service: string;
  terminal: string;
  signedHeaders: string[];
  signature: string;
}

function readQuery({ params }: SigningInput): Shown {
  const named = params.get('X-Amz-Algorithm');
  if (named !== algorithm) throw invalidArgument('X-Amz-Algorithm', named ?? '');
  const signature = params.get('X-Amz-Signature');
  if (!signature) throw new S3Error('AccessDenied');
  const signedHeaders = params.get('X-Amz-SignedHeaders');
  if (!signedHeaders) throw new S3Error('AuthorizationHeaderMalformed');
  return { ...readCredential(params.get('X-Amz-Credential')!), signature, signedHeaders: signedHeaders.split(';') };
}

function readHeader({ ctx }: SigningInput): Shown {
  const header = Buffer.from(ctx.req.headers.authorization ?? '', 'latin1').toString('utf8');
  const parts = header.slice(algorithm.length).split(',');
  const find = (name: string) =>
    parts
      .map((part) => part.trim())
      .find((part) => part.startsWith(`${name}=`))
      ?.slice(name.length + 1);
  const credential = readCredential(find('Credential') ?? '');
  const signature = find('Signature');
  if (!signature) throw new S3Error('AccessDenied');
  const signedHeaders = find('SignedHeaders');
  if (!signedHeaders) throw new S3Error('AuthorizationHeaderMalformed');
  return { ...credential, signature, signedHeaders: signedHeaders.split(';') };
}

/** `<access key>/<date>/<region>/<service>/aws4_request`. */
function readCredential(text: string) {
  const parts = text.split('/');
  const [date, region, service, terminal] = parts.slice(-4) as [string, string, string, string];
  const accessKey = parts.slice(0, -4).join('/');
  if (parts.length < 5 || accessKey === '') throw new S3Error('AccessDenied');
  return { accessKey, date, region, service, terminal };
}

/** The scope that the credential must have. The error for a wrong region names the right one, and clients go there. */
function checkScope({ location }: SigningInput, shown: Shown, amzDate: string, isQuery: boolean): string {
  const { date, region, service, terminal } = shown;
  const code = isQuery ? 'AuthorizationQueryParametersError' : 'AuthorizationHeaderMalformed';
  const start = isQuery ? 'Error parsing the X-Amz-Credential parameter' : 'The authorization header is malformed';
  const day = amzDate.slice(0, 8);
  if (date !== day) {
    throw new S3Error(code, `Invalid credential date "${date}". This date is not the same as X-Amz-Date: "${day}".`);
  }
  if (region !== location && region !== location.toLowerCase()) {
    const message = `${start}; the region '${region}' is wrong; expecting '${location}'`;
    throw new S3Error(code, message, { Region: location });
  }
  if (service !== 's3') {
    throw new S3Error(code, `${start}; incorrect service "${service}". This endpoint belongs to "s3".`);
  }
  if (terminal !== 'aws4_request') {
    throw new S3Error(code, `${start}; incorrect terminal "${terminal}". This endpoint uses "aws4_request".`);
  }
  return `${date}/${region}/${service}/${terminal}`;
}

function checkExpiry(input: SigningInput): string {
  const { params, nowMs, clockSkewS } = input;
  const text = params.get('X-Amz-Expires');
  if (text === undefined) throw new S3Error('AccessDenied');
  const expires = /^[+-]?\d{1,20}$/.test(text.trim()) ? Number(text) : Number.NaN;
  const refuse = (message: string) => new S3Error('AuthorizationQueryParametersError', message);
  if (Number.isNaN(expires) || BigInt(text.trim().replace('+', '')) >= 2n ** 63n)
    throw refuse('X-Amz-Expires should be a number');
  if (expires < 0) throw refuse('X-Amz-Expires must be non-negative');
  if (expires > maxExpiresS) {
    throw refuse(
      'X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds',
    );
  }
  const timeMs = timeOf(input, params.get('X-Amz-Date'));
  if (timeMs / 1000 + expires < nowMs / 1000) throw new S3Error('AccessDenied', 'Request has expired');
  if (timeMs / 1000 - nowMs / 1000 > clockSkewS) throw new S3Error('AccessDenied', 'Request is not valid yet');
  return amzDateOf(timeMs);
}

function checkDates(input: SigningInput): string {
  const timeMs = timeOf(input, undefined);
  if (Math.abs(timeMs - input.nowMs) / 1000 > input.clockSkewS) throw new S3Error('RequestTimeTooSkewed');
  return amzDateOf(timeMs);
}

function timeOf({ ctx }: SigningInput, parameter: string | undefined): number {
  const { headers } = ctx.req;
  const text = parameter ?? (headers['x-amz-date'] as string | undefined) ?? headers.date ?? '';
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  const timeMs = match
    ? Date.parse(text.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z'))
    : parseDate(text);
  if (!(timeMs >= 0)) {
    throw new S3Error('AccessDenied', 'AWS authentication requires a valid Date or x-amz-date header');
  }
  return timeMs;
}

function amzDateOf(timeMs: number): string {
  return `${new Date(timeMs).toISOString().replace(/[-:]/g, '').slice(0, 15)}Z`;
}

function canonicalRequestOf(input: SigningInput, signedHeaders: string[], isQuery: boolean): string {
  const { ctx, raw } = input;
  const headers = canonicalHeaders(input, signedHeaders);
  const query = raw
    .filter(([name]) => name !== 'X-Amz-Signature' && name !== 'Signature')
    .map(([name, value]) => [uriEncode(name.replaceAll('+', ' ')), uriEncode(value.replaceAll('+', ' '))] as const)
    .sort(([a, x], [b, y]) => (a === b ? (x < y ? -1 : 1) : a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`);
  return [
    ctx.method,
    uriEncode(rawPathOf(ctx.req.url!), true),
    query.join('&'),
    headers.map(([name, value]) => `${name}:${value}\n`).join(''),
    headers.map(([name]) => name).join(';'),
    payloadHash(input, signedHeaders, isQuery),
  ].join('\n');
}

function canonicalHeaders({ ctx }: SigningInput, signedHeaders: string[]): (readonly [string, string])[] {
  const lines = linesOfHeaders(ctx);
  const signed = new Set(signedHeaders);
  for (const name of lines.keys()) {
    if (mustBeSigned.test(name) && !signed.has(name)) {
      const message = 'There were headers present in the request which were not signed';
      throw new S3Error('AccessDenied', message, { HeadersNotSigned: name });
    }
  }
  // A bucket may stand in the host, so a signature without it would be good for any bucket.
  if (!signed.has('host')) throw new S3Error('AccessDenied', 'The host header must be signed');
  return [...signed].sort().map((name) => {
    const values = lines.get(name);
    if (!values) throw new S3Error('SignatureDoesNotMatch');
    return [name, values.map((value) => value.trim().replace(/\s+/g, ' ')).join(',')] as const;
  });
}

function payloadHash({ ctx }: SigningInput, signedHeaders: string[], isQuery: boolean): string {
  const hash = ctx.req.headers['x-amz-content-sha256'] as string | undefined;
  if (isQuery) return hash !== undefined && signedHeaders.includes('x-amz-content-sha256') ? hash : unsignedPayload;
  if (hash === undefined) {
    throw new S3Error('InvalidRequest', 'Missing required header for this request: x-amz-content-sha256');
  }
  return hash;
}

/** Percent-encodes what may be percent-encoded in any way already, as version 4 wants it. Works on bytes. */
function uriEncode(raw: string, isPath = false): string {
  const unreserved = isPath ? /[A-Za-z0-9\-._~/]/ : /[A-Za-z0-9\-._~]/;
  return raw.replace(/%([0-9A-Fa-f]{2})|([^A-Za-z0-9\-._~])/g, (_, hex: string | undefined, other: string) => {
    const char = hex === undefined ? other : String.fromCharCode(Number.parseInt(hex, 16));
    if (unreserved.test(char)) return char;
    return `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
  });
}

/** Derived keys of the last users: four rounds of HMAC that change once a day. */
const derived = new Map<string, Buffer>();
const maxDerived = 1000;

function deriveKey(secret: string, scope: string): Buffer {
  const id = `${scope}\n${secret}`;
  let key = derived.get(id);
  if (!key) {
    key = scope
      .split('/')
      .reduce<Buffer>((last, part) => createHmac('sha256', last).update(part).digest(), Buffer.from(`AWS4${secret}`));
    if (derived.size >= maxDerived) derived.clear();
    derived.set(id, key);
  }
  return key;
}
