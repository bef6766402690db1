import type { Middleware } from '../context';
import { HttpError } from '../errors';

/**
 * Features of Swift that this server does not have and `/info` does not list. Who asks for one is told so: a container
 * that is believed to be synced and is not would be worse than a refusal.
 */
const headers = ['x-container-sync-to'];

/** Refuses what is asked for and not there, by name. With 400, for clients try a 5xx again and again. */
export function unsupported(): Middleware {
  return (ctx, next) => {
    for (const name of headers) {
      // An empty value takes the feature away, which is granted.
      if (ctx.req.headers[name]) throw new HttpError(400, `The header ${name} is not supported by this server\n`);
    }
    return next();
  };
}
