import { differential } from './differential';

differential(
  'services and hosts',
  ({ account, prepare, same }) => {
    const service = account.replace('AUTH_', 'SERVICE_');
    prepare(() => [
      { method: 'PUT', path: `/v1/${account}/c`, headers: { 'x-container-read': '.r:*,.rlistings' } },
      { method: 'PUT', path: `/v1/${account}/c/o`, body: 'content' },
    ]);

    same('accounts of services', [
      { method: 'PUT', path: `/v1/${service}` },
      { method: 'PUT', path: `/v1/${service}/c` },
      { path: `/v1/${service}/c`, user: '' },
      { path: `/v1/${service}/c`, user: 'test:tester' },
      { path: '/v1/SERVICE_test', user: 'test:tester' },
      { path: '/v1/SERVICE_test', user: 'test5:tester5' },
      { method: 'PUT', path: '/v1/SERVICE_.dot' },
      { method: 'PUT', path: '/v1/OTHER_account' },
      { method: 'DELETE', path: `/v1/${service}/c` },
      { method: 'DELETE', path: `/v1/${service}` },
    ]);

    const domain = process.env.SWIFT_STORAGE_DOMAIN ?? 'anchor.test';
    const host = account.replace('_', '-');
    same('hosts of a storage domain', [
      { path: '/', headers: { host: `c.${host}.${domain}` }, user: '' },
      { path: '/o', headers: { host: `c.${host}.${domain}` }, user: '' },
      { path: '/o', headers: { host: `c.${host.replace('AUTH', 'auth')}.${domain}:80` }, user: '' },
      { path: '/c/o', headers: { host: `${account}.${domain}` }, user: '' },
      { path: '/nothing', headers: { host: `c.${host}.${domain}` }, user: '' },
      { path: '/', headers: { host: `a.b.${host}.${domain}` }, user: '' },
      { path: '/', headers: { host: `c.other-account.${domain}` }, user: '' },
      { path: `/v1/${account}/c/o`, headers: { host: `other.${domain}` }, user: '' },
      { path: `/v1/${account}/c/o`, headers: { host: domain }, user: '' },
    ]);

    same('quoted ETags', [
      { method: 'POST', path: `/v1/${account}/c`, headers: { 'x-container-rfc-compliant-etags': 'true' } },
      { path: `/v1/${account}/c` },
      { path: `/v1/${account}/c/o` },
      { method: 'HEAD', path: `/v1/${account}/c/o`, headers: { range: 'bytes=0-1' } },
      { path: `/v1/${account}/c/o`, headers: { 'if-none-match': '*' } },
      { path: `/v1/${account}/c/o`, headers: { 'if-match': 'x' } },
      { method: 'PUT', path: `/v1/${account}/c/o`, body: 'other' },
      { path: `/v1/${account}/c?format=json` },
      { method: 'POST', path: `/v1/${account}`, headers: { 'x-account-rfc-compliant-etags': 'true' } },
      { method: 'POST', path: `/v1/${account}/c`, headers: { 'x-container-rfc-compliant-etags': 'nonsense' } },
      { path: `/v1/${account}/c/o` },
      { method: 'POST', path: `/v1/${account}/c`, headers: { 'x-remove-container-rfc-compliant-etags': 'x' } },
      { path: `/v1/${account}/c/o` },
      { path: `/v1/${account}?limit=1` },
      { method: 'POST', path: `/v1/${account}`, headers: { 'x-account-rfc-compliant-etags': '' } },
      { path: `/v1/${account}/c/o` },
    ]);

    const origin = { origin: 'http://page.example' };
    const cors = { 'access-control-request-method': 'GET', 'access-control-request-headers': 'x-a, X-B' };
    same('scripts of other origins', [
      { path: `/v1/${account}/c/o`, headers: origin },
      { method: 'OPTIONS', path: `/v1/${account}/c/o`, headers: { ...origin, ...cors }, user: '' },
      {
        method: 'POST',
        path: `/v1/${account}/c`,
        headers: {
          'x-container-meta-access-control-allow-origin': 'http://page.example http://other.example',
          'x-container-meta-access-control-max-age': '5',
          'x-container-meta-access-control-expose-headers': 'x-exposed',
        },
      },
      { path: `/v1/${account}/c/o`, headers: origin },
      { path: `/v1/${account}/c/nothing`, headers: origin },
      { path: `/v1/${account}/c/o`, headers: { origin: 'http://foreign.example' } },
      { method: 'OPTIONS', path: `/v1/${account}/c/o`, headers: { ...origin, ...cors }, user: '' },
      {
        method: 'OPTIONS',
        path: `/v1/${account}/c/o`,
        headers: { ...origin, 'access-control-request-method': 'BREW' },
        user: '',
      },
      { method: 'OPTIONS', path: `/v1/${account}/c`, headers: { ...origin, ...cors }, user: '' },
    ]);
  },
  { env: { STORAGE_DOMAIN: process.env.SWIFT_STORAGE_DOMAIN ?? 'anchor.test' } },
);
