import { randomBytes } from 'node:crypto';
import type { Deps, Middleware } from '../context';
import { createRequestLog } from '../http/request-log';
import { RequestScope } from '../http/request-scope';
import { createTimestamps } from '../http/timestamp';
import { setOwnHeader } from '../http/unchecked-header';

/**
 * Gives every request its scope and its transaction id, and logs one line when it is over. The id has Swift's form,
 * `tx` + 21 hex digits + `-` + 10 hex digits of the time; a random prefix and a counter are enough for being unique.
 */
export function transaction({ log, now }: Deps): Middleware {
  const prefix = `tx${randomBytes(7).toString('hex')}`;
  const nextTimestamp = createTimestamps(now);
  const logRequest = createRequestLog(log);
  const isLogged = log.isLevelEnabled('info');
  let counter = 0;
  return (ctx, next) => {
    const startedAtMs = now();
    counter = (counter + 1) % 0x10000000;
    const time = Math.floor(startedAtMs / 1000);
    const transactionId = `${prefix}${counter.toString(16).padStart(7, '0')}-${time.toString(16).padStart(10, '0')}`;
    const { req, res } = ctx;
    // HTTP/1.1 keeps connections open without saying so; Swift says so to those who ask, Node to all unless told off.
    if (req.httpVersionMinor === 1 && res.shouldKeepAlive && req.headers.connection === undefined) {
      res.removeHeader('Connection');
    }
    const scope = new RequestScope(transactionId, res, nextTimestamp);
    ctx.state = scope;
    res.setHeader('X-Trans-Id', transactionId);
    setOwnHeader(res, 'x-openstack-request-id', 'X-Openstack-Request-Id', transactionId);
    if (isLogged) {
      scope.onEnd = () => {
        logRequest(req, res, { transactionId, user: scope.identity?.user, startedAtMs, endedAtMs: now() });
      };
    }
    return next();
  };
}
