import type { Router } from '@koa/router';
import type { ObjectServerDeps } from '../app';
import { param } from './request';

export function nodeRoutes(router: Router, { node }: ObjectServerDeps): void {
  router.get('/node', async (ctx) => {
    ctx.body = await node.describe();
  });
  router.get('/accounts/:account/daemons', async (ctx) => {
    ctx.body = await node.listDaemons(param(ctx, 'account'));
  });
}
