import type { Middleware, SwiftContext } from '../context';
import { HttpError, htmlType } from '../errors';
import { queuePrefix } from '../queues/message-name';
import { decodePercent, rawPathOf, type SwiftPath, splitSwiftPath } from '../swift-path';

/**
 * Puts the split path into `ctx.state.path`, or refuses as Swift's proxy application does. The version is not judged
 * here: jobs have versions of their own.
 */
export function swiftPath(): Middleware {
  return (ctx, next) => {
    const raw = rawPathOf(ctx.req.url ?? '/');
    const decoded = decodePercent(raw);
    if (decoded === undefined || decoded.includes('\0')) {
      throw plainPage(412, isForJobs(ctx, raw) ? 'Invalid UTF8' : 'Invalid UTF8 or contains NULL');
    }
    const path = splitSwiftPath(decoded);
    if (!path) throw new HttpError(404);
    if (!path.account || (path.object && !path.container)) {
      throw isForJobs(ctx, raw) ? new HttpError(404) : plainPage(412, 'Bad URL');
    }
    ctx.state.path = resourcePath(path as SwiftPath);
    return next();
  };
}

/** ZeroCloud stands before Swift, and has other words for paths that are none. */
function isForJobs(ctx: SwiftContext, path: string): boolean {
  return ctx.req.headers['x-zerovm-execute'] !== undefined || /^\/(?:open|api)(?:\/|$)/.test(path);
}

function plainPage(status: number, body: string): HttpError {
  return new HttpError(status, body, { headers: { 'content-type': htmlType } });
}

function resourcePath(path: SwiftPath): SwiftPath {
  if (path.version === 'jobs') return liveViewPath(path);
  // A queue is a container; whoever asks for its rights must look there.
  if (path.version === 'queue' && path.container) return { ...path, container: queuePrefix + path.container };
  return path;
}

/** `/jobs/v1/<account>[/<id>]`: the version comes after the noun there. */
function liveViewPath({ version, account, container, object }: SwiftPath): SwiftPath {
  if (account !== 'v1' || !container) throw new HttpError(404);
  return { version, account: container, object };
}
