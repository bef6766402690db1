/**
 * Our store behind the shortest list of middleware that can answer an authenticated request on an object: what all the
 * others cost is the difference to the real server.
 */
import { openLocalNode } from '@zerocloud/object-server/local-node';
import { createLogger } from '@zerocloud/object-server/program';
import { loadTokenSecret } from '@zerocloud/proxy/auth/token-secret';
import { createTokens } from '@zerocloud/proxy/auth/tokens';
import { userTable } from '@zerocloud/proxy/auth/users';
import { readServerConfig } from '@zerocloud/proxy/config';
import { authenticate } from '@zerocloud/proxy/middleware/authenticate';
import { errors } from '@zerocloud/proxy/middleware/errors';
import { swiftPath } from '@zerocloud/proxy/middleware/swift-path';
import { transaction } from '@zerocloud/proxy/middleware/transaction';
import { authRoute } from '@zerocloud/proxy/routes/auth';
import { containerRoute } from '@zerocloud/proxy/routes/container';
import { objectRoute } from '@zerocloud/proxy/routes/object';
import { createServer } from '@zerocloud/proxy/server';
import Koa from 'koa';

const { proxy: config, node: storage } = readServerConfig(process.env);
const log = createLogger(config.logLevel);
const node = await openLocalNode(storage.storage, { log, now: Date.now });
const deps = { node, config, log, now: Date.now };
const users = userTable(config.users);
const tokens = createTokens({
  users,
  lifetimeS: config.tokenLifetimeS,
  now: Date.now,
  loadSecret: () => loadTokenSecret(node, Date.now()),
});

const logIn = authRoute(users, tokens);
const container = containerRoute(deps);
const object = objectRoute(deps);
const app = new Koa();
app.use(transaction(deps));
app.use(errors(deps));
app.use((ctx, next) => (ctx.req.url === '/auth/v1.0' ? logIn(ctx) : next()));
app.use(swiftPath());
app.use(authenticate(tokens));
app.use((ctx) => (ctx.state.path.object ? object(ctx) : container(ctx)));

const server = createServer(app, config);
server.listen(0, '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${server.address().port}`));
process.on('SIGTERM', () => {
  server.closeAllConnections();
  server.close(() => void node.close());
});
