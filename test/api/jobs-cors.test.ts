import { useJobs } from './jobs-support';

/** Scripts of other origins may see the answers of jobs where a container, or the operator, says so. */
const trusted = 'https://console.example';
const named = 'https://named.example';
const stranger = 'https://stranger.example';

const client = useJobs({ env: { CORS_ALLOW_ORIGINS: `${trusted}; http://localhost:3000` } });

beforeAll(async () => {
  const cat = await client.guest('cat');
  const map = JSON.stringify([{ name: 'n', exec: { path: cat }, devices: [{ name: 'stdin' }, { name: 'stdout' }] }]);
  await client.put('app', '', {
    'x-container-meta-access-control-allow-origin': named,
    'x-container-meta-access-control-expose-headers': 'X-Of-Mine',
    'x-container-meta-rest-endpoint': 'swift://AUTH_test/app/map',
  });
  await client.put('app/map', map, { 'content-type': 'application/json' });
});

const description = [{ name: 'n', exec: { path: 'swift://~/bin/cat' } }];

test('jobs posted to an account can be seen from the origins of the setting, with all their headers', async () => {
  const answer = await client.job(description, { origin: trusted });
  expect([answer.status, answer.headers['access-control-allow-origin'], answer.headers.vary]).toEqual([
    200,
    trusted,
    'Origin',
  ]);
  const exposed = answer.headers['access-control-expose-headers']?.split(', ');
  expect(exposed).toEqual(expect.arrayContaining(['x-nexe-status', 'x-nexe-retcode', 'x-chain-total-time', 'etag']));
  const refused = await client.job([{}], { origin: trusted });
  expect([refused.status, refused.headers['access-control-allow-origin']]).toEqual([400, trusted]);
});

test('and from no other', async () => {
  for (const origin of [named, stranger, 'null']) {
    expect((await client.job(description, { origin })).headers['access-control-allow-origin']).toBeUndefined();
  }
});

test.each([
  [trusted, true],
  [named, true],
  [stranger, false],
])('an api endpoint answers %s as its container says: %s', async (origin, allowed) => {
  const answer = await client.send('POST', '/api/AUTH_test/app/x', { origin }, 'body');
  expect([answer.status, answer.body]).toEqual([200, 'body']);
  expect(answer.headers['access-control-allow-origin']).toBe(allowed ? origin : undefined);
  const exposed = answer.headers['access-control-expose-headers'] ?? '';
  expect([exposed.includes('x-nexe-status'), exposed.includes('x-of-mine')]).toEqual([allowed, allowed]);
});

const asks = (origin: string, method = 'POST') => ({
  'x-auth-token': '',
  origin,
  'access-control-request-method': method,
  'access-control-request-headers': 'x-auth-token, x-zerovm-execute',
});

test('a preflight says what may be sent', async () => {
  for (const [target, origin] of [
    [client.account, trusted],
    ['/api/AUTH_test/app/x', named],
    ['/open/AUTH_test/app/map', trusted],
  ] as const) {
    const answer = await client.send('OPTIONS', target, asks(origin));
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([200, origin]);
    expect(answer.headers['access-control-allow-methods']).toContain('POST');
    expect(answer.headers['access-control-allow-headers']).toBe('x-auth-token, x-zerovm-execute');
  }
  expect((await client.send('OPTIONS', '/api/AUTH_test/app/x', asks(stranger))).status).toBe(401);
  expect((await client.send('OPTIONS', client.account, asks(trusted, 'PATCH'))).status).toBe(401);
  const plain = await client.send('OPTIONS', client.account, asks(stranger));
  expect([plain.status, plain.headers['access-control-allow-origin']]).toEqual([200, undefined]);
});
