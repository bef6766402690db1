import type { ServerResponse } from 'node:http';
import type { AccountCounters, AccountRecord, ContainerRecord, StoragePolicy } from '@zerocloud/object-server';
import { HttpError } from '../errors';

/**
 * What Swift calls the policy of containers that name none. A 201 means synced there; in a container of the policy `relaxed`
 * it means stored, and synced within a second.
 */
const defaultPolicy = 'Policy-0';
const relaxed: StoragePolicy = 'relaxed';

/** As `/info` lists them. */
export const policies = [
  { name: defaultPolicy, aliases: defaultPolicy, default: true },
  { name: relaxed, aliases: relaxed },
];

/** The policy that X-Storage-Policy names: null the default one, `undefined` none in particular. 400 for others. */
export function readPolicy(header: string | undefined): StoragePolicy | null | undefined {
  if (!header) return undefined;
  const name = header.toLowerCase();
  if (name === defaultPolicy.toLowerCase()) return null;
  if (name === relaxed) return relaxed;
  throw new HttpError(400, `Invalid X-Storage-Policy '${header}'`);
}

export function policyOf({ policy }: Pick<ContainerRecord, 'policy'>): string {
  return policy ?? defaultPolicy;
}

/** X-Account-Storage-Policy-…: the account's counters policy by policy, of those that it has used. */
export function setPolicyHeaders(response: ServerResponse, account: AccountRecord): void {
  const special = account.policies?.[relaxed];
  const ordinary = special ? without(account, special) : account;
  if (ordinary.containerCount > 0 || !special) setCounters(response, defaultPolicy, ordinary);
  if (special) setCounters(response, relaxed, special);
}

function without(whole: AccountCounters, part: AccountCounters): AccountCounters {
  return {
    containerCount: whole.containerCount - part.containerCount,
    objectCount: whole.objectCount - part.objectCount,
    bytesUsed: whole.bytesUsed - part.bytesUsed,
  };
}

function setCounters(response: ServerResponse, policy: string, counters: AccountCounters): void {
  const name = `X-Account-Storage-Policy-${policy[0]!.toUpperCase()}${policy.slice(1)}`;
  response.setHeader(`${name}-Container-Count`, counters.containerCount);
  response.setHeader(`${name}-Object-Count`, counters.objectCount);
  response.setHeader(`${name}-Bytes-Used`, counters.bytesUsed);
}
