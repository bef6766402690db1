import type { Next } from 'koa';
import type { Resellers } from '../auth/resellers';
import type { HostsConfig } from '../config';
import type { Middleware, SwiftContext } from '../context';
import { HttpError } from '../errors';
import { decodeHeaderTextLossless } from '../http/header-text';
import { encodePath } from '../objects/copy-request';
import { rawPathOf, rawQueryOf } from '../swift-path';
import { findHostName, findStorageDomain } from './storage-domain';

/**
 * `container.AUTH-account.<storage domain>/object` stands for `/v1/AUTH_account/container/object`, as
 * swift/common/middleware/domain_remap.py. Names of hosts have no case and no underscore, so the prefix is mended.
 */
export function domainRemap({ storageDomains, defaultPrefix }: HostsConfig, resellers: Resellers): Middleware {
  if (storageDomains.length === 0) return (_ctx, next) => next();
  const prefixes = resellers.map(({ prefix }) => prefix.slice(0, -1));

  return (ctx, next) => {
    const host = findHostName(decodeHeaderTextLossless(ctx.req.headers.host ?? ''));
    const domain = host && findStorageDomain(host.name, storageDomains);
    if (!domain) return next();
    const parts = host.name
      .slice(0, -domain.length)
      .replace(/^\.+|\.+$/g, '')
      .split('.');
    if (parts.length > 2) throw new HttpError(400, 'Bad domain in host header');
    const account = findAccount(parts.at(-1)!);
    if (account === undefined) return next();
    const container = parts.length === 2 ? `/${encodePath(parts[0]!)}` : '';
    return serve(ctx, next, `/v1/${encodePath(account)}${container}`);
  };

  function findAccount(label: string): string | undefined {
    const name = label.includes('_') ? label : label.replace('-', '_');
    const given = name.split('_', 1)[0]!.toLowerCase();
    const prefix = prefixes.find((candidate) => candidate.toLowerCase() === given);
    if (prefix !== undefined) return prefix + name.slice(prefix.length);
    return defaultPrefix === undefined ? undefined : `${defaultPrefix}_${name}`;
  }
}

/** Redirects speak of the path that the client knows. */
async function serve(ctx: SwiftContext, next: Next, root: string): Promise<void> {
  const { req, res } = ctx;
  const requested = rawPathOf(req.url!);
  const query = rawQueryOf(req.url!);
  req.url = `${root}${requested}${query === '' ? '' : `?${query}`}`;
  await next();
  if (res.headersSent) return;
  for (const name of ['Location', 'Content-Location']) {
    const [, origin, rest] = /^(https?:\/\/[^/]+)(\/.*)$/.exec(String(res.getHeader(name) ?? '')) ?? [];
    if (rest?.startsWith(`${root}/`)) res.setHeader(name, origin + rest.slice(root.length));
  }
}
