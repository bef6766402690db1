import { isStorageError, type StorageErrorCode } from '@zerocloud/object-server';
import type { Deps, Middleware, SwiftContext } from '../context';
import { HttpError, htmlType } from '../errors';
import { headerName } from '../http/header-text';
import { withoutSecrets } from '../http/request-log';

/** What a client is told of a storage failure that no route translated. `undefined`: Swift's page of the status. */
const statusOfStorageError: Record<StorageErrorCode, [status: number, body?: string, contentType?: string]> = {
  accountNotFound: [404],
  accountDeleted: [410],
  containerNotFound: [404],
  containerNotEmpty: [409],
  versionsLeft: [409, 'Delete all versions before deleting container.', htmlType],
  archiveNotFound: [412],
  policyConflict: [409],
  objectNotFound: [404],
  objectExists: [412],
  requirementNotMet: [409],
  objectIsLink: [409],
  objectIsManifest: [409],
  objectTooLarge: [413],
  bodyLengthMismatch: [499],
  bodyTimeout: [408],
  bodyAborted: [499],
  etagMismatch: [422],
  badMetadata: [400],
  stagedNotFound: [500],
  badArchive: [422],
  programNotFound: [404],
  programTooLarge: [413],
  inputTooLarge: [413],
  channelWithoutData: [400],
  systemImageNotFound: [404],
  sessionFailed: [500],
  noSlot: [503, 'Slot not available'],
  insufficientStorage: [507],
  unavailable: [503],
};

/** Of failures that are the server's own the client learns no more than the status; what it was is for the log. */
const ownFailures: readonly StorageErrorCode[] = ['unavailable', 'insufficientStorage'];

/** The only place where an error becomes a response. Surprises are logged whole and answered with a bare 500. */
export function errors({ log }: Deps): Middleware {
  return async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      const answer = asHttpError(error);
      const level = !answer || answer.status === 500 ? 'error' : isOwnFailure(error) ? 'warn' : undefined;
      if (level) {
        const request = { txn: ctx.state.transactionId, method: ctx.method, path: withoutSecrets(ctx.url) };
        log[level]({ ...request, err: error }, 'request failed');
      }
      respondWith(ctx, answer ?? new HttpError(500));
    }
  };
}

function isOwnFailure(error: unknown): boolean {
  const failure = error instanceof HttpError ? error.cause : error;
  return isStorageError(failure) && ownFailures.includes(failure.code);
}

function asHttpError(error: unknown): HttpError | undefined {
  if (error instanceof HttpError) return error;
  if (isStorageError(error)) {
    const [status, text, type] = statusOfStorageError[error.code];
    const body = error.code === 'badMetadata' ? error.message : text;
    return new HttpError(status, body, { cause: error, ...(type && { headers: { 'content-type': type } }) });
  }
  // The client hung up: nobody reads the answer, and it is no failure of ours.
  const { name, code } = error as NodeJS.ErrnoException;
  if (name === 'AbortError' || code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE') {
    return new HttpError(499, undefined, { cause: error });
  }
  return undefined;
}

function respondWith(ctx: SwiftContext, error: HttpError): void {
  const { res } = ctx;
  if (res.headersSent) {
    // Too late for a status: only a broken connection tells the client that the body is not whole.
    res.destroy();
    return;
  }
  for (const name of res.getHeaderNames()) if (!keptOnError.has(name)) res.removeHeader(name);
  const body = Buffer.from(error.body);
  ctx.state.body = undefined;
  ctx.status = error.status;
  ctx.message = error.reason;
  for (const name in error.headers) ctx.set(headerName(name), error.headers[name]!);
  if (!res.hasHeader('content-type')) ctx.set('Content-Type', htmlType);
  // Behind half a body nobody can find the next request.
  if (error.status === 408 || error.status === 499) res.setHeader('Connection', 'close');
  ctx.body = body;
}

const keptOnError = new Set(['x-trans-id', 'x-openstack-request-id', 'vary', 'connection']);
