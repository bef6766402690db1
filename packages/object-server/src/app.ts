import { createHash, timingSafeEqual } from 'node:crypto';
import Koa from 'koa';
import type { Logger } from 'pino';
import type { Leases } from './leases';
import { createRoutes } from './routes';
import type { Secret } from './settings';
import type { StorageNode } from './storage-node';
import { encodeError, ProtocolError } from './wire/errors';

export interface ObjectServerDeps {
  node: StorageNode;
  leases: Leases;
  /** What a proxy must show; absent: everybody who can connect is one. */
  key?: Secret;
  log: Logger;
}

/** The storage protocol (`wire/protocol.ts`) as a Koa application; it does not listen. */
export function createObjectServerApp(deps: ObjectServerDeps): Koa {
  const app = new Koa();
  app.use(errors(deps.log));
  app.use(health);
  if (deps.key) {
    app.use(authorise(deps.key));
  }
  app.use(createRoutes(deps).routes());
  app.use(() => {
    throw new ProtocolError(404, 'notFound', 'The storage protocol has no such resource.');
  });
  // What goes wrong after the head was sent: the connection breaks, which is all the other side can be told.
  app.on('error', (error: Error) => deps.log.debug({ err: error }, 'connection lost'));
  return app;
}

function errors(log: Logger): Koa.Middleware {
  return async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      const { status, body, expected } = encodeError(error);
      if (!expected) {
        log.error({ err: error, method: ctx.method, path: ctx.path }, 'request failed');
      }
      ctx.status = status;
      ctx.body = body;
    }
  };
}

const health: Koa.Middleware = (ctx, next) => {
  if (ctx.path !== '/healthcheck') {
    return next();
  }
  ctx.body = 'OK';
  return undefined;
};

function authorise(key: Secret): Koa.Middleware {
  const wanted = digest(`Bearer ${key.reveal()}`);
  return (ctx, next) => {
    if (!timingSafeEqual(digest(ctx.get('authorization')), wanted)) {
      throw new ProtocolError(401, 'unauthorized', 'The node key is wrong.');
    }
    return next();
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
