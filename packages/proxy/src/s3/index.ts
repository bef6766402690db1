import { isStorageError } from '@zerocloud/object-server';
import { resellerPrefix } from '../auth/authorize';
import { identityOf, type UserTable } from '../auth/users';
import type { Deps, Middleware, SwiftContext } from '../context';
import { HttpError, reasonOf } from '../errors';
import { respondEmpty } from '../http/respond';
import type { Subrequests } from '../http/subrequest';
import { isReadOnly } from '../middleware/read-only';
import { findSignatureVersion, getSigner, readCredentials, type SignatureVersion } from './auth/authenticate';
import { takeHoistedHeaders } from './auth/hoisted-headers';
import { checkHeaders } from './check-headers';
import { S3Error } from './errors';
import { checkExpectedOwners } from './expected-owner';
import { decodeParameters, splitParameters } from './parameters';
import { readPayload } from './payload/payload';
import { answerPreflight, isPreflight } from './preflight';
import { readTarget, type S3Api, S3Request } from './request';
import { getOperation } from './routes';
import { renderError } from './xml';

/**
 * The API of Amazon S3, as Swift's s3api has it with `s3_acl`: requests that carry a signature of S3 are translated into
 * requests of Swift; all others go on. Access keys are `account:user`, secrets the keys of the users.
 */
export function s3(deps: Deps, users: UserTable, subrequests: Subrequests): Middleware {
  const api: S3Api = { deps, config: deps.config.s3, subrequests };
  const { preflightOrigins } = api.config;
  return (ctx, next) => {
    if (ctx.req.method === 'OPTIONS' && preflightOrigins.length > 0 && isPreflight(ctx)) {
      answerPreflight(ctx, preflightOrigins);
      return Promise.resolve();
    }
    const version = findSignatureVersion(ctx);
    return version === undefined ? next() : answer(api, users, ctx, version);
  };
}

async function answer(api: S3Api, users: UserTable, ctx: SwiftContext, version: SignatureVersion): Promise<void> {
  const { transactionId } = ctx.state;
  ctx.res.setHeader('x-amz-id-2', transactionId);
  ctx.res.setHeader('x-amz-request-id', transactionId);
  let req: S3Request | undefined;
  try {
    req = readRequest(api, users, ctx, version);
    checkWritable(req);
    await checkExpectedOwners(req);
    await getOperation(req)(req);
  } catch (error) {
    // What the body was found to be says more than that it broke off.
    refuse(api, ctx, req?.payload.failure ?? translate(error), error);
  }
}

function readRequest(api: S3Api, users: UserTable, ctx: SwiftContext, version: SignatureVersion): S3Request {
  const { deps, config } = api;
  const url = ctx.req.url!;
  const raw = splitParameters(url);
  const params = decodeParameters(raw, url);
  const { bucket = '', key = '', bucketInHost } = readTarget(ctx, config);
  const credentials = readCredentials(version, {
    ctx,
    raw,
    params,
    hostBucket: bucketInHost ? bucket : undefined,
    nowMs: deps.now(),
    location: config.location,
    clockSkewS: config.clockSkewS,
  });
  const user = getSigner(credentials, users);
  const account = resellerPrefix + user.account;
  ctx.state.identity = identityOf(user);
  // For CORS, which asks the container.
  if (bucket !== '') ctx.state.path = { version: 'v1', account, container: bucket, object: key || undefined };
  if (version === 4 && params.has('X-Amz-Credential')) takeHoistedHeaders(ctx, params);
  checkHeaders(ctx);
  const payload = readPayload(ctx, deps.config.timeouts, credentials, user.key);
  return new S3Request(api, ctx, params, bucket, key, ctx.state.identity.user, account, payload);
}

/** What is not a request of Swift in the end passes `readOnly` by. */
function checkWritable({ api, method, account, params }: S3Request): void {
  const { readOnly } = api.deps.config;
  if (method === 'GET' || method === 'HEAD' || !isReadOnly(readOnly, account)) return;
  if (readOnly.allowDeletes && (method === 'DELETE' || params.has('delete'))) return;
  throw new S3Error('AccessDenied', 'Writes are disabled for this account.');
}

/** `undefined`: a fault of ours. */
function translate(error: unknown): S3Error | undefined {
  if (error instanceof S3Error) return error;
  if (isStorageError(error, 'bodyAborted') || isStorageError(error, 'bodyTimeout'))
    return new S3Error('RequestTimeout');
  if (isStorageError(error, 'containerNotFound')) return new S3Error('NoSuchBucket');
  if (isStorageError(error, 'policyConflict')) return new S3Error('InvalidRequest', error.message);
  if (isStorageError(error, 'unavailable')) return new S3Error('ServiceUnavailable');
  if (error instanceof HttpError && error.status < 500) return new S3Error('InvalidRequest', error.message);
  return undefined;
}

function refuse({ deps }: S3Api, ctx: SwiftContext, refusal: S3Error | undefined, cause: unknown): void {
  const { res, state } = ctx;
  const error = refusal ?? new S3Error('InternalError');
  if (error.status === 500) {
    deps.log.error({ txn: state.transactionId, method: ctx.method, path: ctx.path, err: cause }, 'request failed');
  }
  if (res.headersSent) {
    res.destroy();
    return;
  }
  for (const name of res.getHeaderNames()) if (!keptOnError.has(name)) res.removeHeader(name);
  // Behind half a body nobody can find the next request.
  if (isBodyError(error)) res.setHeader('Connection', 'close');
  if (ctx.method === 'HEAD') {
    respondEmpty(ctx, error.status, { 'Content-Type': 'application/xml' });
    ctx.message = reasonOf(error.status);
    return;
  }
  ctx.status = error.status;
  ctx.message = reasonOf(error.status);
  ctx.body = Buffer.from(renderError(error, state.transactionId));
  res.setHeader('Content-Type', 'application/xml');
}

function isBodyError({ code }: S3Error): boolean {
  return code === 'RequestTimeout' || code === 'IncompleteBody';
}

const keptOnError = new Set([
  'connection',
  'vary',
  'x-amz-delete-marker',
  'x-amz-id-2',
  'x-amz-request-id',
  'x-amz-version-id',
  'x-openstack-request-id',
  'x-trans-id',
]);
