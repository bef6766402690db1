import type { Readable } from 'node:stream';
import { grantAll } from '../context';
import { decodeHeaderTextLossless } from '../http/header-text';
import type { SubAnswer } from '../http/subrequest';
import { encodePath } from '../objects/copy-request';
import { noSuchBucket, noSuchKey, S3Error, type S3ErrorCode } from './errors';
import type { S3Request } from './request';

/** A request to Swift on behalf of one of S3, whose rights were checked before. */
export interface SwiftRequest {
  method: string;
  /** The bucket of the request by default. */
  container?: string;
  object?: string;
  query?: Record<string, string | number | undefined>;
  /** Names in lower case. */
  headers?: Record<string, string | undefined>;
  body?: AsyncIterable<Uint8Array>;
}

/** Sends it and answers with whatever Swift says, refusals included. */
export function askSwift(req: S3Request, { method, query = {}, headers = {}, body, ...path }: SwiftRequest) {
  const { container = req.bucket, object } = path;
  const names = [req.account, container, ...(object === undefined ? [] : [object])];
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined);
  const search = pairs.map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`).join('&');
  return req.api.subrequests.send(req.ctx, {
    method,
    url: `/v1/${names.map(encodePath).join('/')}${search === '' ? '' : `?${search}`}`,
    headers: Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined)) as Record<
      string,
      string
    >,
    body,
    grant: grantAll,
  });
}

/** Sends it; throws what a refusal means in S3. */
export async function callSwift(req: S3Request, request: SwiftRequest): Promise<SubAnswer> {
  const answer = await askSwift(req, request);
  if (answer.status >= 400) throw await refusalOf(req, request, answer);
  return answer;
}

/** What a refusal means in S3 (s3request.py, `_swift_error_codes`). Takes the answer's body. */
export async function refusalOf(req: S3Request, request: SwiftRequest, answer: SubAnswer): Promise<S3Error> {
  if (req.payload.failure) return req.payload.failure;
  const text = readText(answer.body);
  if (answer.status === 404) return missing(req, request);
  const code = codeOf(request, answer.status, text);
  if (code) return new S3Error(code, isQuota(text) ? text : undefined);
  switch (answer.status) {
    case 400:
    case 422:
      return new S3Error('InvalidRequest', text || undefined);
    case 401:
    case 403:
      return new S3Error('AccessDenied', text.includes('<html>') ? undefined : text || undefined);
    case 409:
      return new S3Error('BrokenMPU');
    case 429:
    case 498:
      return new S3Error('SlowDown');
    case 503:
      return new S3Error('ServiceUnavailable');
    default:
      return new S3Error('InternalError', `unexpected status code ${answer.status}`);
  }
}

function codeOf({ method, object }: SwiftRequest, status: number, text: string): S3ErrorCode | undefined {
  if (object === undefined) return method === 'DELETE' && status === 409 ? 'BucketNotEmpty' : undefined;
  if (status === 412) return 'PreconditionFailed';
  if (status === 416) return 'InvalidRange';
  if (method !== 'PUT') return undefined;
  if (status === 400 && /name length of \d+ longer than/.test(text)) return 'KeyTooLongError';
  return (
    {
      422: 'BadDigest',
      413: 'EntityTooLarge',
      411: 'MissingContentLength',
      408: 'RequestTimeout',
      499: 'RequestTimeout',
    } as const
  )[status as 422];
}

async function missing(req: S3Request, { method, container, object, headers }: SwiftRequest): Promise<S3Error> {
  const source = headers?.['x-copy-from'];
  if (source !== undefined && (await isThere(req, container))) {
    return noSuchKey(decodeURIComponent(source.slice(source.indexOf('/') + 1)));
  }
  if (object === undefined || method === 'PUT') return noSuchBucket(req.bucket);
  if (container === undefined || container === req.bucket) await req.getBucket();
  return noSuchKey(req.key || object);
}

async function isThere({ api, account, bucket }: S3Request, container = bucket): Promise<boolean> {
  return (await api.deps.node.findContainer({ account, container })) !== undefined;
}

function isQuota(text: string): boolean {
  return text.toLowerCase().includes('quota');
}

function readText(body: Buffer | Readable): string {
  if (Buffer.isBuffer(body)) return body.toString('utf8');
  body.destroy();
  return '';
}

/** Text of a header of an answer. */
export function headerText(answer: SubAnswer, name: string): string | undefined {
  const value = answer.headers[name];
  return value === undefined ? undefined : decodeHeaderTextLossless(value);
}

/** All of a listing's JSON, which is a Buffer always. */
export function readListing<T>(answer: SubAnswer): T[] {
  const text = (answer.body as Buffer).toString('utf8');
  return text === '' ? [] : (JSON.parse(text) as T[]);
}

/** For answers of which only the head counts. */
export function dropBody({ body }: SubAnswer): void {
  if (!Buffer.isBuffer(body)) body.destroy();
}
