import { createHash } from 'node:crypto';
import { differential } from './differential';
import type { Exchange } from './exchange';

const body = 'what it stands for';
const etag = createHash('md5').update(body).digest('hex');

differential('symlinks', ({ account, prepare, same }) => {
  const at = (path: string) => `/v1/${account}/${path}`;
  const link = (path: string, target: string, headers: Record<string, string> = {}): Exchange => ({
    method: 'PUT',
    path: at(path),
    headers: { 'x-symlink-target': target, ...headers },
  });
  const both = (path: string, headers: Record<string, string> = {}): Exchange[] =>
    ['GET', 'HEAD'].map((method) => ({ method, path: at(path), headers }));

  prepare((): Exchange[] => [
    { method: 'PUT', path: at('c') },
    { method: 'PUT', path: at('l') },
    {
      method: 'PUT',
      path: at('c/o'),
      body,
      headers: { 'content-type': 'text/x-target', 'x-object-meta-color': 'blau' },
    },
    { method: 'PUT', path: at('c/changed'), body },
    link('l/dynamic', 'c/o'),
    link('l/odd', 'c/%C3%B6%20%2F%27'),
    link('l/static', 'c/o', { 'x-symlink-target-etag': etag }),
    link('l/broken', 'c/changed', { 'x-symlink-target-etag': etag }),
    { method: 'PUT', path: at('c/changed'), body: 'other', headers: { 'content-type': 'text/x-changed' } },
    link('l/nothing', 'c/nothing'),
    link('l/1', 'l/2'),
    link('l/2', 'l/3'),
    link('l/3', 'c/o'),
  ]);

  for (const name of ['dynamic', 'odd', 'static', 'broken', 'nothing', '1', '2']) {
    same(`reading ${name}`, [
      ...both(`l/${name}`),
      ...both(`l/${name}?symlink=get`),
      ...both(`l/${name}`, { range: 'bytes=2-4' }),
      ...both(`l/${name}`, { range: 'bytes=100-' }),
      ...both(`l/${name}`, { 'if-none-match': '*' }),
    ]);
  }
  same('a condition that fails', both('l/dynamic', { 'if-match': 'other' }));
  same('a condition on a link to nothing', both('l/nothing', { 'if-match': '*' }));
  same('listings', [
    { path: at('l?format=json') },
    { path: at('l?format=xml') },
    { path: at('l') },
    { path: at('l?format=json&limit=2') },
  ]);
  same('links that are refused', [
    link('l/x', '/c/o'),
    link('l/x', 'c'),
    link('l/x', 'c/'),
    link('l/x', 'l/x'),
    { ...link('l/x', 'c/o'), body: 'body' },
    link('l/x', 'c/o', { 'x-symlink-target-account': 'a/b' }),
    link('l/x', 'c/o', { 'x-symlink-target-etag': 'a;b' }),
    link('l/x', 'c/o', { 'x-symlink-target-etag': 'other' }),
    link('l/x', 'c/nothing', { 'x-symlink-target-etag': 'other' }),
    link('l/x', 'nothing/nothing', { 'x-symlink-target-etag': 'other' }),
    { method: 'POST', path: at('c/o'), headers: { 'x-symlink-target': 'a/b' } },
    ...both('l/x'),
  ]);
  same('POST to links', [
    { method: 'POST', path: at('l/dynamic'), headers: { 'x-object-meta-a': 'b' } },
    { method: 'POST', path: at('l/static'), headers: { 'x-object-meta-a': 'b' } },
    { method: 'POST', path: at('l/nothing') },
    ...both('l/dynamic?symlink=get'),
    ...both('l/dynamic'),
  ]);
  same('copies', [
    { method: 'COPY', path: at('l/dynamic'), headers: { destination: 'c/copy' } },
    ...both('c/copy'),
    { method: 'COPY', path: at('l/dynamic?symlink=get'), headers: { destination: 'l/twin' } },
    ...both('l/twin?symlink=get'),
    { method: 'COPY', path: at('l/static?symlink=get'), headers: { destination: 'l/twin' } },
    ...both('l/twin?symlink=get'),
    { method: 'COPY', path: at('l/broken'), headers: { destination: 'c/copy' } },
    { method: 'COPY', path: at('l/broken?symlink=get'), headers: { destination: 'l/twin' } },
    { method: 'COPY', path: at('l/dynamic?symlink=get'), headers: { destination: 'c/o' } },
    link('c/from', 'c/o', { 'x-copy-from': 'l/dynamic' }),
  ]);
  same('rights at each hop', [
    ...both('l/dynamic').map((exchange) => ({ ...exchange, user: '' })),
    { method: 'POST', path: at('l'), headers: { 'x-container-read': '.r:*' } },
    ...both('l/dynamic').map((exchange) => ({ ...exchange, user: '' })),
    ...both('l/dynamic').map((exchange) => ({ ...exchange, user: 'test:tester3' })),
    ...both('l/dynamic?symlink=get').map((exchange) => ({ ...exchange, user: '' })),
  ]);
  same('deleting', [
    { method: 'DELETE', path: at('l/static') },
    ...both('l/static'),
    ...both('c/o'),
    { method: 'PUT', path: at('l/dynamic'), body: 'plain', headers: { 'content-type': 'a/b' } },
    ...both('l/dynamic'),
  ]);
});
