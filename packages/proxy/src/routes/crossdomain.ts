import type { Middleware } from '../context';

/** `/crossdomain.xml` for GET, as swift/common/middleware/crossdomain.py; other methods find no such page. */
export function crossDomainRoute(policy: string): Middleware {
  const body = Buffer.from(
    '<?xml version="1.0"?>\n' +
      '<!DOCTYPE cross-domain-policy SYSTEM "http://www.adobe.com/xml/dtds/cross-domain-policy.dtd" >\n' +
      `<cross-domain-policy>\n${policy}\n</cross-domain-policy>`,
  );
  return (ctx, next) => {
    if (ctx.method !== 'GET') return next();
    ctx.set('Content-Type', 'application/xml');
    ctx.body = body;
    return undefined;
  };
}
