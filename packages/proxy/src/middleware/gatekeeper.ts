import type { Middleware } from '../context';
import { isInternalHeader } from '../http/internal-headers';

/**
 * Headers that never come in from outside: system metadata are the server's own notes, and a client that could set them
 * could grant itself rights. `X-Timestamp` from a client is not believed either. (Swift's gatekeeper.py; that they do
 * not go out either is seen to where answers leave, in `http/request-handler.ts`.)
 */
export function gatekeeper(): Middleware {
  return (ctx, next) => {
    const { headers } = ctx.req;
    for (const name in headers) if (name === 'x-timestamp' || isInternalHeader(name)) delete headers[name];
    return next();
  };
}
