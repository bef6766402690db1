import type { SwiftContext } from '../context';
import { HttpError, htmlType } from '../errors';

/** Swift's own notes about an object, and the conditions that its proxy hands through to the object server. */
const notForClients = ['x-static-large-object', 'x-if-delete-at'];
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
  for (const name of notForClients) if (ctx.req.headers[name] !== undefined) throw notSupported(name, ctx.method);
}

function notSupported(header: string, method?: string): HttpError {
  return new HttpError(501, `The header ${header} is not supported with ${method}`);
}
