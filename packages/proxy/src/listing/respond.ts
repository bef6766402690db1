import type { SwiftContext } from '../context';
import type { Query } from '../http/query';
import { respondEmpty } from '../http/respond';
import type { ListingType } from './format';

/**
 * Answers with a listing; 204 when it is empty text, or for HEAD (`body` undefined). The headers of the account or
 * container are set already.
 */
export function respondListing(ctx: SwiftContext, query: Query, type: ListingType, body: Buffer | undefined): void {
  if (!query.has('format')) ctx.vary('Accept');
  const contentType = `${type}; charset=utf-8`;
  if (!body?.length) {
    respondEmpty(ctx, 204, { 'Content-Type': contentType });
    return;
  }
  ctx.status = 200;
  ctx.set('Content-Type', contentType);
  ctx.body = body;
}
