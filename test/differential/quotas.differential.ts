import { differential } from './differential';
import type { Exchange } from './exchange';

/** Swift's totals lag behind (and its caches, too): only what is too large by itself, or surely not, is compared. */
differential('quotas', ({ account, prepare, same }) => {
  const root = `/v1/${account}`;
  const set = (path: string, headers: Record<string, string>, user?: string): Exchange => ({
    method: 'POST',
    path,
    headers,
    user,
  });
  const put = (path: string, bytes: number, headers: Record<string, string> = {}): Exchange => ({
    method: 'PUT',
    path,
    headers,
    body: 'x'.repeat(bytes),
  });
  prepare(() => [
    { method: 'PUT', path: `${root}/c` },
    { method: 'PUT', path: `${root}/d` },
    set(root, { 'x-account-access-control': '{"admin":["test:tester"]}' }),
    put(`${root}/d/large`, 100),
  ]);

  same('an account of so many bytes', [
    set(root, { 'x-account-meta-quota-bytes': '50' }, 'test:tester3'),
    set('/v1/AUTH_test', { 'x-account-meta-quota-bytes': '1000000000' }, 'test:tester'),
    set(root, { 'x-account-meta-quota-bytes': 'many' }),
    set(root, { 'x-account-meta-quota-bytes': '500' }),
    { method: 'HEAD', path: root },
    { ...put(`${root}/c/small`, 10), user: 'test:tester' },
    { ...put(`${root}/c/large`, 1000), user: 'test:tester' },
    { method: 'POST', path: `${root}/d/large`, headers: { 'x-object-meta-a': 'b' } },
    set(root, { 'x-remove-account-meta-quota-bytes': 'x' }),
    put(`${root}/c/large`, 100),
    { method: 'DELETE', path: `${root}/c/large` },
    { method: 'DELETE', path: `${root}/c/small` },
  ]);

  same('a container of so many bytes', [
    set(`${root}/c`, { 'x-container-meta-quota-bytes': 'many' }),
    set(`${root}/c`, { 'x-container-meta-quota-bytes': '-1' }),
    set(`${root}/c`, { 'x-container-meta-quota-bytes': '500' }),
    put(`${root}/c/a`, 30),
    put(`${root}/c/b`, 1000),
    set(`${root}/c`, { 'x-container-meta-quota-bytes': '50' }),
    { method: 'PUT', path: `${root}/c/copy`, headers: { 'x-copy-from': 'd/large' } },
    { method: 'COPY', path: `${root}/d/large`, headers: { destination: 'c/copy' } },
    set(`${root}/c`, { 'x-container-meta-quota-bytes': '' }),
    put(`${root}/c/b`, 1000),
  ]);

  same('a container of so many objects', [
    set(`${root}/d`, { 'x-container-meta-quota-count': 'many' }),
    set(`${root}/d`, { 'x-container-meta-quota-count': '10' }),
    put(`${root}/d/b`, 1),
    set(`${root}/d`, { 'x-container-meta-quota-count': '0' }),
    put(`${root}/d/c`, 1),
    { method: 'COPY', path: `${root}/d/b`, headers: { destination: 'd/e' } },
  ]);
  same('a reseller admin in an account of so many bytes', [
    set(root, { 'x-account-meta-quota-bytes': '500' }),
    put(`${root}/c/huge`, 1000),
    set(root, { 'x-remove-account-meta-quota-bytes': 'x' }),
  ]);
});
