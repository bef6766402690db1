import { Router } from '@koa/router';
import type { ObjectServerDeps } from '../app';
import { accountRoutes } from './account';
import { containerRoutes } from './container';
import { leaseRoutes } from './lease';
import { nodeRoutes } from './node';
import { objectRoutes } from './object';
import { sessionRoutes } from './session';
import { stagedRoutes } from './staged';

/** Every resource of the storage protocol. */
export function createRoutes(deps: ObjectServerDeps): Router {
  const router = new Router({ prefix: '/v1' });
  accountRoutes(router, deps);
  containerRoutes(router, deps);
  objectRoutes(router, deps);
  leaseRoutes(router, deps);
  stagedRoutes(router, deps);
  sessionRoutes(router, deps);
  nodeRoutes(router, deps);
  return router;
}
