import type { AccountRecord, ContainerRecord } from '@zerocloud/object-server';
import type { Deps, GrantTarget, Identity, RequestState, SwiftContext } from '../context';
import { HttpError } from '../errors';
import { type AccountGrant, findGrant } from './account-acl';
import { isReferrerAllowed, parseAcl } from './acl';
import { findReseller, isOrdinaryAccount } from './resellers';

/** Accounts of users carry this prefix: user `test:tester` owns `AUTH_test`. */
export const resellerPrefix = 'AUTH_';

export type Access = 'read' | 'write';

/** What a request wants to touch; without `object`, the container's listing. */
export interface AccessTarget extends GrantTarget {
  container: string;
}

/**
 * True for those who may do anything in the account: its `.admin`s, and reseller admins everywhere but in dot-accounts,
 * which are the system's own.
 */
export function isOwner(identity: Identity | undefined, account: string): boolean {
  if (!identity) return false;
  const { groups, resellers } = identity;
  if (identity.resellerAdmin && isOrdinaryAccount(resellers, account)) return true;
  if (!groups.includes(account)) return false;
  const reseller = findReseller(resellers, account);
  return reseller !== undefined && (reseller.requireGroup === undefined || groups.includes(reseller.requireGroup));
}

/**
 * Swift's `swift_owner`: owners, and those whom the account's ACL made admins, once one of the functions below has found
 * that out for this request. They see and set who may do what.
 */
export function mayControl(state: RequestState, account: string): boolean {
  if (state.grant) return state.grant('control', { account });
  return isOwner(state.identity, account) || state.adminOf === account;
}

/**
 * Lets `mayControl` know an admin by account ACL whom something else has let in already, such as the ACL of a container
 * that everybody may read.
 */
export async function noticeAdmin(ctx: SwiftContext, deps: Deps, account: string): Promise<void> {
  const { identity } = ctx.state;
  if (!identity || mayControl(ctx.state, account) || !findReseller(deps.config.resellers, account)) return;
  if (findGrant(await deps.node.findAccount(account), identity.groups) === 'admin') ctx.state.adminOf = account;
}

/** Reseller admins alone create and delete accounts. */
export function isResellerAdminOf(identity: Identity | undefined, account: string): boolean {
  return identity?.resellerAdmin === true && isOrdinaryAccount(identity.resellers, account);
}

/** 401 for strangers, 403 for those who said who they are. */
export function denied(ctx: SwiftContext, account: string): HttpError {
  return ctx.state.identity ? new HttpError(403) : unauthorized(account);
}

/** The realm is quoted as in a URL, so that no name can end the header value early. */
export function unauthorized(account: string | undefined): HttpError {
  const realm = encodeURIComponent(account || 'unknown');
  return new HttpError(401, undefined, { headers: { 'www-authenticate': `Swift realm="${realm}"` } });
}

/**
 * Refuses with 401/403 unless the caller may read or write an object or a listing. Owners cost nothing; for others the
 * container's ACL decides, from `container` if the caller has it at hand, else looked up.
 */
export async function authorizeTarget(
  ctx: SwiftContext,
  deps: Deps,
  target: AccessTarget,
  access: Access,
  container?: ContainerRecord,
): Promise<void> {
  const { account } = target;
  const { identity, grant } = ctx.state;
  if (grant) {
    if (grant(access, target)) return;
    throw denied(ctx, account);
  }
  if (isOwner(identity, account)) return;
  if (!findReseller(deps.config.resellers, account)) throw denied(ctx, account);
  const record = container ?? (await deps.node.findContainer(target));
  if (isAllowedByAcl(identity, ctx.get('referer'), record, access, target.object !== undefined)) return;
  await authorizeAccount(ctx, deps, account, access === 'read' ? 'read-only' : 'read-write');
}

/**
 * Refuses unless the caller owns the account or its ACL grants at least `needed`. `record` spares the look-up.
 */
export async function authorizeAccount(
  ctx: SwiftContext,
  deps: Deps,
  account: string,
  needed: AccountGrant,
  record?: AccountRecord,
): Promise<void> {
  const { identity, grant } = ctx.state;
  if (grant) {
    if (grant(accessOfGrant[needed], { account })) return;
    throw denied(ctx, account);
  }
  if (isOwner(identity, account)) return;
  if (!identity || !findReseller(deps.config.resellers, account)) throw denied(ctx, account);
  if (needed === 'read-only' && isReader(identity, account)) return;
  const held = findGrant(record ?? (await deps.node.findAccount(account)), identity.groups);
  if (held === 'admin') ctx.state.adminOf = account;
  if (held === 'admin' || held === needed || (held === 'read-write' && needed === 'read-only')) return;
  throw denied(ctx, account);
}

const accessOfGrant = { 'read-only': 'read', 'read-write': 'write', admin: 'control' } as const;

/** The rights that a container's own ACL gives, as in tempauth's `authorize`. */
function isAllowedByAcl(
  identity: Identity | undefined,
  referer: string | undefined,
  container: ContainerRecord | undefined,
  access: Access,
  isObject: boolean,
): boolean {
  const text = container?.metadata[access === 'read' ? 'x-container-read' : 'x-container-write'];
  if (!text) return false;
  const acl = parseAcl(text);
  if (isReferrerAllowed(referer, acl.referrers) && (isObject || acl.groups.includes('.rlistings'))) return true;
  return identity?.groups.some((group) => acl.groups.includes(group)) ?? false;
}

/** `.reseller_reader`: reads everywhere but in dot-accounts. */
function isReader(identity: Identity, account: string): boolean {
  return identity.groups.includes('.reseller_reader') && isOrdinaryAccount(identity.resellers, account);
}
