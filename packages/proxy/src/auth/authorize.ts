import type { ContainerRecord } from '@zerocloud/object-server';
import type { Deps, Identity, SwiftContext } from '../context';
import { HttpError } from '../errors';
import { isReferrerAllowed, parseAcl } from './acl';

/** Accounts of users carry this prefix: user `test:tester` owns `AUTH_test`. */
export const resellerPrefix = 'AUTH_';

export type Access = 'read' | 'write';

/** What a request wants to touch; without `object`, the container's listing. */
export interface AccessTarget {
  account: string;
  container: string;
  object?: string;
}

/**
 * True for those who may do anything in the account (Swift's `swift_owner`): its `.admin`s, and reseller admins
 * everywhere but in dot-accounts, which are the system's own.
 */
export function isOwner(identity: Identity | undefined, account: string): boolean {
  if (!identity || !account.startsWith(resellerPrefix)) return false;
  return (identity.resellerAdmin && isOrdinaryAccount(account)) || identity.groups.includes(account);
}

/** Names after the prefix; those that begin with a dot are the system's own. */
function isOrdinaryAccount(account: string): boolean {
  return (
    account.startsWith(resellerPrefix) &&
    account.length > resellerPrefix.length &&
    account[resellerPrefix.length] !== '.'
  );
}

/** 401 for strangers, 403 for those who said who they are. */
export function denied(ctx: SwiftContext, account: string): HttpError {
  if (ctx.state.identity) return new HttpError(403);
  return new HttpError(401, undefined, { headers: { 'www-authenticate': `Swift realm="${realm(account)}"` } });
}

/** Account names go into a quoted header value: only what is safe there is repeated. */
export function realm(account: string | undefined): string {
  return account && /^[\x20-\x7e]+$/.test(account) && !/["\\]/.test(account) ? account : 'unknown';
}

/**
 * Refuses with 401/403 unless the caller may read or write the object of `ctx.state.path`. Owners cost nothing; for
 * others the container's ACL decides, from `container` if the caller has it at hand, else looked up.
 */
export async function authorizeObject(
  ctx: SwiftContext,
  deps: Deps,
  access: Access,
  container?: ContainerRecord,
): Promise<void> {
  await authorizeTarget(ctx, deps, ctx.state.path as AccessTarget, access, container);
}

/** The same for any object or container: the source of a copy, the channels of a job. */
export async function authorizeTarget(
  ctx: SwiftContext,
  deps: Deps,
  target: AccessTarget,
  access: Access,
  container?: ContainerRecord,
): Promise<void> {
  const { identity } = ctx.state;
  if (isOwner(identity, target.account)) return;
  if (!target.account.startsWith(resellerPrefix)) throw denied(ctx, target.account);
  if (isReader(identity, target.account) && (ctx.method === 'GET' || ctx.method === 'HEAD')) return;
  const record = container ?? (await deps.node.findContainer(target));
  if (!isAllowedByAcl(identity, ctx.get('referer'), record, access, target.object !== undefined)) {
    throw denied(ctx, target.account);
  }
}

/** The rights that a container's own ACL gives, as in tempauth's `authorize`. */
export function isAllowedByAcl(
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
export function isReader(identity: Identity | undefined, account: string): boolean {
  return identity?.groups.includes('.reseller_reader') === true && isOrdinaryAccount(account);
}
