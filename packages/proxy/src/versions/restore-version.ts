import { isStorageError, nullVersion, type ObjectPath } from '@zerocloud/object-server';
import type { Deps, SwiftContext } from '../context';
import { HttpError, htmlType } from '../errors';
import { refuseUncheckedConditions } from '../objects/unsupported';
import { answerCreated, authorizeWrite, readIfAbsent } from '../objects/write-object';
import { checkVersioned } from './version-request';

/** PUT `?version-id=`: makes that version the current object, with `If-None-Match: *` only where there is none. */
export async function restoreVersion(ctx: SwiftContext, deps: Deps, path: ObjectPath): Promise<void> {
  await authorizeWrite(ctx, deps, path);
  await checkVersioned(deps, path);
  if (path.versionId === nullVersion) {
    throw new HttpError(400, 'Invalid version parameter', { headers: { 'content-type': htmlType } });
  }
  refuseUncheckedConditions(ctx);
  const ifAbsent = readIfAbsent(ctx);
  const { headers } = ctx.req;
  if (headers['transfer-encoding'] !== undefined ? await hasBody(ctx) : Number(headers['content-length'] ?? 0) > 0) {
    throw new HttpError(400, 'PUT version-id requests require a zero byte body');
  }
  try {
    answerCreated(ctx, await deps.node.restoreVersion(path, { timestamp: ctx.state.timestamp, ifAbsent }));
  } catch (error) {
    if (!isStorageError(error, 'objectNotFound')) throw error;
    throw new HttpError(404, 'The specified version does not exist');
  }
}

async function hasBody({ req }: SwiftContext): Promise<boolean> {
  for await (const chunk of req.iterator({ destroyOnReturn: false })) if (chunk.length > 0) return true;
  return false;
}
