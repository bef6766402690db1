import type { Exchange } from '../exchange';
import { bodies, md5 } from './headers';

const body = bodies[2]!;
const put = (path: string, body = '', headers: Record<string, string> = {}): Exchange => ({
  method: 'PUT',
  path: `/v1/{account}/${path}`,
  body,
  headers,
});

/** What every sequence finds: `c` with plain and large objects, `v` with versions, `l` with links, `h` for history. */
export const scene: Exchange[] = [
  {
    method: 'PUT',
    path: '/v1/{account}',
    headers: { 'x-account-access-control': '{"admin":["test:tester"],"read-only":["test2:tester2"]}' },
  },
  { method: 'PUT', path: '/v1/{other}' },
  put('c', '', { 'x-container-read': '.r:*,.rlistings', 'x-container-write': 'test:tester3' }),
  put('v', '', { 'x-versions-enabled': 'true' }),
  put('l', '', {
    'x-container-meta-access-control-allow-origin': 'http://a.test',
    'x-container-meta-access-control-expose-headers': 'x-object-meta-a x-b',
    'x-container-meta-access-control-max-age': '5',
  }),
  put('h'),
  put('d'),
  put('%C3%BC%20c', '', { 'x-versions-location': 'h' }),
  { method: 'PUT', path: '/v1/{other}/c' },
  { method: 'PUT', path: '/v1/{other}/c/o', body: 'of another' },
  put('c/o', body, { 'content-type': 'text/plain', 'x-object-meta-a': 'b' }),
  put('c/p'),
  put('c/p/', '', { 'content-type': 'application/directory' }),
  put('c/x//y', 'x'),
  put('c/%C3%B6/%E6%97%A5', '\u00fc'),
  put('%C3%BC%20c/o', 'first'),
  put('%C3%BC%20c/o', 'second', { 'x-object-meta-a': 'b' }),
  put('c/p/a', 'aaaaa', { 'content-type': 'a/b' }),
  put('c/p/b', 'bbbbbbb', { 'x-delete-at': '4000000000' }),
  put('v/o', 'first', { 'x-object-meta-a': 'first' }),
  { ...put('v/o', body), keep: { as: 'version', header: 'x-object-version-id' } },
  put('v/o', body, { 'x-object-meta-a': 'third' }),
  put('c/dlo', 'own', { 'x-object-manifest': 'c/p/' }),
  put(
    'c/slo?multipart-manifest=put',
    JSON.stringify([{ path: 'c/o' }, { path: 'c/p/a', range: '1-2' }, { path: 'v/o' }]),
  ),
  put('l/link', '', { 'x-symlink-target': 'c/o', 'content-type': 'application/symlink' }),
  put('l/static', '', { 'x-symlink-target': 'c/o', 'x-symlink-target-etag': md5(body) }),
  put('l/toslo', '', { 'x-symlink-target': 'c/slo' }),
  put('l/loop', '', { 'x-symlink-target': 'l/link' }),
  put('l/lost', '', { 'x-symlink-target': 'c/lost' }),
  put('l/o', body),
  put('c/link', '', { 'x-symlink-target': 'l/o' }),
];
