import { createHash, createHmac } from 'node:crypto';
import type { TestServer } from './server';

/** A signer of our own, from AWS's description of its signatures: what the server believes is checked against that. */
export interface SignedRequest {
  method?: string;
  /** Percent-encoded. */
  path: string;
  query?: Record<string, string>;
  headers?: Record<string, string>;
  body?: string | Buffer;
}

export interface Signer {
  accessKey?: string;
  secret?: string;
  region?: string;
  service?: string;
  /** Milliseconds since the epoch. */
  atMs?: number;
  /** Value of x-amz-content-sha256; the hash of the body by default. */
  payload?: string;
  /** Headers that are sent and not signed. */
  unsigned?: string[];
  host?: string;
}

const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
const encode = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
const queryOf = (query: Record<string, string>) =>
  Object.keys(query)
    .sort()
    .map((name) => `${encode(name)}=${encode(query[name]!)}`)
    .join('&');

export function amzDate(ms: number): string {
  return `${new Date(ms).toISOString().replace(/[-:]/g, '').slice(0, 15)}Z`;
}

export function signingKey({ secret = 'testing', region = 'us-east-1', service = 's3', atMs = Date.now() }: Signer) {
  const day = amzDate(atMs).slice(0, 8);
  return [day, region, service, 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${secret}`) as Buffer;
}

export function scopeOf({ region = 'us-east-1', service = 's3', atMs = Date.now() }: Signer): string {
  return `${amzDate(atMs).slice(0, 8)}/${region}/${service}/aws4_request`;
}

function signature(request: SignedRequest, headers: Record<string, string>, payload: string, signer: Signer): string {
  const names = Object.keys(headers).sort();
  const canonical = [
    request.method ?? 'GET',
    request.path,
    queryOf(request.query ?? {}),
    ...names.map((name) => `${name}:${headers[name]}`),
    '',
    names.join(';'),
    payload,
  ].join('\n');
  const text = ['AWS4-HMAC-SHA256', amzDate(signer.atMs ?? Date.now()), scopeOf(signer), sha256(canonical)].join('\n');
  return hmac(signingKey(signer), text).toString('hex');
}

/** Headers of a request with a signature of version 4. */
export function signHeaders(host: string, request: SignedRequest, options: Signer = {}): Record<string, string> {
  const signer = { atMs: Date.now(), ...options };
  const payload = signer.payload ?? sha256(request.body ?? '');
  const sent: Record<string, string> = {
    ...request.headers,
    'x-amz-date': amzDate(signer.atMs),
    'x-amz-content-sha256': payload,
  };
  const signed: Record<string, string> = { ...sent, host: signer.host ?? host };
  for (const name of signer.unsigned ?? []) delete signed[name];
  const value = signature(request, signed, payload, signer);
  const credential = `${signer.accessKey ?? 'test:tester'}/${scopeOf(signer)}`;
  const names = Object.keys(signed).sort().join(';');
  sent.authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names}, Signature=${value}`;
  return sent;
}

/** A URL that carries its signature of version 4. */
export function presign(
  server: Pick<TestServer, 'url' | 'host' | 'port'>,
  request: SignedRequest,
  options: Signer & { expires?: string } = {},
): string {
  const signer = { atMs: Date.now(), ...options };
  const query = {
    ...request.query,
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': `${signer.accessKey ?? 'test:tester'}/${scopeOf(signer)}`,
    'X-Amz-Date': amzDate(signer.atMs),
    'X-Amz-Expires': options.expires ?? '60',
    'X-Amz-SignedHeaders': 'host',
  };
  const host = { host: `${server.host}:${server.port}` };
  const value = signature({ ...request, query }, host, 'UNSIGNED-PAYLOAD', signer);
  return `${server.url}${request.path}?${queryOf(query)}&X-Amz-Signature=${value}`;
}

/** Sends a request with a signature of version 4 in its headers. */
export async function sendSigned(server: TestServer, request: SignedRequest, signer: Signer = {}): Promise<Response> {
  const query = queryOf(request.query ?? {});
  const headers = signHeaders(`${server.host}:${server.port}`, request, signer);
  return fetch(`${server.url}${request.path}${query === '' ? '' : `?${query}`}`, {
    method: request.method ?? 'GET',
    headers,
    body: request.body,
  });
}

/** The text of an element of an answer. */
export function textOf(xml: string, element: string): string | undefined {
  return new RegExp(`<${element}>([^<]*)</${element}>`).exec(xml)?.[1];
}

/** The code of a refusal, behind its status. */
export async function refusalOf(response: Response): Promise<string> {
  return `${response.status} ${textOf(await response.text(), 'Code')}`;
}
