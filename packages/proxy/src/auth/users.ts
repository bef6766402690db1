import { createHash, timingSafeEqual } from 'node:crypto';
import type { User } from '../config';
import type { Identity } from '../context';
import { type Resellers, userAccounts } from './resellers';

/** The configured users by `account:user`. */
export type UserTable = ReadonlyMap<string, User>;

export function userTable(users: readonly User[]): UserTable {
  return new Map(users.map((user) => [`${user.account}:${user.user}`, user]));
}

/** Groups as tempauth lists them: account, `account:user`, the configured ones, and the owned accounts for `.admin`. */
export function identityOf(user: User, resellers: Resellers = userAccounts): Identity {
  const name = `${user.account}:${user.user}`;
  const groups = [user.account, name, ...user.groups.filter((group) => group !== '.admin')];
  if (user.groups.includes('.admin')) groups.push(...resellers.map(({ prefix }) => prefix + user.account));
  return { user: name, groups, resellerAdmin: user.groups.includes('.reseller_admin'), resellers };
}

/** Compares in a time that tells nothing about where two texts differ, nor how long the secret one is. */
export function isSameSecret(given: string, expected: string): boolean {
  return timingSafeEqual(digest(given), digest(expected));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest();
}
