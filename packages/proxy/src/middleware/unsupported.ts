import type { Middleware } from '../context';
import { HttpError } from '../errors';
import { Query } from '../http/query';
import { isJobRequest } from '../jobs/job-request';

/**
 * Features of Swift that this server does not have and `/info` does not list. Who asks for one is told so: storing a
 * manifest as an ordinary object, or serving a signed URL's object to nobody, would be worse than a refusal.
 */
const headers = [
  'x-versions-location',
  'x-history-location',
  'x-versions-enabled',
  'x-container-sync-to',
];

const parameters = ['extract-archive', 'bulk-delete', 'version-id', 'versions'];

const everyParameter = new RegExp(parameters.join('|'));

/** Refuses what is asked for and not there, by name. With 400, for clients try a 5xx again and again. */
export function unsupported(): Middleware {
  return (ctx, next) => {
    const { req } = ctx;
    for (const name of headers) {
      // An empty value takes the feature away, which is granted.
      if (req.headers[name]) throw notSupported(`The header ${name}`);
    }
    const url = req.url!;
    // Names are only looked at closely when one may be there at all (percent-encoded spellings are no clients' habit).
    // The parameters of a job belong to its program.
    if (url.includes('?') && everyParameter.test(url) && !isJobRequest(ctx)) {
      const query = new Query(url);
      for (const name of parameters) if (query.has(name)) throw notSupported(`The parameter ${name}`);
    }
    return next();
  };
}

function notSupported(what: string): HttpError {
  return new HttpError(400, `${what} is not supported by this server\n`);
}
