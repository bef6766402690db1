import type { IncomingHttpHeaders } from 'node:http';
import { HttpError, htmlType } from '../errors';

const whole = /^\d+$/;

/** Quotas that a PUT or POST gives to a container must be whole numbers; 400 otherwise. (`container_quotas.py`.) */
export function checkContainerQuotas(headers: IncomingHttpHeaders): void {
  for (const kind of ['bytes', 'count']) {
    const value = headers[`x-container-meta-quota-${kind}`];
    if (value && !whole.test(String(value)))
      throw new HttpError(400, `Invalid ${kind} quota.`, { headers: { 'content-type': htmlType } });
  }
}

/** Only reseller admins give or take an account's quota; 403 for its owners. (`account_quotas.py`.) */
export function checkAccountQuota(headers: IncomingHttpHeaders, isResellerAdmin: boolean): void {
  const removal = headers['x-remove-account-meta-quota-bytes'];
  const value = removal ? '' : headers['x-account-meta-quota-bytes'];
  if (value === undefined) return;
  if (!isResellerAdmin) throw new HttpError(403);
  if (value && !whole.test(String(value))) throw new HttpError(400);
}
