import type { SwiftContext } from '../context';
import { HttpError, htmlType } from '../errors';
import { encodePath } from '../objects/copy-request';
import { decodePercent, rawPathOf } from '../swift-path';

const prefix = '/endpoints';

/**
 * Where an account, container or object is, for programs that go to their data (Hadoop): `/endpoints/v2/<account>/…` and
 * its older forms, as swift/common/middleware/list_endpoints.py. There is one place, this server, and its answer says no
 * more than the question: nothing is looked up.
 */
export function endpointsRoute(): (ctx: SwiftContext) => void {
  return (ctx) => {
    if (ctx.method !== 'GET') throw new HttpError(405, undefined, { headers: { Allow: 'GET' } });
    const { version, path } = readPath(rawPathOf(ctx.req.url!).slice(prefix.length));
    const { localAddress = '', localPort } = ctx.req.socket;
    const host = localAddress.includes(':') ? `[${localAddress}]` : localAddress;
    const endpoints = [`http://${host}:${localPort}/v1/${path}`];
    ctx.set('Content-Type', 'application/json');
    ctx.body = Buffer.from(JSON.stringify(version === 2 ? { endpoints, headers: {} } : endpoints));
  };
}

/** An account may stand without a version, which is the first then. */
function readPath(raw: string): { version: number; path: string } {
  const [, first = '', ...rest] = raw.split('/');
  if (first === '') throw refused('No account specified');
  const number = first.replace(/^v+/, '');
  const version = /^\d+(?:\.\d*)?$/.test(number) ? Number(number) : Number.NaN;
  const isVersion = version === 1 || version === 2;
  if (!isVersion && first.startsWith('v') && !first.includes('_')) throw refused(`Unsupported version '${first}'`);
  const [account = '', container, ...object] = isVersion ? rest : [first, ...rest];
  if (account === '' || (container === '' && object.length > 0)) throw refused('No account specified');
  const segments = [account, container, object.join('/')].filter((segment) => segment !== undefined && segment !== '');
  const path = decodePercent(segments.join('/'));
  if (path === undefined || path.includes('\0')) throw refused('Invalid UTF8 or contains NULL');
  return { version: isVersion ? version : 1, path: encodePath(path) };
}

function refused(sentence: string): HttpError {
  return new HttpError(400, sentence, { headers: { 'content-type': htmlType } });
}
