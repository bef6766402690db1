import Router from '@koa/router';
import Koa from 'koa';
import { loadTokenSecret } from './auth/token-secret';
import { createTokens } from './auth/tokens';
import { userTable } from './auth/users';
import { bulk } from './bulk/bulk';
import type { Deps, Middleware, RequestState, SwiftContext } from './context';
import { etagQuoter } from './etag-quoter/etag-quoter';
import { formPost } from './form-post/form-post';
import { cnameLookup } from './hosts/cname-lookup';
import { domainRemap } from './hosts/domain-remap';
import { Subrequests } from './http/subrequest';
import { manifests } from './large-objects/manifests';
import { authenticate } from './middleware/authenticate';
import { cors } from './middleware/cors';
import { errors } from './middleware/errors';
import { gatekeeper } from './middleware/gatekeeper';
import { readOnly } from './middleware/read-only';
import { swiftPath } from './middleware/swift-path';
import { transaction } from './middleware/transaction';
import { unsupported } from './middleware/unsupported';
import { rateLimit } from './rate-limit/rate-limit';
import { authRoute } from './routes/auth';
import { crossDomainRoute } from './routes/crossdomain';
import { endpointsRoute } from './routes/endpoints';
import { healthRoute } from './routes/health';
import { infoRoute } from './routes/info';
import { storageRoute } from './routes/storage';
import { s3 } from './s3';
import { staticWeb } from './static-web/static-web';
import { tempUrl } from './temp-url/temp-url';

/**
 * The whole proxy as a Koa app: no listening, no environment, nothing global. The order of the middleware is the order
 * below: what an answer passes last stands first.
 */
export function createApp(deps: Deps): Koa<RequestState> {
  const users = userTable(deps.config.users);
  const tokens = createTokens({
    users,
    resellers: deps.config.resellers,
    lifetimeS: deps.config.tokenLifetimeS,
    now: deps.now,
    loadSecret: () => loadTokenSecret(deps.node, deps.now()),
  });

  const router = new Router<RequestState>();
  router.all('/info', infoRoute(deps));
  router.all('/healthcheck', healthRoute(deps.config.healthDisableFile));
  router.all('/crossdomain.xml', crossDomainRoute(deps.config.crossDomainPolicy) as never);
  router.all(/^\/endpoints\//, endpointsRoute());
  router.all(/^\/auth\//, authRoute(users, tokens));

  const app = new Koa<RequestState>();
  // What went wrong after the head of an answer was sent; everything before that is `errors`' business.
  app.on('error', (err, ctx: SwiftContext) =>
    deps.log.error({ txn: ctx.state.transactionId, err }, 'answer broke off'),
  );
  const subrequests = new Subrequests(app);
  const refusals = errors(deps);
  // What a request passes that the server makes of itself: who asks is known, and nothing comes from outside.
  const inner: Middleware[] = [readOnly(deps.config), manifests(deps, subrequests), storageRoute(deps)];
  subrequests.use([refusals, swiftPath(), ...inner]);

  app.use(transaction(deps));
  app.use(gatekeeper());
  app.use(cors(deps));
  app.use(refusals);
  app.use(cnameLookup(deps));
  app.use(domainRemap(deps.config.hosts, deps.config.resellers));
  app.use(s3(deps, users, subrequests));
  app.use(outsideStorage(router.routes() as unknown as Middleware));
  app.use(swiftPath());
  app.use(etagQuoter(deps));
  app.use(tempUrl(deps));
  app.use(rateLimit(deps));
  app.use(formPost(deps, subrequests));
  app.use(authenticate(tokens));
  app.use(staticWeb(deps, subrequests));
  app.use(bulk(deps, subrequests));
  app.use(unsupported());
  for (const middleware of inner) app.use(middleware);
  return app;
}

/** The fixed pages take the router; requests for storage, which are all that count, do not pass through it. */
function outsideStorage(pages: Middleware): Middleware {
  return (ctx, next) => (ctx.req.url!.startsWith('/v1/') ? next() : pages(ctx, next));
}
