import type { IncomingHttpHeaders } from 'node:http';
import type { ContainerRecord, MetadataUpdate } from '@zerocloud/object-server';
import { AclSyntaxError, cleanAcl } from '../auth/acl';
import { authorizeAccount, authorizeTarget, mayControl, noticeAdmin } from '../auth/authorize';
import { visibleMetadata } from '../auth/visible-headers';
import type { SwiftLimits } from '../config';
import type { Deps, SwiftContext } from '../context';
import { HttpError, htmlType } from '../errors';
import { etagSwitchHeader, readEtagSwitch } from '../etag-quoter/switches';
import { decodeHeaderText } from '../http/header-text';
import { metadataLimits, readMetadataUpdate, setMetadataHeaders } from '../http/metadata';
import { findExcessiveLength } from '../http/name-length';
import { Query } from '../http/query';
import { respondAccepted, respondEmpty } from '../http/respond';
import { httpDate } from '../http/timestamp';
import { negotiateListing } from '../listing/format';
import { readObjectListQuery } from '../listing/query';
import { renderContainerListing } from '../listing/render';
import { respondListing } from '../listing/respond';
import { policyOf, readPolicy } from '../policies/policies';
import { checkContainerQuotas } from '../quotas/quota-headers';
import { readVersionSettings, setVersionHeaders } from '../versions/container-settings';
import { listVersions, readVersionQuery } from '../versions/list-versions';

export const containerMethods = 'HEAD, POST, PUT, OPTIONS, DELETE, GET';

/**
 * Every method on `/v1/<account>/<container>`. A container's own ACLs speak of its objects and their listing; the
 * container itself is changed by those who may write to the account.
 */
export function containerRoute(deps: Deps): (ctx: SwiftContext) => Promise<void> {
  return async (ctx) => {
    switch (ctx.method) {
      case 'GET':
      case 'HEAD':
        return read(ctx, deps);
      case 'PUT':
        return create(ctx, deps);
      case 'POST':
        return update(ctx, deps);
      case 'DELETE':
        return remove(ctx, deps);
      default:
        throw new HttpError(405, undefined, { headers: { Allow: containerMethods } });
    }
  };
}

async function read(ctx: SwiftContext, deps: Deps): Promise<void> {
  const { node, config } = deps;
  const path = getContainerPath(ctx);
  const query = new Query(ctx.req.url!);
  const isHead = ctx.method === 'HEAD';
  const versionQuery =
    !isHead && query.has('versions') ? readVersionQuery(ctx, query, config.limits.containerListingLimit) : undefined;
  const type = versionQuery ? 'application/json' : negotiateListing(query, ctx.req.headers.accept);
  const listQuery =
    isHead || versionQuery ? undefined : readObjectListQuery(query, config.limits.containerListingLimit);
  const record = await node.findContainer(path);
  await authorizeTarget(ctx, deps, path, 'read', record);
  if (!record) throw new HttpError(404);
  await noticeAdmin(ctx, deps, path.account);
  const entries = listQuery ? await node.listObjects(path, listQuery) : [];
  ctx.set({
    'X-Container-Object-Count': String(record.objectCount),
    'X-Container-Bytes-Used': String(record.bytesUsed),
    'X-Timestamp': record.createdAt,
    'Last-Modified': httpDate(record.putAt),
    'Accept-Ranges': 'bytes',
    'X-Storage-Policy': policyOf(record),
  });
  ctx.set(etagSwitchHeader(record.metadata, 'container'));
  setMetadataHeaders(ctx.res, visibleMetadata(record.metadata, mayControl(ctx.state, path.account)));
  setVersionHeaders(ctx.res, record);
  if (versionQuery) return listVersions(ctx, deps, path, versionQuery);
  respondListing(ctx, query, type, isHead ? undefined : renderContainerListing(type, path, entries));
}

