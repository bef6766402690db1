import type { ProxyConfig } from '../config';
import type { Middleware } from '../context';
import { HttpError } from '../errors';
import { isJobRequest } from '../jobs/job-request';

/** Which accounts may not change; the form of `ZEROCLOUD_READ_ONLY` and its companions. */
export interface ReadOnlyRules {
  /** `*` stands for every account. */
  accounts: readonly string[];
  allowDeletes: boolean;
}

/**
 * Refuses with 405 what would change an account that is read-only (Swift's `read_only.py`). Jobs pass: they are judged
 * by the objects they would write, wherever these are.
 */
export function readOnly({ readOnly: rules }: ProxyConfig): Middleware {
  if (rules.accounts.length === 0) return (_ctx, next) => next();
  const methods = new Set(['PUT', 'POST', 'COPY', ...(rules.allowDeletes ? [] : ['DELETE'])]);
  return (ctx, next) => {
    if (!methods.has(ctx.method) || isJobRequest(ctx)) return next();
    const { account } = ctx.state.path;
    const target = ctx.method === 'COPY' ? ctx.get('destination-account') || account : account;
    if (isReadOnly(rules, target)) throw writesDisabled();
    return next();
  };
}

export function isReadOnly({ accounts }: ReadOnlyRules, account: string): boolean {
  return accounts.includes('*') || accounts.includes(account);
}

export function writesDisabled(): HttpError {
  return new HttpError(405, 'Writes are disabled for this account.');
}
