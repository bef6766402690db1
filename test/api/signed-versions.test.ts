import { createHmac } from 'node:crypto';
import { startServer, type TestServer } from '../support/server';

const account = '/v1/AUTH_test';
const expires = String(Math.floor(Date.now() / 1000) + 100);
const sign = (lines: string[]) => createHmac('sha256', 'key').update(lines.join('\n')).digest('hex');

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
  await server.request(account, { method: 'POST', headers: { 'x-account-meta-temp-url-key': 'key' } });
});
afterAll(() => server.close());

async function post(container: string, content: string): Promise<number> {
  const form = new FormData();
  const fields = { max_file_size: '100', max_file_count: '1', expires };
  const signature = sign([container, '', fields.max_file_size, fields.max_file_count, expires]);
  for (const [name, value] of Object.entries({ ...fields, signature })) form.set(name, value);
  form.set('file', new Blob([content]), 'o');
  return (await server.request(container, { method: 'POST', headers: { 'x-auth-token': '' }, body: form })).status;
}

async function put(container: string, body: string): Promise<number> {
  const signature = sign(['PUT', expires, `${container}/o`]);
  const url = `${container}/o?temp_url_sig=${signature}&temp_url_expires=${expires}`;
  return (await server.request(url, { method: 'PUT', headers: { 'x-auth-token': '' }, body })).status;
}

test('uploads by signed URLs and forms keep the versions that they replace', async () => {
  await server.request(`${account}/archive`, { method: 'PUT' });
  const kinds: Record<string, string>[] = [{ 'x-versions-location': 'archive' }, { 'x-versions-enabled': 'true' }];
  for (const [index, headers] of kinds.entries()) {
    const container = `${account}/kind-${index}`;
    await server.request(container, { method: 'PUT', headers });
    for (const upload of [post, put, post]) expect(await upload(container, upload.name)).toBe(201);
  }
  expect((await (await server.request(`${account}/archive`)).text()).trim().split('\n')).toHaveLength(2);
  expect(await (await server.request(`${account}/kind-1?versions&format=json`)).json()).toHaveLength(3);
});
