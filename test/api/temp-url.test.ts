import { createHmac } from 'node:crypto';
import { startServer, type TestServer } from '../support/server';

const now = 1_800_000_000_000;
const expires = now / 1000 + 600;
const object = '/v1/AUTH_test/signed/dir/report.txt';
const keys = { account: 'account key', account2: 'schlüssel', container: 'container key', container2: 'fourth' };

let server: TestServer;
const anonymous = (target: string, init: RequestInit = {}) =>
  server.request(target, { ...init, headers: { 'x-auth-token': '', ...init.headers } });

interface Signing {
  method?: string;
  path?: string;
  key?: string;
  digest?: string;
  at?: number | string;
  ip?: string;
}

function sign({
  method = 'GET',
  path = object,
  key = keys.account,
  digest = 'sha256',
  at = expires,
  ip,
}: Signing = {}) {
  const message = `${ip ? `ip=${ip}\n` : ''}${method}\n${at}\n${path}`;
  return createHmac(digest, key).update(message);
}

function url(signing: Signing = {}, more = ''): string {
  const at = signing.at ?? expires;
  return `${signing.path ?? object}?temp_url_sig=${sign(signing).digest('hex')}&temp_url_expires=${at}${more}`;
}

beforeAll(async () => {
  server = await startServer({ now: () => now });
  const utf8 = Buffer.from(keys.account2).toString('latin1');
  await server.request('/v1/AUTH_test', {
    method: 'POST',
    headers: { 'x-account-meta-temp-url-key': keys.account, 'x-account-meta-temp-url-key-2': utf8 },
  });
  for (const container of ['signed', 'other']) await server.request(`/v1/AUTH_test/${container}`, { method: 'PUT' });
  await server.request('/v1/AUTH_test/signed', {
    method: 'POST',
    headers: {
      'x-container-meta-temp-url-key': keys.container,
      'x-container-meta-temp-url-key-2': keys.container2,
    },
  });
  const headers = { 'x-object-meta-private': 'p', 'x-object-meta-public-note': 'n', 'content-type': 'text/plain' };
  await server.request(object, { method: 'PUT', body: 'content', headers });
});
afterAll(() => server.close());

describe('signatures', () => {
  test.each(Object.entries(keys))('the %s key signs', async (_name, key) => {
    const answer = await anonymous(url({ key }));
    expect([answer.status, await answer.text()]).toEqual([200, 'content']);
  });

  test.each(['sha1', 'sha256', 'sha512'])('%s signs in hex, base64 and base64url', async (digest) => {
    const base64 = sign({ digest }).digest('base64');
    const forms = [
      sign({ digest }).digest('hex'),
      `${digest}:${base64}`,
      `${digest}:${base64.replace(/=+$/, '')}`,
      `${digest}:${sign({ digest }).digest('base64url')}`,
    ];
    for (const form of forms) {
      const query = `temp_url_sig=${encodeURIComponent(form)}&temp_url_expires=${expires}`;
      expect((await anonymous(`${object}?${query}`)).status).toBe(200);
    }
  });

  test('a digest that is not allowed signs nothing', async () => {
    const strict = await startServer({ now: () => now, env: { TEMP_URL_DIGESTS: 'sha512' } });
    try {
      const method = 'POST';
      await strict.request('/v1/AUTH_test', { method, headers: { 'x-account-meta-temp-url-key': keys.account } });
      await strict.request('/v1/AUTH_test/signed', { method: 'PUT' });
      await strict.request(object, { method: 'PUT', body: 'x' });
      const statuses = ['sha256', 'sha512'].map(async (digest) => {
        return (await strict.request(url({ digest }), { headers: { 'x-auth-token': '' } })).status;
      });
      expect(await Promise.all(statuses)).toEqual([401, 200]);
    } finally {
      await strict.close();
    }
  });

  test('takes the place of a token, even of a wrong one', async () => {
    const answer = await anonymous(url(), { headers: { 'x-auth-token': 'AUTH_tkwrong' } });
    expect(answer.status).toBe(200);
  });

  test.each([
    ['another method', () => url({ method: 'PUT' })],
    ['another object', () => url().replace('report', 'repart')],
    ['a wrong key', () => url({ key: 'wrong' })],
    ['no signature', () => `${object}?temp_url_expires=${expires}`],
    ['no time', () => `${object}?temp_url_sig=${sign().digest('hex')}`],
    ['a time that is over', () => url({ at: now / 1000 - 1 })],
    ['a time that is none', () => url({ at: 'tomorrow' })],
    ['something that is no signature', () => `${object}?temp_url_sig=xyz&temp_url_expires=${expires}`],
    ['the key of another container', () => url({ path: '/v1/AUTH_test/other/o', key: keys.container })],
    ['a container instead of an object', () => url({ path: '/v1/AUTH_test/signed' })],
    ['another version of the API', () => url({ path: object.replace('v1', 'v1.0') })],
    ['a second signature behind a wrong one', () => url({ key: 'wrong' }, `&temp_url_sig=${sign().digest('hex')}`)],
  ])('%s is refused with 401', async (_what, target) => {
    const answer = await anonymous(target());
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Swift realm="unknown"');
    expect(await answer.text()).toBe('401 Unauthorized: Temp URL invalid\n');
  });

  test('the time may be written as a date, and is signed as seconds', async () => {
    const date = new Date(expires * 1000).toISOString().replace('.000', '');
    const target = url().replace(/expires=\d+/, `expires=${date}`);
    expect((await anonymous(target)).status).toBe(200);
    expect((await anonymous(target.replace(date, '2027-02-30T00:00:00Z'))).status).toBe(401);
  });

  test('HEAD is allowed by what was signed for GET, PUT or POST, not by DELETE', async () => {
    const statuses: number[] = [];
    for (const method of ['HEAD', 'GET', 'PUT', 'POST', 'DELETE']) {
      statuses.push((await anonymous(url({ method }), { method: 'HEAD' })).status);
    }
    expect(statuses).toEqual([200, 200, 200, 200, 401]);
  });

  test('parameters may be percent-encoded', async () => {
    expect((await anonymous(url().replaceAll('temp_url', 'temp%5Furl'))).status).toBe(200);
  });
});

