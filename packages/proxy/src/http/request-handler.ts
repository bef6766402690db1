import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { sendBody } from '@zerocloud/object-server';
import type Koa from 'koa';
import type { Middleware, RequestState, SwiftContext } from '../context';
import { compose } from './compose';
import { removeInternalHeaders } from './internal-headers';
import type { RequestScope } from './request-scope';
import { cutWhenStalled } from './stalled-reader';

/** Answers up to this size cost less to hold than to watch. */
const unwatchedBytes = 65_536;

/**
 * What `app.callback()` does, cheaper per request, for small answers are what a store gives most:
 * - Answers that became ready within one turn of the event loop leave together at its end. Each answer written by
 *   itself wakes its client, which on a busy machine costs more than everything else in a small GET.
 * - No listeners on request and response that only matter when something fails.
 * - 204 and 304 keep their Content-Type and Content-Length, which Koa takes away and Swift's clients look at.
 * - Bodies of stored objects go out through `sendBody`.
 */
export function requestHandler(
  app: Koa<RequestState>,
  /** Milliseconds that a client may take no byte of a longer answer. */
  stallMs: number,
): (req: IncomingMessage, res: ServerResponse) => Promise<void> {
  const run = compose(app.middleware as Middleware[]);
  const endOfTurn = createEndOfTurn();
  return async (req, res) => {
    const ctx = app.createContext(req, res) as unknown as SwiftContext;
    res.statusCode = 404;
    try {
      await run(ctx);
      if (!ctx.state.leavesAtOnce) await endOfTurn();
      removeInternalHeaders(res);
      await respond(ctx, stallMs);
    } catch (error) {
      res.destroy();
      if (!isHangUp(error)) app.emit('error', error, ctx);
    }
    const { onEnd } = ctx.state as RequestScope;
    if (!onEnd) return;
    // Some jobs answer by themselves, and go on doing so.
    if (ctx.respond === false && !res.closed) res.once('close', onEnd);
    else onEnd();
  };
}

function createEndOfTurn(): () => Promise<void> {
  let turn: Promise<void> | undefined;
  return () => {
    turn ??= new Promise((resolve) => {
      setImmediate(() => {
        turn = undefined;
        resolve();
      });
    });
    return turn;
  };
}

async function respond(ctx: SwiftContext, stallMs: number): Promise<void> {
  const { res } = ctx;
  const body: unknown = ctx.state.body ?? ctx.body;
  if (ctx.respond === false || res.writableEnded) return;
  if (res.destroyed) {
    if (body instanceof Readable) body.destroy();
    return;
  }
  if (body instanceof Readable) {
    if (ctx.method !== 'HEAD') {
      cutWhenStalled(res, stallMs);
      return sendBody(body, res);
    }
    body.destroy();
    res.end();
  } else if (res.statusCode === 204 || res.statusCode === 304 || ctx.method === 'HEAD') {
    res.end();
  } else if (Buffer.isBuffer(body)) {
    if (body.length > unwatchedBytes) cutWhenStalled(res, stallMs);
    res.end(body);
  } else {
    // Text goes out as bytes, or Node would encode the head as UTF-8 once more.
    const text = Buffer.from(body == null ? '' : typeof body === 'string' ? body : JSON.stringify(body));
    res.setHeader('Content-Length', text.length);
    if (text.length > unwatchedBytes) cutWhenStalled(res, stallMs);
    res.end(text);
  }
}

/** The client is gone: nothing that anybody has to know. */
function isHangUp(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ECONNRESET' || code === 'EPIPE' || code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'ECANCELED';
}
