import type { Router } from '@koa/router';
import type { ObjectServerDeps } from '../app';
import { StorageError } from '../errors';
import { parseJson, readJson } from '../wire/json-body';
import { listQuery, metadataUpdate } from '../wire/schemas';
import { param, queryOf } from './request';

export function accountRoutes(router: Router, { node }: ObjectServerDeps): void {
  router.get('/accounts/:account', async (ctx) => {
    const record = await node.findAccount(param(ctx, 'account'));
    if (!record) {
      throw new StorageError('accountNotFound', 'The account does not exist.');
    }
    ctx.body = record;
  });
  router.put('/accounts/:account', async (ctx) => {
    ctx.body = await node.putAccount(param(ctx, 'account'), await readJson(ctx.req, metadataUpdate));
  });
  router.post('/accounts/:account', async (ctx) => {
    await node.updateAccount(param(ctx, 'account'), await readJson(ctx.req, metadataUpdate));
    ctx.status = 204;
  });
  router.delete('/accounts/:account', async (ctx) => {
    await node.deleteAccount(param(ctx, 'account'));
    ctx.status = 204;
  });
  router.get('/accounts/:account/deleted', async (ctx) => {
    ctx.body = { deleted: await node.isAccountDeleted(param(ctx, 'account')) };
  });
  router.get('/accounts/:account/containers', async (ctx) => {
    ctx.body = await node.listContainers(param(ctx, 'account'), parseJson(queryOf(ctx), listQuery));
  });
}
