import { rm } from 'node:fs/promises';
import { startServer, type TestServer } from '../support/server';

let server: TestServer;
let nowMs = Date.now();

beforeAll(async () => {
  server = await startServer({ now: () => nowMs, env: { TOKEN_LIFETIME_S: '3600' } });
});
afterAll(() => server.close());

const login = (headers: Record<string, string>, path = '/auth/v1.0') => fetch(server.url + path, { headers });
const tester = { 'x-auth-user': 'test:tester', 'x-auth-key': 'testing' };

test('gives a token and the URL of the account to who knows the key', async () => {
  const answer = await login(tester);
  expect(answer.status).toBe(200);
  const token = answer.headers.get('x-auth-token')!;
  expect(token).toMatch(/^AUTH_tk/);
  expect(answer.headers.get('x-storage-token')).toBe(token);
  expect(Number(answer.headers.get('x-auth-token-expires'))).toBeLessThanOrEqual(3600);
  expect(answer.headers.get('x-storage-url')).toBe(`${server.url}/v1/AUTH_test`);
  expect((await fetch(answer.headers.get('x-storage-url')!, { headers: { 'x-auth-token': token } })).status).toBe(204);
  expect((await fetch(answer.headers.get('x-storage-url')!, { headers: { 'x-storage-token': token } })).status).toBe(
    204,
  );
});

test.each([
  ['/auth/v1.0', { 'x-storage-user': 'test:tester', 'x-storage-pass': 'testing' }],
  ['/auth/v1.0/', tester],
  ['/auth/auth', tester],
  ['/auth/v1/test/auth', { 'x-storage-user': 'tester', 'x-storage-pass': 'testing' }],
  ['/auth/v1/test/auth', tester],
])('understands the spelling %s %p', async (path, headers) => {
  expect((await login(headers, path)).status).toBe(200);
});

test.each([
  ['no key', { 'x-auth-user': 'test:tester' }, 'test'],
  ['a wrong key', { 'x-auth-user': 'test:tester', 'x-auth-key': 'wrong' }, 'unknown'],
  ['an unknown user', { 'x-auth-user': 'test:nobody', 'x-auth-key': 'testing' }, 'test'],
  ['a user without account', { 'x-auth-user': 'tester', 'x-auth-key': 'testing' }, 'unknown'],
  ['nothing', {}, 'unknown'],
])('refuses %s with 401', async (_what, headers, realm) => {
  const answer = await login(headers as Record<string, string>);
  expect(answer.status).toBe(401);
  expect(answer.headers.get('www-authenticate')).toBe(`Swift realm="${realm}"`);
  expect(answer.headers.get('x-auth-token')).toBeNull();
});

test("refuses an account in the path that is not the user's", async () => {
  expect((await login(tester, '/auth/v1/test2/auth')).status).toBe(401);
});

test.each([
  ['GET', '/auth/', 404],
  ['GET', '/auth/v3', 400],
  ['GET', '/auth/v1/test', 400],
  ['POST', '/auth/v1.0', 405],
  ['GET', '/auth', 412],
])('%s %s is %i', async (method, path, status) => {
  expect((await fetch(server.url + path, { method, headers: tester })).status).toBe(status);
});

describe('a token', () => {
  test('that is forged is refused with 401, also where strangers may read', async () => {
    const answer = await fetch(server.storageUrl(), { headers: { 'x-auth-token': 'AUTH_tkforged' } });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Swift realm="AUTH_test"');
  });

  test("of somebody else's making makes nobody an owner", async () => {
    const answer = await fetch(server.storageUrl(), { headers: { 'x-auth-token': 'OTHER_tk' } });
    expect(answer.status).toBe(401);
  });

  test('expires', async () => {
    const token = (await login(tester)).headers.get('x-auth-token')!;
    const use = () => fetch(server.storageUrl(), { headers: { 'x-auth-token': token } });
    expect((await use()).status).toBe(204);
    nowMs += 3601_000;
    expect((await use()).status).toBe(401);
  });
});

test('a token survives a restart of the server, and its key is not reachable over HTTP', async () => {
  const first = await startServer();
  const token = await first.token();
  const dataDir = `${first.dataDir}-kept`;
  const admin = await first.token('admin:admin');
  for (const path of ['.zerocloud', '.zerocloud/secrets', '.zerocloud/secrets/token-key']) {
    expect((await fetch(`${first.url}/v1/${path}`, { headers: { 'x-auth-token': admin } })).status).toBe(403);
  }
  const kept = await startServer({ dataDir: dataDir });
  const keptToken = await kept.token();
  await kept.close();
  const again = await startServer({ dataDir: dataDir });
  try {
    expect((await fetch(again.storageUrl(), { headers: { 'x-auth-token': keptToken } })).status).toBe(204);
    // A token of another installation is worth nothing.
    expect((await fetch(again.storageUrl(), { headers: { 'x-auth-token': token } })).status).toBe(401);
  } finally {
    await again.close();
    await first.close();
    await rm(dataDir, { recursive: true, force: true });
  }
});

describe('who may touch which account', () => {
  test.each([
    ['test:tester', 'AUTH_test', 'GET', 204],
    ['test:tester', 'AUTH_test2', 'GET', 403],
    ['test:tester', 'AUTH_test', 'PUT', 403],
    ['test:tester', 'AUTH_test', 'DELETE', 403],
    ['test:tester3', 'AUTH_test', 'GET', 403],
    ['test:tester3', 'AUTH_test', 'POST', 403],
    ['admin:admin', 'AUTH_test', 'GET', 204],
    ['admin:admin', 'AUTH_test', 'POST', 204],
    ['admin:admin', 'AUTH_', 'GET', 403],
    ['admin:admin', 'AUTH_.hidden', 'GET', 403],
    ['admin:admin', 'other', 'GET', 403],
    ['', 'AUTH_test', 'GET', 401],
    ['', 'other', 'GET', 401],
  ])('%s asks for %s with %s: %i', async (user, account, method, status) => {
    const headers = user ? { 'x-auth-token': await freshToken(user) } : undefined;
    expect((await fetch(`${server.url}/v1/${account}`, { method, headers })).status).toBe(status);
  });
});

/** `server.token` keeps tokens, which this file lets expire. */
async function freshToken(user: string): Promise<string> {
  const keys: Record<string, string> = { 'test:tester': 'testing', 'test:tester3': 'testing3', 'admin:admin': 'admin' };
  return (await login({ 'x-auth-user': user, 'x-auth-key': keys[user]! })).headers.get('x-auth-token')!;
}
