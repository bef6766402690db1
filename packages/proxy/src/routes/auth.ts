import { resellerPrefix, unauthorized } from '../auth/authorize';
import type { Tokens } from '../auth/tokens';
import { isSameSecret, type UserTable } from '../auth/users';
import type { SwiftContext } from '../context';
import { HttpError, htmlType } from '../errors';
import { decodeHeaderTextLossless } from '../http/header-text';
import { decodePercent, rawPathOf } from '../swift-path';

/** Tokens for a user's name and key, in the three spellings of tempauth: `/auth/v1.0`, `/auth/auth`, `/auth/v1/<account>/auth`. */
export function authRoute(users: UserTable, tokens: Tokens): (ctx: SwiftContext) => Promise<void> {
  return async (ctx) => {
    if (ctx.method !== 'GET') throw new HttpError(405);
    const segments = (decodePercent(rawPathOf(ctx.req.url ?? '')) ?? '').split('/').slice(2);
    const [version, segmentAccount, last] = segments;
    if (!version || segments.length > 3) throw new HttpError(404);

    let name: string | undefined;
    let key: string | undefined;
    let account: string | undefined;
    if (version === 'v1' && last === 'auth') {
      account = segmentAccount;
      const user = header(ctx, 'x-storage-user');
      name = user ? `${account}:${user}` : header(ctx, 'x-auth-user');
      if (name?.split(':', 1)[0] !== account) throw unauthorized(account);
      key = header(ctx, 'x-storage-pass') ?? header(ctx, 'x-auth-key');
    } else if (version === 'v1.0' || version === 'auth') {
      name = header(ctx, 'x-auth-user') ?? header(ctx, 'x-storage-user');
      if (!name?.includes(':')) throw unauthorized(undefined);
      account = name.split(':', 1)[0];
      key = header(ctx, 'x-auth-key') ?? header(ctx, 'x-storage-pass');
    } else {
      throw new HttpError(400);
    }
    if (!name || !key) throw unauthorized(account);

    const user = users.get(name);
    // An unknown user costs the same comparison as a wrong key.
    const isKnown = isSameSecret(key, user?.key ?? '');
    if (!user) throw unauthorized(account);
    if (!isKnown) throw unauthorized(undefined);

    const { token, expiresInS } = await tokens.issue(user);
    ctx.status = 200;
    ctx.set({
      'Content-Type': htmlType,
      'X-Auth-Token': token,
      'X-Storage-Token': token,
      'X-Auth-Token-Expires': String(expiresInS),
      'X-Storage-Url': `${ctx.protocol}://${host(ctx)}/v1/${resellerPrefix}${encodeURIComponent(user.account)}`,
    });
    ctx.body = Buffer.alloc(0);
  };
}

function header(ctx: SwiftContext, name: string): string | undefined {
  const value = ctx.req.headers[name];
  return typeof value === 'string' && value !== '' ? decodeHeaderTextLossless(value) : undefined;
}

/** Where the client found us, so that the URL works for it too; HTTP/1.0 clients without Host get our own address. */
function host(ctx: SwiftContext): string {
  const given = ctx.req.headers.host;
  if (given && /^[\w.:[\]-]+$/.test(given)) return given;
  const { localAddress, localPort } = ctx.req.socket;
  return localAddress?.includes(':') ? `[${localAddress}]:${localPort}` : `${localAddress}:${localPort}`;
}
