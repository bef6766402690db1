import { denied, resellerPrefix } from '../auth/authorize';
import type { Tokens } from '../auth/tokens';
import type { Identity, Middleware, SwiftContext } from '../context';

/**
 * Finds out who asks and puts it into `ctx.state.identity`; strangers pass, what they may do is decided per route. A
 * token of ours that is not valid (any more) is refused at once, as tempauth does. `X-Service-Token` adds its groups.
 */
export function authenticate(tokens: Tokens): Middleware {
  return (ctx, next) => {
    // A signed URL brings its own rights, whoever uses it.
    if (ctx.state.grant) return next();
    const { headers } = ctx.req;
    const token = (headers['x-auth-token'] ?? headers['x-storage-token']) as string | undefined;
    if (!token?.startsWith(resellerPrefix)) return next();
    const serviceToken = headers['x-service-token'] as string | undefined;
    const identity = tokens.findVerified(token);
    if (identity && serviceToken === undefined) {
      ctx.state.identity = identity;
      return next();
    }
    return identify(ctx, tokens, token, serviceToken).then(next);
  };
}

async function identify(
  ctx: SwiftContext,
  tokens: Tokens,
  token: string,
  serviceToken: string | undefined,
): Promise<void> {
  const identity = await tokens.verify(token);
  if (!identity) throw denied(ctx, ctx.state.path.account);
  const service = serviceToken === undefined ? undefined : await tokens.verify(serviceToken);
  ctx.state.identity = service ? combined(identity, service) : identity;
}

function combined(user: Identity, service: Identity): Identity {
  return {
    ...user,
    groups: [...user.groups, ...service.groups],
    resellerAdmin: user.resellerAdmin || service.resellerAdmin,
  };
}
