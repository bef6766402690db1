import { differential } from './differential';

differential('pages', ({ account, same }) => {
  for (const path of ['/healthcheck', '/crossdomain.xml']) {
    same(path, [{ path, user: '' }, { path: `${path}?a=b`, user: '' }, { path }, { path: `${path}/x`, user: '' }]);
  }
  same('crossdomain.xml by other methods', [{ method: 'POST', path: '/crossdomain.xml', user: '' }]);
  same('healthcheck by other methods', [
    { method: 'HEAD', path: '/healthcheck', user: '' },
    { method: 'POST', path: '/healthcheck', user: '' },
  ]);

  same('endpoints', [
    { path: `/endpoints/${account}`, user: '' },
    { path: `/endpoints/v1/${account}/c`, user: '' },
    { path: `/endpoints/v2/${account}/c/o`, user: '' },
  ]);
  same('endpoints that are refused', [
    { path: '/endpoints/', user: '' },
    { path: '/endpoints/v1', user: '' },
    { path: '/endpoints/v3/a', user: '' },
    { path: '/endpoints/vx/a', user: '' },
    { method: 'POST', path: `/endpoints/${account}`, user: '' },
  ]);

  same('paths that lead nowhere', [
    { path: '/', user: '' },
    { path: '/v1', user: '' },
    { path: '/v1/', user: '' },
    { path: '/favicon.ico', user: '' },
    { path: '//', user: '' },
    { path: '/v1//c', user: '' },
    { method: 'PATCH', path: `/v1/${account}` },
  ]);
  same('paths that are wrong before it matters who asks', [
    { path: '/v2/a/c', user: '' },
    { path: '/v1/a/%ff', user: '' },
    { path: '/v1/a/%00', user: '' },
  ]);
  same('an object without a container', [{ path: '/v1/a//o', user: '' }]);
  same('a method that nobody knows', [{ method: 'BREW', path: `/v1/${account}`, user: '' }]);
});
