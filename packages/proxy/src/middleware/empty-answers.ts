import type { Middleware } from '../context';

/**
 * Koa takes Content-Type and Content-Length out of a 204 or 304. Swift sends them and its clients look at them, so
 * these answers are ended here, as they are.
 */
export function emptyAnswers(): Middleware {
  return async (ctx, next) => {
    await next();
    const { res } = ctx;
    if (ctx.body == null && (res.statusCode === 204 || res.statusCode === 304) && !res.headersSent) res.end();
  };
}
