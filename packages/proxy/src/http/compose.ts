import type { Middleware, SwiftContext } from '../context';

/**
 * The middleware of a list as one function. Unlike Koa's own, nothing is allocated or awaited between them but what
 * they do themselves: one that only returns `next()` costs a call, so a long list costs a small answer nothing.
 */
export function compose(list: readonly Middleware[]): (ctx: SwiftContext) => Promise<void> {
  const end = () => Promise.resolve();
  return list.reduceRight<(ctx: SwiftContext) => Promise<void>>((next, middleware) => {
    return (ctx) => {
      try {
        return middleware(ctx as never, () => next(ctx)) as Promise<void>;
      } catch (error) {
        return Promise.reject(error);
      }
    };
  }, end);
}
