import type { AccountRecord, AccountUpdate } from '@zerocloud/object-server';
import { findAccountAclHeader, readAccountAcl } from '../auth/account-acl';
import { authorizeAccount, denied, isResellerAdminOf, mayControl } from '../auth/authorize';
import { visibleMetadata } from '../auth/visible-headers';
import type { Deps, SwiftContext } from '../context';
import { HttpError, htmlType } from '../errors';
import { etagSwitchHeader, readEtagSwitch } from '../etag-quoter/switches';
import { metadataLimits, readMetadataUpdate, setMetadataHeaders } from '../http/metadata';
import { findExcessiveLength } from '../http/name-length';
import { Query } from '../http/query';
import { respondAccepted, respondEmpty } from '../http/respond';
import { negotiateListing } from '../listing/format';
import { readListQuery } from '../listing/query';
import { renderAccountListing } from '../listing/render';
import { respondListing } from '../listing/respond';
import { setPolicyHeaders } from '../policies/policies';
import { checkAccountQuota } from '../quotas/quota-headers';

export const accountMethods = 'HEAD, POST, PUT, OPTIONS, DELETE, GET';

/** Every method on `/v1/<account>`. */
export function accountRoute(deps: Deps): (ctx: SwiftContext) => Promise<void> {
  return async (ctx) => {
    const handler = handlers[ctx.method];
    if (!handler) throw new HttpError(405, undefined, { headers: { Allow: accountMethods } });
    return handler(ctx, deps);
  };
}

const handlers: Record<string, (ctx: SwiftContext, deps: Deps) => Promise<void>> = {
  GET: read,
  HEAD: read,
  POST: update,
  PUT: create,
  DELETE: remove,
};

const deletedStatus = { headers: { 'X-Account-Status': 'Deleted' } };

async function read(ctx: SwiftContext, deps: Deps): Promise<void> {
  const { node, config, now } = deps;
  const { account } = ctx.state.path;
  checkName(account, config.limits.maxAccountNameLength);
  const query = new Query(ctx.req.url!);
  const type = negotiateListing(query, ctx.req.headers.accept);
  const isHead = ctx.method === 'HEAD';
  const listQuery = isHead ? undefined : readListQuery(query, config.limits.accountListingLimit);
  const found = await node.findAccount(account);
  await authorizeAccount(ctx, deps, account, 'read-only', found);
  if (!found && (await node.isAccountDeleted(account))) throw new HttpError(410, undefined, deletedStatus);
  // An account that nobody wrote to yet looks like an empty one: it comes into being with its first container.
  const record = found ?? emptyAccount(now());
  const entries = found && listQuery ? await node.listContainers(account, listQuery) : [];
  ctx.set({
    'X-Account-Container-Count': String(record.containerCount),
    'X-Account-Object-Count': String(record.objectCount),
    'X-Account-Bytes-Used': String(record.bytesUsed),
    'X-Timestamp': record.createdAt,
    'Accept-Ranges': 'bytes',
  });
  setPolicyHeaders(ctx.res, record);
  const isControlled = mayControl(ctx.state, account);
  ctx.set(etagSwitchHeader(record.metadata, 'account'));
  setMetadataHeaders(ctx.res, visibleMetadata(record.metadata, isControlled));
  const acl = isControlled ? findAccountAclHeader(record) : undefined;
  if (acl) ctx.set('X-Account-Access-Control', acl);
  respondListing(ctx, query, type, isHead ? undefined : renderAccountListing(type, account, entries));
}

function emptyAccount(nowMs: number): AccountRecord {
  const createdAt = (nowMs / 1000).toFixed(5);
  return { createdAt, containerCount: 0, objectCount: 0, bytesUsed: 0, metadata: {} };
}

async function update(ctx: SwiftContext, deps: Deps): Promise<void> {
  const { node, config } = deps;
  const { account } = ctx.state.path;
  await authorizeAccount(ctx, deps, account, 'admin');
  checkName(account, config.limits.maxAccountNameLength);
  const update = readAccountUpdate(ctx, deps);
  const found = await node.findAccount(account);
  if (!found && (await node.isAccountDeleted(account))) throw new HttpError(404);
  await node.putAccount(account, update);
  respondEmpty(ctx, 204);
}

async function create(ctx: SwiftContext, deps: Deps): Promise<void> {
  const { node, config } = deps;
  const { account } = ctx.state.path;
  if (!isResellerAdminOf(ctx.state.identity, account)) throw denied(ctx, account);
  const update = readAccountUpdate(ctx, deps);
  checkName(account, config.limits.maxAccountNameLength);
  const found = await node.findAccount(account);
  if (!found && (await node.isAccountDeleted(account))) {
    throw new HttpError(403, 'Recently deleted', { headers: { 'content-type': htmlType } });
  }
  const { created } = await node.putAccount(account, update);
  if (created) respondEmpty(ctx, 201);
  else respondAccepted(ctx);
}

async function remove(ctx: SwiftContext, { node }: Deps): Promise<void> {
  const { account } = ctx.state.path;
  if (!isResellerAdminOf(ctx.state.identity, account)) throw denied(ctx, account);
  // A query was meant for something else (bulk-delete …), not for deleting the whole account.
  if (ctx.querystring !== '') throw new HttpError(400);
  if (!(await node.findAccount(account))) throw new HttpError(404);
  await node.deleteAccount(account);
  respondEmpty(ctx, 204, deletedStatus.headers);
}

function readAccountUpdate(ctx: SwiftContext, { config }: Deps): AccountUpdate {
  const { headers } = ctx.req;
  checkAccountQuota(headers, isResellerAdminOf(ctx.state.identity, ctx.state.path.account));
  const own = readMetadataUpdate(headers, 'account', config.limits);
  const acl = readAccountAcl(headers['x-account-access-control'] as string | undefined);
  const metadata = { ...own, ...acl, ...readEtagSwitch(headers, 'account') };
  return { timestamp: ctx.state.timestamp, metadata, limits: metadataLimits(config.limits) };
}

function checkName(account: string, maxLength: number): void {
  const length = findExcessiveLength(account, maxLength);
  if (length !== undefined) {
    throw new HttpError(400, `Account name length of ${length} longer than ${maxLength}`, {
      headers: { 'content-type': htmlType },
    });
  }
}