describe('prefixes', () => {
  const prefixed = (prefix: string, target: string) => {
    const hmac = createHmac('sha256', keys.account).update(`GET\n${expires}\nprefix:/v1/AUTH_test/signed/${prefix}`);
    return `${target}?temp_url_sig=${hmac.digest('hex')}&temp_url_expires=${expires}&temp_url_prefix=${prefix}`;
  };

  test('one URL opens all below its prefix, and nothing else', async () => {
    expect((await anonymous(prefixed('dir/', object))).status).toBe(200);
    expect((await anonymous(prefixed('', object))).status).toBe(200);
    expect((await anonymous(prefixed('other/', object))).status).toBe(401);
  });
});

describe('addresses', () => {
  test.each([
    ['127.0.0.1', 200],
    ['127.0.0.0/8', 200],
    ['127.0.0.0/255.0.0.0', 200],
    ['0.0.0.0/0', 200],
    ['10.0.0.0/8', 401],
    ['127.0.0.1/8', 401],
    ['::1', 401],
    ['nonsense', 401],
  ])('a URL for %s answers 127.0.0.1 with %i', async (ip, status) => {
    expect((await anonymous(url({ ip }, `&temp_url_ip_range=${encodeURIComponent(ip)}`))).status).toBe(status);
  });

  test('a range that was not signed is refused, and so is one left out', async () => {
    expect((await anonymous(url({}, '&temp_url_ip_range=127.0.0.1'))).status).toBe(401);
    expect((await anonymous(url({ ip: '127.0.0.1' }))).status).toBe(401);
  });
});

