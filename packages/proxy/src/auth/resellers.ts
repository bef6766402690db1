/** Accounts whose names begin alike. Who owns them must be in the group, too, which a service's token brings. */
export interface Reseller {
  prefix: string;
  requireGroup?: string;
}

/** The accounts of users first, then those of services. */
export type Resellers = readonly Reseller[];

export const userAccounts: Resellers = [{ prefix: 'AUTH_' }];

/** `further`: the setting of that name. */
export function resellersOf(further: readonly Reseller[]): Resellers {
  return [...userAccounts, ...further];
}

/** Whose account it is; `undefined` for one that no user can have, such as the system's own. */
export function findReseller(resellers: Resellers, account: string): Reseller | undefined {
  for (const reseller of resellers) if (account.startsWith(reseller.prefix)) return reseller;
  return undefined;
}

/** True for accounts that reseller admins rule over: names after the prefix that begin with a dot are the system's own. */
export function isOrdinaryAccount(resellers: Resellers, account: string): boolean {
  const reseller = findReseller(resellers, account);
  return reseller !== undefined && account.length > reseller.prefix.length && account[reseller.prefix.length] !== '.';
}
