import type { ServerResponse } from 'node:http';
import {
  deleteMarkerType,
  isDeleteMarker,
  nullVersion,
  type ObjectPath,
  type ObjectRecord,
} from '@zerocloud/object-server';
import { type Access, authorizeAccount, authorizeTarget } from '../auth/authorize';
import type { Deps, SwiftContext } from '../context';
import { HttpError, htmlType } from '../errors';
import { Query } from '../http/query';
import { locationOf } from '../symlinks/link';

const idForm = /^\d{1,10}(\.\d{1,5})?$/;
const html = { headers: { 'content-type': htmlType } };

/** The version that `?version-id=` names, `undefined` for the current object. 400 for what is no id. */
export function findVersionId({ req }: SwiftContext): string | undefined {
  const url = req.url!;
  if (!url.includes('version-id=')) return undefined;
  const id = new Query(url).get('version-id');
  if (!id) return undefined;
  if (id !== nullVersion && !idForm.test(id)) throw new HttpError(400, 'Invalid version parameter', html);
  return id;
}

/**
 * Refuses who may not touch the object in the path. A version with an id is the account's business: the container's ACL gives
 * no right to it, as in Swift, where versions lie in a container of their own.
 */
export function authorizeVersion(ctx: SwiftContext, deps: Deps, path: ObjectPath, access: Access): Promise<void> {
  const isCurrent = path.versionId === undefined || path.versionId === nullVersion;
  return isCurrent ? authorizeTarget(ctx, deps, path, access) : authorizeOlder(ctx, deps, path, access);
}

async function authorizeOlder(ctx: SwiftContext, deps: Deps, path: ObjectPath, access: Access): Promise<void> {
  await authorizeAccount(ctx, deps, path.account, access === 'read' ? 'read-only' : 'read-write');
  await checkVersioned(deps, path);
}

/** Refuses a version where there can be none. */
export async function checkVersioned(deps: Deps, path: ObjectPath): Promise<void> {
  const container = await deps.node.findContainer(path);
  if (!container) throw new HttpError(404);
  if (!container.versioning) {
    throw new HttpError(400, 'version-aware operations require that the container is versioned', html);
  }
}

/** Tells which version is answered with; 404 for a delete marker that was asked for. Records without id cost nothing. */
export function tellVersion(ctx: SwiftContext, path: ObjectPath, record: ObjectRecord): void {
  const { versionId = path.versionId } = record;
  if (versionId === undefined) return;
  if (path.versionId !== undefined && isDeleteMarker(record)) {
    const headers = { 'X-Object-Version-Id': versionId, 'content-type': deleteMarkerType };
    throw new HttpError(404, undefined, { headers });
  }
  setVersionId(ctx.res, versionId);
  if (path.versionId === undefined && versionId !== nullVersion) {
    ctx.res.setHeader('Content-Location', `${locationOf(path)}?version-id=${versionId}`);
  }
}

export function setVersionId(response: ServerResponse, versionId: string | undefined): void {
  if (versionId !== undefined) response.setHeader('X-Object-Version-Id', versionId);
}
