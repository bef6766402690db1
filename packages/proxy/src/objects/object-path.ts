import type { ObjectPath } from '@zerocloud/object-server';
import type { SwiftContext } from '../context';
import { findVersionId } from '../versions/version-request';

/** The object that a request's own path names, and the version of it that its query does. */
export function objectPath(ctx: SwiftContext): ObjectPath {
  const { account, container, object } = ctx.state.path;
  const path: ObjectPath = { account, container: container!, object: object! };
  const versionId = findVersionId(ctx);
  if (versionId !== undefined) path.versionId = versionId;
  return path;
}
