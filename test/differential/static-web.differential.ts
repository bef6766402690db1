import { differential } from './differential';

const anonymous = (paths: string[], method = 'GET') => paths.map((path) => ({ method, path, user: '' }));

differential('static web', ({ account, prepare, same }) => {
  const site = `/v1/${account}/site`;
  const create = (name: string, metadata: Record<string, string>, read = '.r:*,.rlistings') => ({
    method: 'PUT',
    path: `/v1/${account}/${name}`,
    headers: {
      'x-container-read': read,
      ...Object.fromEntries(Object.entries(metadata).map(([key, value]) => [`x-container-meta-web-${key}`, value])),
    },
  });
  const put = (path: string, body: string, type = 'text/html') => ({
    method: 'PUT',
    path,
    body,
    headers: { 'content-type': type },
  });
  prepare(() => [
    create('site', { index: 'index.html', error: 'error.html', listings: 'true' }),
    put(`${site}/index.html`, 'home'),
    put(`${site}/sub/index.html`, 'sub'),
    put(`${site}/bare/a%20%22b%22%3C%26.txt`, 'x'.repeat(3000), 'text/plain'),
    put(`${site}/bare/deep/%C3%B6`, 'x'),
    put(`${site}/bare/deep/x?y`, 'x'),
    put(`${site}/marker`, '', 'application/directory'),
    put(`${site}/404error.html`, 'nothing'),
    put(`${site}/401error.html`, 'log in'),
    create('styled', { listings: 'yes', 'listings-css': 'a b.css', 'listings-label': 'L & <M>' }),
    put(`/v1/${account}/styled/a/b/c`, 'x'),
    create('absolute', { listings: 'yes', 'listings-css': 'https://example.org/a.css' }),
    put(`/v1/${account}/absolute/a`, 'x'.repeat(2_000_000)),
    create('unlisted', { index: 'index.html' }),
    put(`/v1/${account}/unlisted/a/b`, 'x'),
    create('half', { index: 'index.html', error: 'error.html', listings: 'true' }, '.r:*'),
    put(`/v1/${account}/half/401error.html`, 'log in'),
    put(`/v1/${account}/half/index.html`, 'home'),
    put(`/v1/${account}/half/a/b`, 'x'),
    create('closed', { index: 'index.html', error: 'error.html' }, ''),
    create('plain', {}),
    put(`/v1/${account}/plain/o`, 'x'),
  ]);

  const paths = [
    '',
    '/',
    '/sub',
    '/sub/',
    '/bare',
    '/bare/',
    '/bare/deep/',
    '/marker',
    '/marker/',
    '/nothing',
    '/nothing/',
    '/index.html',
    '/index.html/',
    '?limit=1',
  ];
  for (const name of ['site', 'styled', 'absolute', 'unlisted', 'half', 'closed', 'plain', 'nowhere']) {
    const targets = [...paths, '/a', '/a/', '/a/b/', '/o'].map((path) => `/v1/${account}/${name}${path}`);
    same(`visits of ${name}`, anonymous(targets));
    same(`visits of ${name} by HEAD`, anonymous(targets, 'HEAD'));
  }
  same('visits with a token', [
    ...paths.map((path) => ({ path: site + path })),
    ...paths.map((path) => ({ path: site + path, headers: { 'x-web-mode': 'true' } })),
    { path: `/v1/${account}/plain`, headers: { 'x-web-mode': 'true' } },
    { path: `${site}/`, user: 'test:tester3', headers: { 'x-web-mode': 'yes' } },
    { method: 'POST', path: site, user: '' },
  ]);
  same('ranges and conditions of a visit', [
    { path: `${site}/`, user: '', headers: { range: 'bytes=1-2' } },
    { path: `${site}/`, user: '', headers: { 'if-none-match': '*' } },
    { path: `${site}/`, user: '', headers: { 'if-match': '"x"' } },
    { path: `${site}/`, user: '', headers: { range: 'bytes=100-' } },
  ]);
});