async function create(ctx: SwiftContext, deps: Deps): Promise<void> {
  const { node, config } = deps;
  const path = getContainerPath(ctx);
  checkContainerQuotas(ctx.req.headers);
  await authorizeAccount(ctx, deps, path.account, 'read-write');
  const metadata = readContainerMetadata(ctx, config.limits);
  const policy = readPolicy(ctx.get('x-storage-policy'));
  const { maxContainerNameLength } = config.limits;
  const length = findExcessiveLength(path.container, maxContainerNameLength);
  if (length !== undefined) {
    throw new HttpError(400, `Container name length of ${length} longer than ${maxContainerNameLength}`, {
      headers: { 'content-type': htmlType },
    });
  }
  const found = await node.findContainer(path);
  if (!found && (await node.isAccountDeleted(path.account))) throw new HttpError(404);
  const versions = readVersionSettings(ctx.req.headers, found);
  Object.assign(metadata, versions.metadata);
  const settings = { ...versions.settings, ...(policy !== undefined && { policy }) };
  const { created } = await node.putContainer(path, {
    timestamp: ctx.state.timestamp,
    metadata,
    limits: metadataLimits(config.limits),
    settings,
  });
  if (created) respondEmpty(ctx, 201);
  else respondAccepted(ctx);
}

async function update(ctx: SwiftContext, deps: Deps): Promise<void> {
  const { node, config } = deps;
  const path = getContainerPath(ctx);
  checkContainerQuotas(ctx.req.headers);
  await authorizeAccount(ctx, deps, path.account, 'read-write');
  const metadata = readContainerMetadata(ctx, config.limits);
  const record: ContainerRecord | undefined = await node.findContainer(path);
  if (!record) throw new HttpError(404);
  const versions = readVersionSettings(ctx.req.headers, record);
  Object.assign(metadata, versions.metadata);
  await node.updateContainer(path, {
    timestamp: ctx.state.timestamp,
    metadata,
    limits: metadataLimits(config.limits),
    settings: versions.settings,
  });
  respondEmpty(ctx, 204);
}

async function remove(ctx: SwiftContext, deps: Deps): Promise<void> {
  const path = getContainerPath(ctx);
  await authorizeAccount(ctx, deps, path.account, 'read-write');
  await deps.node.deleteContainer(path);
  respondEmpty(ctx, 204);
}

function getContainerPath(ctx: SwiftContext): { account: string; container: string } {
  const { account, container } = ctx.state.path;
  return { account, container: container! };
}

const aclHeaders = ['x-container-read', 'x-container-write'] as const;

/** A container's own headers that are kept as they come. The key of container sync does nothing without a target. */
const keptHeaders = ['x-container-sync-key'];

/** User metadata and ACLs of a PUT or POST; empty values and `X-Remove-…` remove. Rights are given by owners only. */
function readContainerMetadata(ctx: SwiftContext, limits: SwiftLimits): MetadataUpdate {
  const { headers } = ctx.req;
  const own: MetadataUpdate = {};
  for (const name of [...aclHeaders, ...keptHeaders]) {
    if (headers[name.replace('x-', 'x-remove-')] !== undefined) own[name] = undefined;
  }
  for (const name of keptHeaders) {
    const value = readText(headers, name);
    if (value !== undefined) own[name] = value || undefined;
  }
  for (const name of aclHeaders) {
    const acl = readText(headers, name);
    if (acl !== undefined) own[name] = readAcl(name, acl) || undefined;
  }
  // Only a subrequest has these: the gatekeeper takes them from clients.
  for (const name in headers) if (name.startsWith(systemPrefix)) own[name] = String(headers[name]) || undefined;
  const update = {
    ...readMetadataUpdate(headers, 'container', limits),
    ...readEtagSwitch(headers, 'container'),
    ...own,
  };
  return mayControl(ctx.state, ctx.state.path.account) ? update : visibleMetadata(update, false);
}

const systemPrefix = 'x-container-sysmeta-';

function readText(headers: IncomingHttpHeaders, name: string): string | undefined {
  const raw = headers[name];
  if (typeof raw !== 'string') return undefined;
  const text = decodeHeaderText(raw);
  if (text === undefined) throw new HttpError(400, 'Metadata must be valid UTF-8');
  return text;
}

function readAcl(name: (typeof aclHeaders)[number], value: string): string {
  try {
    return cleanAcl(name, value);
  } catch (error) {
    if (!(error instanceof AclSyntaxError)) throw error;
    throw new HttpError(400, error.message, { headers: { 'content-type': htmlType } });
  }
}
