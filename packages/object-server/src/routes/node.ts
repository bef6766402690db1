import type { Router } from '@koa/router';
import type { ObjectServerDeps } from '../app';

export function nodeRoutes(router: Router, { node }: ObjectServerDeps): void {
  router.get('/node', async (ctx) => {
    ctx.body = await node.describe();
  });
}
