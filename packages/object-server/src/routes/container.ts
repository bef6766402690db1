import type { Router } from '@koa/router';
import type { ObjectServerDeps } from '../app';
import { StorageError } from '../errors';
import { parseJson, readJson } from '../wire/json-body';
import { containerUpdate, listQuery, versionListQuery } from '../wire/schemas';
import { containerPath, queryOf } from './request';

export function containerRoutes(router: Router, { node }: ObjectServerDeps): void {
  const resource = '/containers/:account/:container';
  router.get(resource, async (ctx) => {
    const record = await node.findContainer(containerPath(ctx));
    if (!record) {
      throw new StorageError('containerNotFound', 'The container does not exist.');
    }
    ctx.body = record;
  });
  router.put(resource, async (ctx) => {
    ctx.body = await node.putContainer(containerPath(ctx), await readJson(ctx.req, containerUpdate));
  });
  router.post(resource, async (ctx) => {
    await node.updateContainer(containerPath(ctx), await readJson(ctx.req, containerUpdate));
    ctx.status = 204;
  });
  router.delete(resource, async (ctx) => {
    await node.deleteContainer(containerPath(ctx));
    ctx.status = 204;
  });
  router.get(`${resource}/versions`, async (ctx) => {
    ctx.body = await node.listVersions(containerPath(ctx), parseJson(queryOf(ctx), versionListQuery));
  });
  router.get(`${resource}/objects`, async (ctx) => {
    ctx.body = await node.listObjects(containerPath(ctx), parseJson(queryOf(ctx), listQuery));
  });
}
