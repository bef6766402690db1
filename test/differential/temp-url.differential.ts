import { createHmac } from 'node:crypto';
import { differential } from './differential';
import type { Exchange } from './exchange';

const key = 'differential key';
const far = '4000000000';

interface Signing {
  method?: string;
  signedMethod?: string;
  at?: string;
  digest?: string;
  form?: 'hex' | 'base64' | 'base64url';
  more?: string;
  headers?: Record<string, string>;
  body?: string;
  signedPath?: string;
  ip?: string;
}

function signed(path: string, signing: Signing = {}): Exchange {
  const { method = 'GET', signedMethod = method, at = far, digest = 'sha256', form = 'hex', more = '', ip } = signing;
  const message = `${ip ? `ip=${ip}\n` : ''}${signedMethod}\n${Number(at) || at}\n${signing.signedPath ?? path}`;
  const value = createHmac(digest, key).update(message).digest(form);
  const signature = encodeURIComponent(form === 'hex' ? value : `${digest}:${value}`);
  return {
    method,
    path: `${encodeURI(path)}?temp_url_sig=${signature}&temp_url_expires=${at}${more}`,
    user: '',
    headers: signing.headers,
    body: signing.body,
  };
}

differential('signed URLs', ({ account, prepare, same }) => {
  const container = `/v1/${account}/signed`;
  const object = `${container}/dir/ö b.txt`;
  prepare(() => [
    { method: 'POST', path: `/v1/${account}`, headers: { 'x-account-meta-temp-url-key': key } },
    { method: 'PUT', path: container },
    {
      method: 'PUT',
      path: encodeURI(object),
      body: 'content',
      headers: { 'content-type': 'text/plain', 'x-object-meta-own': 'o', 'x-object-meta-public-all': 'a' },
    },
  ]);

  same('reading', [
    signed(object),
    signed(object, { method: 'HEAD' }),
    signed(object, { method: 'HEAD', signedMethod: 'PUT' }),
    signed(object, { method: 'HEAD', signedMethod: 'DELETE' }),
    signed(object, { digest: 'sha1' }),
    signed(object, { digest: 'sha512', form: 'base64' }),
    signed(object, { digest: 'sha256', form: 'base64url' }),
    signed(object, { digest: 'md5' }),
    signed(object, { more: '&inline' }),
    signed(object, { more: '&filename=x%20%22y.txt' }),
    signed(object, { more: '&inline=&filename=%C3%B6' }),
    signed(object, { more: '&multipart-manifest=get&format=json' }),
    signed(object, { headers: { range: 'bytes=1-3' } }),
    signed(object, { headers: { range: 'bytes=100-' } }),
    signed(object, { headers: { 'if-none-match': '*' } }),
    signed(`${container}/nothing`),
    signed(`/v1/${account}/nowhere/o`),
    signed(object, { at: '4e9' }),
    signed(object, { at: '1' }),
    signed(object, { at: '' }),
    signed(object, { headers: { 'x-auth-token': 'AUTH_tkwrong' } }),
  ]);

  same('prefixes', [
    signed(object, { signedPath: `prefix:${container}/dir/`, more: '&temp_url_prefix=dir/' }),
    signed(object, { signedPath: `prefix:${container}/`, more: '&temp_url_prefix=' }),
    signed(object, { signedPath: `prefix:${container}/x`, more: '&temp_url_prefix=x' }),
  ]);

  same('addresses', [
    signed(object, { ip: '127.0.0.1', more: '&temp_url_ip_range=127.0.0.1' }),
    signed(object, { ip: '127.0.0.0/8', more: '&temp_url_ip_range=127.0.0.0/8' }),
    signed(object, { ip: '127.0.0.1/8', more: '&temp_url_ip_range=127.0.0.1/8' }),
    signed(object, { ip: '10.0.0.0/8', more: '&temp_url_ip_range=10.0.0.0/8' }),
    signed(object, { ip: '::1', more: '&temp_url_ip_range=::1' }),
    signed(object, { ip: 'x', more: '&temp_url_ip_range=x' }),
  ]);

  const fresh = `${container}/new`;
  same('writing', [
    signed(fresh, { method: 'PUT', body: 'x' }),
    signed(fresh, { method: 'POST', headers: { 'x-object-meta-a': 'b' } }),
    signed(fresh, { method: 'DELETE' }),
    signed(fresh, { method: 'PUT', signedMethod: 'GET', body: 'x' }),
    signed(fresh, { method: 'COPY', headers: { destination: 'signed/x' } }),
    ...['x-object-manifest', 'x-copy-from', 'x-symlink-target'].map((name) =>
      signed(fresh, { method: 'PUT', headers: { [name]: 'signed/x' } }),
    ),
    signed(container, { method: 'PUT' }),
    signed(`/v1/${account}`, { method: 'GET' }),
    signed(object, { method: 'OPTIONS' }),
  ]);
});
