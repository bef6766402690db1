import type { IncomingHttpHeaders } from 'node:http';
import type { ContainerRecord } from '@zerocloud/object-server';
import type { Deps, SwiftContext } from '../context';
import type { Subrequests } from '../http/subrequest';
import { decodePercent, rawPathOf } from '../swift-path';
import { isBucketName } from './bucket-name';
import type { S3Config } from './config';
import { invalidArgument, noSuchBucket, S3Error } from './errors';
import type { S3Parameters } from './parameters';
import type { Payload } from './payload/payload';

/** What all requests have in common. */
export interface S3Api {
  deps: Deps;
  config: S3Config;
  subrequests: Subrequests;
}

/** What a request is about, before anybody knows whose it is. */
export interface S3Target {
  /** Absent for the service itself. */
  bucket?: string;
  key?: string;
  /** True when the host names the bucket, and the path only the key. */
  bucketInHost: boolean;
}

/** A request whose signature was found good. */
export class S3Request {
  #bucketRecord?: ContainerRecord;

  constructor(
    readonly api: S3Api,
    readonly ctx: SwiftContext,
    readonly params: S3Parameters,
    readonly bucket: string,
    readonly key: string,
    /** Access key, `account:user`: S3's id of the user, too. */
    readonly user: string,
    readonly account: string,
    readonly payload: Payload,
  ) {}

  get method(): string {
    return this.ctx.method;
  }

  get headers(): IncomingHttpHeaders {
    return this.ctx.req.headers;
  }

  /** The value of a header that is no list in Node; absent when empty. */
  header(name: string): string | undefined {
    const value = this.headers[name];
    return typeof value === 'string' && value !== '' ? value : undefined;
  }

  /** The bucket as it was at the first look. `NoSuchBucket`. */
  async getBucket(): Promise<ContainerRecord> {
    this.#bucketRecord ??= await this.api.deps.node.findContainer({ account: this.account, container: this.bucket });
    if (!this.#bucketRecord) throw noSuchBucket(this.bucket);
    return this.#bucketRecord;
  }
}

/** Splits path and host. `InvalidURI` and `InvalidBucketName`. */
export function readTarget(ctx: SwiftContext, { domains }: S3Config): S3Target {
  const rawPath = rawPathOf(ctx.req.url!);
  const path = decodePercent(rawPath);
  if (path === undefined || path.includes('\0')) throw new S3Error('InvalidURI', undefined, { Uri: rawPath });
  const host = findHostBucket(ctx.req.headers.host, domains);
  if (host !== undefined) return { bucket: checkBucketName(host), key: path.slice(1) || undefined, bucketInHost: true };
  const slash = path.indexOf('/', 1);
  const bucket = slash < 0 ? path.slice(1) : path.slice(1, slash);
  if (bucket === '' && slash < 0) return { bucketInHost: false };
  const key = slash < 0 ? undefined : path.slice(slash + 1) || undefined;
  return { bucket: checkBucketName(bucket), key, bucketInHost: false };
}

function checkBucketName(name: string): string {
  if (!isBucketName(name)) throw new S3Error('InvalidBucketName', undefined, { BucketName: name });
  return name;
}

/** `bucket.s3.example.org` with the domain `s3.example.org`. */
function findHostBucket(host: string | undefined, domains: readonly string[]): string | undefined {
  if (domains.length === 0 || host === undefined) return undefined;
  const name = host.replace(/:\d+$/, '').toLowerCase();
  const domain = domains.find((candidate) => name.endsWith(`.${candidate}`));
  return domain === undefined ? undefined : name.slice(0, -domain.length - 1);
}

const maxInteger = 2_147_483_647;

/** A number such as `max-keys`, cut off at `limit`. */
export function readCount(params: S3Parameters, name: string, fallback: number, limit = maxInteger): number {
  const text = params.get(name);
  if (text === undefined) return fallback;
  const value = /^\s*[+-]?\d{1,20}\s*$/.test(text) ? Number(text) : Number.NaN;
  if (value < 0) {
    throw invalidArgument(name, text, `Argument ${name} must be an integer between 0 and ${maxInteger}`);
  }
  if (!(value <= maxInteger)) {
    throw invalidArgument(name, text, `Provided ${name} not an integer or within integer range`);
  }
  return Math.min(value, limit);
}
