import type { ObjectPath } from '@zerocloud/object-server';
import type { SwiftContext } from '../context';

/** The object that a request's own path names. */
export function objectPath(ctx: SwiftContext): ObjectPath {
  const { account, container, object } = ctx.state.path;
  return { account, container: container!, object: object! };
}
