import { createHmac } from 'node:crypto';
import { startServer, type TestServer } from '../support/server';

let server: TestServer;
const site = '/v1/AUTH_test/site';

async function container(name: string, metadata: Record<string, string>, read = '.r:*,.rlistings'): Promise<void> {
  const headers = Object.entries(metadata).map(([key, value]) => [`x-container-meta-web-${key}`, value]);
  await server.request(`/v1/AUTH_test/${name}`, {
    method: 'PUT',
    headers: { 'x-container-read': read, ...Object.fromEntries(headers) },
  });
}

const put = (path: string, body: string, headers: Record<string, string> = {}) =>
  server.request(path, { method: 'PUT', body, headers });

const visit = (path: string, init: RequestInit = {}) =>
  server.request(path, { redirect: 'manual', ...init, headers: { 'x-auth-token': '', ...init.headers } });

const answer = async (path: string, init?: RequestInit) => {
  const response = await visit(path, init);
  return [response.status, await response.text()];
};

beforeAll(async () => {
  server = await startServer();
  await container('site', { index: 'index.html', error: 'error.html', listings: 'true' });
  await put(`${site}/index.html`, 'home', { 'content-type': 'text/html' });
  await put(`${site}/sub/index.html`, 'sub home');
  await put(`${site}/bare/a%20%22b%22%3C.txt`, 'a'.repeat(1536));
  await put(`${site}/bare/deep/x`, 'x');
  await put(`${site}/marker`, '', { 'content-type': 'application/directory' });
  await put(`${site}/marker/index.html`, 'marked');
  await put(`${site}/404error.html`, 'nothing here');
  await put(`${site}/401error.html`, 'log in');
});
afterAll(() => server.close());

test('the index stands for the container and for its directories', async () => {
  expect(await answer(`${site}/`)).toEqual([200, 'home']);
  expect(await answer(`${site}/sub/`)).toEqual([200, 'sub home']);
  expect((await visit(`${site}/`)).headers.get('content-type')).toBe('text/html');
});

test('ranges and conditions of the visitor hold for the index', async () => {
  expect(await answer(`${site}/`, { headers: { range: 'bytes=1-2' } })).toEqual([206, 'om']);
  const etag = (await visit(`${site}/`)).headers.get('etag')!;
  expect((await visit(`${site}/`, { headers: { 'if-none-match': etag } })).status).toBe(304);
});

test.each(['', '/sub', '/bare', '/marker'])('a directory without its slash, %p, is a redirect', async (path) => {
  const response = await visit(site + path);
  expect(response.status).toBe(301);
  expect(response.headers.get('location')).toBe(`${server.url}${site}${path}/`);
});

test('an object that marks a directory gives way to the index', async () => {
  expect(await answer(`${site}/marker/`)).toEqual([200, 'marked']);
});

test('a listing names what is below, escaped', async () => {
  const response = await visit(`${site}/bare/`);
  expect(response.headers.get('content-type')).toBe('text/html; charset=UTF-8');
  const page = await response.text();
  expect(page).toContain('<title>Listing of /v1/AUTH_test/site/bare/</title>');
  expect(page).toContain('<a href="a%20%22b%22%3C.txt">a &quot;b&quot;&lt;.txt</a>');
  expect(page).toContain('<td class="colsize">2Ki</td>');
  expect(page).toContain('<a href="deep/">deep/</a>');
  expect(page).toContain('<a href="../">../</a>');
});

test('a listing has a label and a style sheet of its own', async () => {
  await container('styled', { listings: 'true', 'listings-css': 'my style.css', 'listings-label': 'Files & more' });
  await put('/v1/AUTH_test/styled/a/b', 'x');
  const page = await (await visit('/v1/AUTH_test/styled/a/')).text();
  expect(page).toContain('<title>Listing of Files &amp; more/a/</title>');
  expect(page).toContain('href="../my%20style.css"');
});

test('what is not there gets the page of the site, with the status', async () => {
  expect(await answer(`${site}/nothing`)).toEqual([404, 'nothing here']);
  expect(await answer(`${site}/nothing/`)).toEqual([404, 'nothing here']);
});

test('who may not look gets the page of the site', async () => {
  await container('closed', { index: 'index.html', error: 'error.html' }, '');
  await put('/v1/AUTH_test/closed/401error.html', 'log in');
  // The page itself is not public either.
  expect((await visit('/v1/AUTH_test/closed/')).status).toBe(401);
  await container('half', { index: 'index.html', error: 'error.html' }, '.r:*');
  await put('/v1/AUTH_test/half/401error.html', 'log in');
  expect(await answer('/v1/AUTH_test/half/')).toEqual([401, 'log in']);
});

test('a site without listings says so', async () => {
  await container('unlisted', { index: 'index.html' });
  const response = await visit('/v1/AUTH_test/unlisted/');
  expect(response.status).toBe(404);
  const page = await response.text();
  expect(page).toContain('Web Listing Disabled');
  expect(page).toContain('<b>X-Container-Meta-Web-Index: index.html</b>');
});

test('HEAD answers as GET without a body', async () => {
  for (const path of ['/', '/bare/', '/sub', '/nothing']) {
    const [get, head] = [await visit(site + path), await visit(site + path, { method: 'HEAD' })];
    expect([path, head.status, head.headers.get('content-length')]).toEqual([
      path,
      get.status,
      String((await get.arrayBuffer()).byteLength),
    ]);
  }
});

test('a token asks for the API, unless X-Web-Mode asks for the site', async () => {
  const api = await server.request(`${site}/?limit=1`);
  expect(await api.text()).toBe('401error.html\n');
  const web = await server.request(`${site}/`, { headers: { 'x-web-mode': 'true' } });
  expect(await web.text()).toBe('home');
  await container('plain', {});
  expect((await server.request('/v1/AUTH_test/plain', { headers: { 'x-web-mode': 'true' } })).status).toBe(404);
});

test('a signed URL is no visit of the site', async () => {
  const method = 'POST';
  await server.request('/v1/AUTH_test', { method, headers: { 'x-account-meta-temp-url-key': 'key' } });
  const expires = Math.floor(Date.now() / 1000) + 100;
  const signature = createHmac('sha256', 'key').update(`GET\n${expires}\n${site}/sub`).digest('hex');
  expect((await visit(`${site}/sub?temp_url_sig=${signature}&temp_url_expires=${expires}`)).status).toBe(404);
});

test('a container that is no site is none', async () => {
  await container('public', {});
  expect((await visit('/v1/AUTH_test/public/')).status).toBe(204);
  expect((await visit('/v1/AUTH_test/public/nothing')).status).toBe(404);
  expect((await visit('/v1/AUTH_test/nowhere/')).status).toBe(401);
});

test('redirects begin as the setting says', async () => {
  const own = await startServer({ env: { STATIC_WEB_URL_BASE: 'https://www.example.org' } });
  try {
    const headers = { 'x-container-read': '.r:*,.rlistings', 'x-container-meta-web-index': 'i' };
    await own.request('/v1/AUTH_test/c', { method: 'PUT', headers });
    const response = await own.request('/v1/AUTH_test/c', { redirect: 'manual', headers: { 'x-auth-token': '' } });
    expect(response.headers.get('location')).toBe('https://www.example.org/v1/AUTH_test/c/');
  } finally {
    await own.close();
  }
});
