import { startServer, type TestServer } from '../support/server';

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ env: { MAX_FILE_SIZE: '12345' } });
});
afterAll(() => server.close());

test('/info tells the limits and features to anybody', async () => {
  const answer = await fetch(`${server.url}/info`);
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toBe('application/json; charset=UTF-8');
  const info = (await answer.json()) as Record<string, Record<string, unknown>>;
  for (const feature of [
    'swift',
    'tempauth',
    'zerocloud',
    'account_quotas',
    'container_quotas',
    'slo',
    'symlink',
    'versioned_writes',
    'object_versioning',
  ]) {
    expect(info).toHaveProperty(feature);
  }
  expect(info).not.toHaveProperty('container_sync');
  expect(info).not.toHaveProperty('read_only');
  expect(info.swift).toMatchObject({
    max_file_size: 12345,
    max_meta_count: 90,
    max_meta_name_length: 128,
    max_container_name_length: 256,
    container_listing_limit: 10000,
    account_autocreate: true,
    policies: [{ name: 'Policy-0', default: true }, { name: 'relaxed' }],
  });
  expect(info.zerocloud!.system_images).toContain('python');
  expect(info.zerocloud!.jail).toMatch(/^(full|namespaces|user|limits|permissions|none)$/);
});

test('/info has a head and options, and nothing else', async () => {
  expect((await fetch(`${server.url}/info`, { method: 'HEAD' })).status).toBe(200);
  expect((await fetch(`${server.url}/info`, { method: 'OPTIONS' })).headers.get('allow')).toBe('GET, HEAD, OPTIONS');
  expect((await fetch(`${server.url}/info`, { method: 'PUT' })).status).toBe(405);
});

test('/healthcheck says OK', async () => {
  const answer = await fetch(`${server.url}/healthcheck`);
  expect([answer.status, await answer.text(), answer.headers.get('content-type')]).toEqual([200, 'OK', 'text/plain']);
});

test('what /info does not list is refused by name', async () => {
  const headers = { 'x-container-sync-to': '//realm/cluster/a/c' };
  for (const path of ['c', 'c/o']) {
    const answer = await server.request(`/v1/AUTH_test/${path}`, { method: 'PUT', headers });
    expect([answer.status, await answer.text()]).toEqual([
      400,
      'The header x-container-sync-to is not supported by this server\n',
    ]);
  }
});
