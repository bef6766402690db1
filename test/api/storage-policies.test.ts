import { startServer, type TestServer } from '../support/server';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

async function send(method: string, path: string, headers: Record<string, string> = {}, body?: string) {
  const response = await server.request(`${server.storageUrl()}/${path}`, { method, headers, body });
  return { status: response.status, headers: response.headers, text: await response.text() };
}
const policyOf = async (container: string) => (await send('HEAD', container)).headers.get('x-storage-policy');

test('two policies are listed, and containers have one of them', async () => {
  const info = (await (await server.request('/info')).json()) as { swift: { policies: object[] } };
  expect(info.swift.policies).toEqual([
    { name: 'Policy-0', aliases: 'Policy-0', default: true },
    { name: 'relaxed', aliases: 'relaxed' },
  ]);
  expect((await send('PUT', 'plain')).status).toBe(201);
  expect((await send('PUT', 'named', { 'x-storage-policy': 'policy-0' })).status).toBe(201);
  expect((await send('PUT', 'fast', { 'x-storage-policy': 'Relaxed' })).status).toBe(201);
  expect([await policyOf('plain'), await policyOf('named'), await policyOf('fast')]).toEqual([
    'Policy-0',
    'Policy-0',
    'relaxed',
  ]);
  expect((await send('PUT', 'other', { 'x-storage-policy': 'gold' })).status).toBe(400);
});

test('a container keeps its policy', async () => {
  await send('PUT', 'kept', { 'x-storage-policy': 'relaxed' });
  expect((await send('PUT', 'kept', { 'x-storage-policy': 'Policy-0' })).status).toBe(409);
  expect((await send('PUT', 'kept', { 'x-storage-policy': 'relaxed' })).status).toBe(202);
  expect((await send('PUT', 'kept')).status).toBe(202);
  expect((await send('POST', 'kept', { 'x-storage-policy': 'Policy-0' })).status).toBe(204);
  expect(await policyOf('kept')).toBe('relaxed');
});

test('the account is counted by policy, and copies pass from one to the other', async () => {
  const other = await startServer();
  const request = async (method: string, path: string, headers: Record<string, string> = {}, body?: string) => {
    const response = await other.request(`${other.storageUrl()}/${path}`, { method, headers, body });
    await response.arrayBuffer();
    return response;
  };
  const counters = async () =>
    Object.fromEntries(
      [...(await request('HEAD', '')).headers].filter(([name]) => name.startsWith('x-account-storage-policy')),
    );
  try {
    await request('PUT', 'plain');
    expect(await counters()).toEqual({
      'x-account-storage-policy-policy-0-container-count': '1',
      'x-account-storage-policy-policy-0-object-count': '0',
      'x-account-storage-policy-policy-0-bytes-used': '0',
    });
    await request('PUT', 'fast', { 'x-storage-policy': 'relaxed' });
    await request('PUT', 'fast/o', {}, 'x'.repeat(100_000));
    await request('PUT', 'fast/p', {}, 'text');
    expect((await request('COPY', 'fast/o', { destination: 'plain/o' })).status).toBe(201);
    expect((await request('GET', 'plain/o')).headers.get('content-length')).toBe('100000');
    expect(await counters()).toEqual({
      'x-account-storage-policy-policy-0-container-count': '1',
      'x-account-storage-policy-policy-0-object-count': '1',
      'x-account-storage-policy-policy-0-bytes-used': '100000',
      'x-account-storage-policy-relaxed-container-count': '1',
      'x-account-storage-policy-relaxed-object-count': '2',
      'x-account-storage-policy-relaxed-bytes-used': '100004',
    });
  } finally {
    await other.close();
  }
});
