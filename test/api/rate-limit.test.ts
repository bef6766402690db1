import { startServer, type TestServer } from '../support/server';

/** So few that a second request would wait for longer than allowed. */
const env = {
  ACCOUNT_RATELIMIT: '1',
  CONTAINER_RATELIMITS: '2=0.01',
  CONTAINER_LISTING_RATELIMITS: '2=0.01',
  RATELIMIT_MAX_SLEEP_S: '1',
  RATELIMIT_BUFFER_S: '0',
};
const account = '/v1/AUTH_test';

let server: TestServer;
let nowMs = 1_800_000_000_000;
beforeAll(async () => {
  server = await startServer({ env, now: () => nowMs });
});
afterAll(() => server.close());

const status = async (method: string, path: string) => (await server.request(account + path, { method })).status;

test('containers of an account are made one after the other, objects of small containers as they come', async () => {
  expect(await status('PUT', '/c')).toBe(201);
  const refused = await server.request(`${account}/d`, { method: 'PUT' });
  expect([refused.status, refused.statusText, await refused.text()]).toEqual([498, 'Rate Limited', 'Slow down']);
  for (const name of ['1', '2', '3']) expect(await status('PUT', `/c/${name}`)).toBe(201);
  nowMs += 1000;
  expect(await status('PUT', '/d')).toBe(201);
});

test('objects of a large container are written one after the other, and read as they come', async () => {
  nowMs += 1_000_000;
  expect(await status('PUT', '/c/4')).toBe(201);
  for (const method of ['PUT', 'POST', 'DELETE']) expect(await status(method, '/c/1')).toBe(498);
  for (let i = 0; i < 3; i++) expect(await status('GET', '/c/1')).toBe(200);
});

test('listings of a large container come one after the other', async () => {
  nowMs += 1_000_000;
  expect(await status('GET', '/c')).toBe(200);
  expect(await status('GET', '/c')).toBe(498);
  expect(await status('HEAD', '/c')).toBe(204);
});

test('a short wait is waited', async () => {
  const own = await startServer({ env: { ACCOUNT_RATELIMIT: '20', RATELIMIT_BUFFER_S: '0' } });
  try {
    const startedMs = performance.now();
    for (const name of ['a', 'b', 'c', 'd']) await own.request(`${account}/${name}`, { method: 'PUT' });
    expect(performance.now() - startedMs).toBeGreaterThan(140);
  } finally {
    await own.close();
  }
});

test('/info tells the rates', async () => {
  const { ratelimit } = (await (await server.request('/info')).json()) as { ratelimit: unknown };
  expect(ratelimit).toEqual({
    account_ratelimit: 1,
    max_sleep_time_seconds: 1,
    container_ratelimits: [[2, 0.01]],
    container_listing_ratelimits: [[2, 0.01]],
  });
});
