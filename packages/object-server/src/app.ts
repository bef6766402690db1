import { createHash, timingSafeEqual } from 'node:crypto';
import http from 'node:http';
import Koa from 'koa';
import type { Logger } from 'pino';
import type { Leases } from './leases';
import { createRoutes } from './routes';
import type { Secret } from './settings';
import type { StorageNode } from './storage-node';
import { encodeError, ProtocolError } from './wire/errors';
import { maxHeaderBytes } from './wire/protocol';

export interface ObjectServerDeps {
  node: StorageNode;
  leases: Leases;
  /** What a proxy must show; absent: everybody who can connect is one. */
  key?: Secret;
  log: Logger;
}

/** How long a connection is quiet before the kernel asks whether somebody is still there. */
const keepAliveProbeMs = 60_000;

/** The storage protocol as an HTTP server; it does not listen yet. */
export function createObjectServer(deps: ObjectServerDeps): http.Server {
  const handle = createObjectServerApp(deps).callback();
  const server = http.createServer({
    maxHeaderSize: maxHeaderBytes,
    // Uploads may take any time: the proxy limits its clients.
    requestTimeout: 0,
    // Of a proxy whose host is gone nothing more is heard, not even that: its uploads would be waited for without end.
    keepAlive: true,
    keepAliveInitialDelay: keepAliveProbeMs,
    headersTimeout: 60_000,
    keepAliveTimeout: 75_000,
  });
  // Without this listener Node asks for every announced body at once; the routes do when they read it.
  return server.on('request', handle).on('checkContinue', handle);
}

/** The storage protocol (`wire/protocol.ts`) as a Koa application. */
function createObjectServerApp(deps: ObjectServerDeps): Koa {
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
      // Node drains a body that nobody began to read, but not the rest of one that was refused halfway.
      ctx.req.resume();
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
