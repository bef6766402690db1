import type { SwiftContext } from '../context';

/** Load balancers ask this; the store is not touched. */
export function healthRoute(): (ctx: SwiftContext) => void {
  const body = Buffer.from('OK');
  return (ctx) => {
    ctx.set('Content-Type', 'text/plain');
    ctx.body = body;
  };
}
