import type { ObjectPath, ObjectRecord } from '@zerocloud/object-server';
import type { SwiftContext } from '../context';
import { htmlType } from '../errors';
import { findLink, locationOf } from './link';

const sentence =
  'The requested POST was applied to a symlink. POST directly to the target to apply requested metadata.';

/** Tells a client whose POST changed a link where the target is; false for an ordinary object. */
export function answerLinkPost(ctx: SwiftContext, path: ObjectPath, record: ObjectRecord): boolean {
  const link = findLink(path, record);
  if (!link) return false;
  ctx.status = 307;
  ctx.res.setHeader('Content-Type', htmlType);
  ctx.res.setHeader('Location', locationOf(link.target));
  if (link.etag !== undefined) ctx.res.setHeader('X-Symlink-Target-Etag', link.etag);
  ctx.body = Buffer.from(sentence);
  return true;
}
