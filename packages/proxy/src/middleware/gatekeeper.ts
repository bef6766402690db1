import type { Middleware } from '../context';

/**
 * Headers that never cross the border, in either direction: system metadata are the server's own notes, and a client
 * that could set them could grant itself rights. `X-Timestamp` from a client is not believed either. (Swift's
 * gatekeeper.py.)
 */
export function gatekeeper(): Middleware {
  return async (ctx, next) => {
    const { headers } = ctx.req;
    for (const name in headers) if (isInternalRequestHeader(name)) delete headers[name];
    await next();
    const { res } = ctx;
    if (res.headersSent) return;
    for (const name of res.getHeaderNames()) if (isInternalHeader(name)) res.removeHeader(name);
  };
}

const letterX = 0x78;
const internal =
  /^x-(?:(?:account|container|object)-sysmeta-|object-transient-sysmeta-|backend|account-(?:host|device|partition)$|container-(?:host|device|partition|root-db-state)$|delete-at-(?:host|device|partition|container)$)/;

/** `name` in lower case. */
export function isInternalHeader(name: string): boolean {
  return name.charCodeAt(0) === letterX && internal.test(name);
}

function isInternalRequestHeader(name: string): boolean {
  return name === 'x-timestamp' || isInternalHeader(name);
}
