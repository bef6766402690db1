import { startServer, type TestServer } from '../support/server';

const users =
  'test:tester=testing .admin;test5:tester5=testing5 service;test:tester3=testing3;admin:admin=admin .admin .reseller_admin';
let server: TestServer;
beforeAll(async () => {
  server = await startServer({ users });
});
afterAll(() => server.close());

const account = '/v1/SERVICE_test';

async function statusWith(method: string, path: string, user?: string, service?: string): Promise<number> {
  const headers: Record<string, string> = { 'x-auth-token': user ? await server.token(user) : '' };
  if (service) headers['x-service-token'] = await server.token(service);
  return (await server.request(path, { method, headers })).status;
}

test("a service works in a user's account of its kind when both tokens are there", async () => {
  const both = ['test:tester', 'test5:tester5'] as const;
  expect(await statusWith('PUT', `${account}/c`, ...both)).toBe(201);
  expect(await statusWith('PUT', `${account}/c/o`, ...both)).toBe(201);
  expect(await statusWith('GET', account, ...both)).toBe(200);
  expect(await statusWith('POST', account, ...both)).toBe(204);
});

test.each([
  ['the user alone', 'test:tester', undefined, 403],
  ['the service alone', 'test5:tester5', undefined, 403],
  ['the service as user and service', 'test5:tester5', 'test5:tester5', 403],
  ["the user's token as both", 'test:tester', 'test:tester', 403],
  ['another user of the account with the service', 'test:tester3', 'test5:tester5', 403],
  ['the service without a user', undefined, 'test5:tester5', 401],
])('%s cannot', async (_who, user, service, status) => {
  for (const method of ['GET', 'PUT', 'DELETE']) {
    expect(await statusWith(method, `${account}/c/o`, user, service)).toBe(status);
  }
});

test("the service's token opens nothing else of the user", async () => {
  expect(await statusWith('GET', '/v1/AUTH_test', 'test5:tester5')).toBe(403);
  expect(await statusWith('GET', '/v1/AUTH_test', 'test:tester', 'test5:tester5')).toBe(204);
});

test('reseller admins rule over the accounts of services, but for dot-accounts', async () => {
  expect(await statusWith('PUT', '/v1/SERVICE_new', 'admin:admin')).toBe(201);
  expect(await statusWith('PUT', '/v1/SERVICE_.system', 'admin:admin')).toBe(403);
  expect(await statusWith('PUT', '/v1/OTHER_new', 'admin:admin')).toBe(403);
});

test("a container's ACL opens it to users without the service", async () => {
  const headers = {
    'x-auth-token': await server.token('admin:admin'),
    'x-container-read': 'test:tester3',
  };
  await server.request(`${account}/c`, { method: 'POST', headers });
  expect(await statusWith('GET', `${account}/c`, 'test:tester3')).toBe(200);
});

test('which prefixes there are is a setting', async () => {
  const own = await startServer({ users, env: { RESELLER_PREFIXES: 'PLAIN' } });
  try {
    const headers = { 'x-auth-token': await own.token('test:tester') };
    expect((await own.request('/v1/PLAIN_test/c', { method: 'PUT', headers })).status).toBe(201);
    expect((await own.request('/v1/SERVICE_test/c', { method: 'PUT', headers })).status).toBe(403);
  } finally {
    await own.close();
  }
});
