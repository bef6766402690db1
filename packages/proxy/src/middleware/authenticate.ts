import { denied, resellerPrefix } from '../auth/authorize';
import type { Tokens } from '../auth/tokens';
import type { Identity, Middleware, SwiftContext } from '../context';

/**
 * Finds out who asks and puts it into `ctx.state.identity`; strangers pass, what they may do is decided per route. A
 * token of ours that is not valid (any more) is refused at once, as tempauth does. `X-Service-Token` adds its groups.
 */
export function authenticate(tokens: Tokens): Middleware {
  return (ctx, next) => {
    const { headers } = ctx.req;
    const token = (headers['x-auth-token'] ?? headers['x-storage-token']) as string | undefined;
    if (!token?.startsWith(resellerPrefix)) return next();
    const service = headers['x-service-token'] as string | undefined;
    const identity = tokens.findIdentity(token);
    if (identity && !(identity instanceof Promise) && service === undefined) {
      ctx.state.identity = identity;
      return next();
    }
    return identify(ctx, tokens, identity, service).then(next);
  };
}

async function identify(
  ctx: SwiftContext,
  tokens: Tokens,
  finding: Identity | undefined | Promise<Identity | undefined>,
  serviceToken: string | undefined,
): Promise<void> {
  const identity = await finding;
  if (!identity) throw denied(ctx, ctx.state.path.account);
  const service = serviceToken === undefined ? undefined : await tokens.findIdentity(serviceToken);
  ctx.state.identity = service
    ? {
        user: identity.user,
        groups: [...identity.groups, ...service.groups],
        resellerAdmin: identity.resellerAdmin || service.resellerAdmin,
      }
    : identity;
}
