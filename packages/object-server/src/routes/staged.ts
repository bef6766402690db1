import type { Router } from '@koa/router';
import type { ObjectServerDeps } from '../app';
import { parseJson } from '../wire/json-body';
import { optionsHeader } from '../wire/protocol';
import { stageOptions } from '../wire/schemas';
import { param, receiveBody } from './request';

export function stagedRoutes(router: Router, { node }: ObjectServerDeps): void {
  router.post('/staged', async (ctx) => {
    ctx.body = await node.stageBody(receiveBody(ctx), parseJson(ctx.get(optionsHeader), stageOptions));
  });
  router.delete('/staged/:id', async (ctx) => {
    await node.releaseBody(param(ctx, 'id'));
    ctx.status = 204;
  });
}
