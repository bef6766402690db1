import type { Router } from '@koa/router';
import type { ObjectServerDeps } from '../app';
import { readJson } from '../wire/json-body';
import { nodeGroup, nodeSession, validationRequest } from '../wire/schemas';
import { encodeResult, encodeResults } from '../wire/session';
import { hangUpSignal, staysAlive } from './request';

export function sessionRoutes(router: Router, { node }: ObjectServerDeps): void {
  router.post('/validations', async (ctx) => {
    const { path, options } = await readJson(ctx.req, validationRequest);
    ctx.body = { valid: await staysAlive(ctx, node.validateProgram(path, options)) };
  });
  router.post('/groups', async (ctx) => {
    const group = await readJson(ctx.req, nodeGroup);
    const results = await staysAlive(ctx, node.runGroup(group, { signal: hangUpSignal(ctx.res) }));
    const { body, sizeBytes } = encodeResults(results);
    ctx.body = body;
    ctx.length = sizeBytes;
  });
  router.post('/sessions', async (ctx) => {
    const session = await readJson(ctx.req, nodeSession);
    const result = await staysAlive(ctx, node.runSession(session, { signal: hangUpSignal(ctx.res) }));
    const { body, sizeBytes } = encodeResult(result);
    ctx.body = body;
    ctx.length = sizeBytes;
  });
}