describe('answers', () => {
  test.each([
    ['', `attachment; filename="report.txt"; filename*=UTF-8''report.txt`],
    ['&inline', 'inline'],
    [
      '&filename=a%20%22b%22%C3%A4.txt',
      `attachment; filename="a %22b%22%C3%A4.txt"; filename*=UTF-8''a%20%22b%22%C3%A4.txt`,
    ],
    ['&inline&filename=x.txt', `inline; filename="x.txt"; filename*=UTF-8''x.txt`],
  ])('with %p Content-Disposition is %p', async (more, disposition) => {
    const answer = await anonymous(url({}, more));
    expect(answer.headers.get('content-disposition')).toBe(disposition);
    expect(answer.headers.get('expires')).toBe(new Date(expires * 1000).toUTCString());
  });

  test("the object's own disposition stays, unless the URL names another", async () => {
    const path = '/v1/AUTH_test/signed/own';
    await server.request(path, {
      method: 'PUT',
      body: 'x',
      headers: { 'content-disposition': 'attachment; filename=a' },
    });
    expect((await anonymous(url({ path }))).headers.get('content-disposition')).toBe('attachment; filename=a');
    expect((await anonymous(url({ path }, '&inline'))).headers.get('content-disposition')).toBe('inline');
  });

  test('metadata stay inside but for public ones', async () => {
    const { headers } = await anonymous(url());
    expect(headers.get('x-object-meta-private')).toBeNull();
    expect(headers.get('x-object-meta-public-note')).toBe('n');
  });

  test('which headers go in and out is a setting', async () => {
    const own = await startServer({
      now: () => now,
      env: { TEMP_URL_INCOMING_REMOVE_HEADERS: 'x-object-meta-*', TEMP_URL_OUTGOING_REMOVE_HEADERS: 'x-timestamp' },
    });
    try {
      const post = { method: 'POST', headers: { 'x-account-meta-temp-url-key': keys.account } };
      await own.request('/v1/AUTH_test', post);
      await own.request('/v1/AUTH_test/signed', { method: 'PUT' });
      const headers = { 'x-auth-token': '', 'x-object-meta-private': 'p', 'x-delete-after': '100' };
      await own.request(url({ method: 'PUT' }), { method: 'PUT', body: 'x', headers });
      const answer = await own.request(url(), { headers: { 'x-auth-token': '' } });
      expect(answer.headers.get('x-object-meta-private')).toBeNull();
      expect(answer.headers.get('x-timestamp')).toBeNull();
      expect(answer.headers.get('x-delete-at')).toBe(String(now / 1000 + 100));
    } finally {
      await own.close();
    }
  });

  test('an object that is not there is 404', async () => {
    expect((await anonymous(url({ path: `${object}2` }))).status).toBe(404);
  });

  test('ranges and conditions hold', async () => {
    const part = await anonymous(url(), { headers: { range: 'bytes=0-3' } });
    expect([part.status, await part.text()]).toEqual([206, 'cont']);
    const etag = part.headers.get('etag')!;
    expect((await anonymous(url(), { headers: { 'if-none-match': etag } })).status).toBe(304);
  });
});

describe('changes', () => {
  test('uploads, changes and deletes what it was signed for', async () => {
    const path = '/v1/AUTH_test/signed/new';
    for (const [method, status] of [
      ['PUT', 201],
      ['POST', 202],
      ['DELETE', 204],
    ] as const) {
      expect((await anonymous(url({ method, path }), { method })).status).toBe(status);
    }
    expect((await server.request(path)).status).toBe(404);
  });

  test.each(['X-Object-Manifest', 'X-Symlink-Target', 'X-Copy-From'])('%s is refused with 400', async (header) => {
    const path = '/v1/AUTH_test/signed/pointer';
    const headers = { [header]: 'other/secret' };
    const answer = await anonymous(url({ method: 'PUT', path }), { method: 'PUT', headers });
    expect([answer.status, await answer.text()]).toEqual([
      400,
      `The header '${header}' is not allowed in this tempurl`,
    ]);
  });

  test('no program runs by a signed URL', async () => {
    for (const method of ['GET', 'POST']) {
      const headers = { 'x-zerovm-execute': '1.0' };
      expect((await anonymous(url({ method }), { method, headers })).status).toBe(400);
    }
  });

  test('what was not signed cannot be added to the query', async () => {
    const answer = await anonymous(url({}, '&multipart-manifest=get&format=json'));
    expect([answer.status, await answer.text()]).toEqual([200, 'content']);
  });

  test('COPY is no method of a signed URL', async () => {
    const headers = { destination: 'signed/copy' };
    expect((await anonymous(url({ method: 'COPY' }), { method: 'COPY', headers })).status).toBe(401);
  });
});

test('keys are shown to owners only', async () => {
  await server.request('/v1/AUTH_test/signed', {
    method: 'POST',
    headers: { 'x-container-read': 'test:tester3,.r:*' },
  });
  const token = await server.token('test:tester3');
  const seen = await server.request('/v1/AUTH_test/signed', { headers: { 'x-auth-token': token } });
  expect(seen.status).toBe(200);
  expect(seen.headers.get('x-container-meta-temp-url-key')).toBeNull();
  const owner = await server.request('/v1/AUTH_test/signed');
  expect(owner.headers.get('x-container-meta-temp-url-key')).toBe(keys.container);
});

test('/info tells of it', async () => {
  const { tempurl } = (await (await server.request('/info')).json()) as { tempurl: unknown };
  expect(tempurl).toEqual({
    methods: ['GET', 'HEAD', 'PUT', 'POST', 'DELETE'],
    incoming_remove_headers: ['x-timestamp'],
    incoming_allow_headers: [],
    outgoing_remove_headers: ['x-object-meta-*'],
    outgoing_allow_headers: ['x-object-meta-public-*'],
    allowed_digests: ['sha1', 'sha256', 'sha512'],
    deprecated_digests: ['sha1'],
  });
});
