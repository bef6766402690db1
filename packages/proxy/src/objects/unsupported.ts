import type { SwiftContext } from '../context';
import { HttpError, htmlType } from '../errors';

/** Conditions that Swift's proxy hands through to the object server. */
const deleteAt = /^\s*\d+(\.\d+)?\s*$/;
const conditions = ['if-match', 'if-modified-since', 'if-unmodified-since'];

/**
 * Conditions of a PUT, POST or DELETE that nothing here would check. Swift ignores them; a client that relies on one
 * would lose somebody's update without a word, so it is told with 501. The conditions of a copy are about its source
 * and hold.
 */
export function refuseUncheckedConditions(ctx: SwiftContext): void {
  refuseNotes(ctx);
  const { headers, method } = ctx.req;
  for (const name of conditions) if (headers[name] !== undefined) throw notSupported(name, method);
  if (method !== 'PUT' && headers['if-none-match'] !== undefined) throw notSupported('if-none-match', method);
}

/** Headers that would make a plain object something else, or that only Swift's own expirer sends. */
export function refuseNotes(ctx: SwiftContext): void {
  const ifDeleteAt = ctx.req.headers['x-if-delete-at'];
  if (ifDeleteAt !== undefined && !deleteAt.test(String(ifDeleteAt))) {
    throw new HttpError(400, 'Bad X-If-Delete-At header value', { headers: { 'content-type': htmlType } });
  }
  if (ifDeleteAt !== undefined) throw notSupported('x-if-delete-at', ctx.method);
  if (ctx.req.headers['x-static-large-object'] !== undefined) {
    const sentence =
      'X-Static-Large-Object is a reserved header. To create a static large object add query param multipart-manifest=put.';
    throw new HttpError(400, sentence, { headers: { 'content-type': htmlType } });
  }
}

function notSupported(header: string, method?: string): HttpError {
  return new HttpError(501, `The header ${header} is not supported with ${method}`);
}
