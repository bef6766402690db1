import type { Router } from '@koa/router';
import type { ObjectServerDeps } from '../app';
import { ProtocolError } from '../wire/errors';
import { readJson } from '../wire/json-body';
import { leaseIds } from '../wire/schemas';
import { param } from './request';

export function leaseRoutes(router: Router, { leases }: ObjectServerDeps): void {
  router.get('/leases/:lease', async (ctx) => {
    const opened = leases.get(param(ctx, 'lease'));
    const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(ctx.get('range')) ?? [];
    const range = { start: Number(start), end: Number(end) };
    if (!(range.start <= range.end && range.end < opened.record.sizeBytes)) {
      throw new ProtocolError(400, 'badRequest', 'The request names no range of the object.');
    }
    ctx.status = 206;
    ctx.body = await opened.read(range);
    ctx.length = range.end - range.start + 1;
  });
  router.delete('/leases/:lease', (ctx) => {
    leases.release(param(ctx, 'lease'));
    ctx.status = 204;
  });
  router.post('/leases', async (ctx) => {
    leases.renew(await readJson(ctx.req, leaseIds));
    ctx.status = 204;
  });
}
