import { startServer, type TestServer } from '../support/server';

let server: TestServer;
let nowMs = Date.now();
const account = '/v1/AUTH_test';
const object = `${account}/quoted/o`;
const md5 = '9a0364b9e99bb480dd25e1f0284c8555';

beforeEach(async () => {
  server = await startServer({ now: () => nowMs });
  await server.request(`${account}/quoted`, { method: 'PUT' });
  await server.request(object, { method: 'PUT', body: 'content' });
});
afterEach(() => server.close());

const etag = async (init: RequestInit = {}) => (await server.request(object, init)).headers.get('etag');
const change = (path: string, headers: Record<string, string>) => server.request(path, { method: 'POST', headers });

test('ETags have no quotes unless somebody wants them', async () => {
  expect(await etag()).toBe(md5);
});

test("a container's switch quotes the ETags of all answers about its objects", async () => {
  await change(`${account}/quoted`, { 'x-container-rfc-compliant-etags': 'true' });
  for (const init of [
    {},
    { method: 'HEAD' },
    { method: 'PUT', body: 'content' },
    { headers: { range: 'bytes=0-1' } },
  ]) {
    expect(await etag(init)).toBe(`"${md5}"`);
  }
  const unchanged = await server.request(object, { headers: { 'if-none-match': `"${md5}"` } });
  expect([unchanged.status, unchanged.headers.get('etag')]).toEqual([304, `"${md5}"`]);
});

test("a container's switch wins over that of the account", async () => {
  await change(account, { 'x-account-rfc-compliant-etags': 'yes' });
  expect(await etag()).toBe(`"${md5}"`);
  await change(`${account}/quoted`, { 'x-container-rfc-compliant-etags': 'no' });
  expect(await etag()).toBe(md5);
});

test('switches are shown, and removed by an empty value or by name', async () => {
  const shown = async (path: string, name: string) => (await server.request(path)).headers.get(name);
  await change(account, { 'x-account-rfc-compliant-etags': '1' });
  await change(`${account}/quoted`, { 'x-container-rfc-compliant-etags': 'off' });
  expect(await shown(account, 'x-account-rfc-compliant-etags')).toBe('True');
  expect(await shown(`${account}/quoted`, 'x-container-rfc-compliant-etags')).toBe('False');
  await change(account, { 'x-remove-account-rfc-compliant-etags': 'x' });
  await change(`${account}/quoted`, { 'x-container-rfc-compliant-etags': '' });
  expect(await shown(account, 'x-account-rfc-compliant-etags')).toBeNull();
  expect(await shown(`${account}/quoted`, 'x-container-rfc-compliant-etags')).toBeNull();
  expect(await etag()).toBe(md5);
});

test('a switch that another proxy changed counts after some seconds', async () => {
  expect(await etag()).toBe(md5);
  const metadata = { 'x-container-sysmeta-rfc-compliant-etags': 'True' };
  const timestamp = `${Math.ceil(nowMs / 1000) + 1}.00000`;
  await server.node.updateContainer({ account: 'AUTH_test', container: 'quoted' }, { timestamp, metadata });
  nowMs += 10_001;
  expect(await etag()).toBe(`"${md5}"`);
});

test('all ETags can be quoted by a setting', async () => {
  const own = await startServer({ env: { QUOTE_ETAGS: 'yes' } });
  try {
    await own.request(`${account}/c`, { method: 'PUT' });
    const put = await own.request(`${account}/c/o`, { method: 'PUT', body: 'content' });
    expect(put.headers.get('etag')).toBe(`"${md5}"`);
    const info = (await (await own.request('/info')).json()) as { etag_quoter: unknown };
    expect(info.etag_quoter).toEqual({ enable_by_default: true });
  } finally {
    await own.close();
  }
});
