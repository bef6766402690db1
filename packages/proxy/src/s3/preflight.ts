import type { SwiftContext } from '../context';
import { respondEmpty } from '../http/respond';

const methods = 'GET, HEAD, PUT, POST, DELETE, OPTIONS';

/**
 * A browser's question before a request of S3. It carries no signature, so nobody knows whose bucket is meant, and the
 * setting decides; what the script then may read is decided by the container, as for Swift.
 */
export function isPreflight({ method, req }: SwiftContext): boolean {
  if (method !== 'OPTIONS' || req.headers.origin === undefined) return false;
  const url = req.url!;
  const wanted = String(req.headers['access-control-request-headers'] ?? '').toLowerCase();
  if (wanted.includes('authorization') && !/^\/v1(?:\.0)?\//.test(url)) return true;
  return /[?&](?:AWSAccessKeyId|X-Amz-Credential)=/.test(url);
}

export function answerPreflight(ctx: SwiftContext, origins: readonly string[]): void {
  const { headers } = ctx.req;
  const origin = headers.origin!;
  if (!origins.includes('*') && !origins.includes(origin)) {
    respondEmpty(ctx, 401, { Allow: methods });
    return;
  }
  const wanted = String(headers['access-control-request-headers'] ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '');
  respondEmpty(ctx, 200, {
    Allow: methods,
    'Access-Control-Allow-Origin': origin,
    'Access-Control-Allow-Methods': methods,
    Vary: 'Origin, Access-Control-Request-Headers',
    ...(wanted.length === 0 ? {} : { 'Access-Control-Allow-Headers': [...new Set(wanted)].join(', ') }),
  });
}
