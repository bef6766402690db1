import { rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { startServer, type TestServer } from '../support/server';

const disableFile = path.join(os.tmpdir(), `zerocloud-disabled-${process.pid}`);
let server: TestServer;
beforeAll(async () => {
  server = await startServer({ env: { HEALTHCHECK_DISABLE_FILE: disableFile } });
});
afterAll(async () => {
  await server.close();
  await rm(disableFile, { force: true });
});

const anonymous = (target: string, init: RequestInit = {}) =>
  server.request(target, { ...init, headers: { 'x-auth-token': '' } });

test('the health check is disabled by a file', async () => {
  const fine = await anonymous('/healthcheck');
  expect([fine.status, await fine.text()]).toEqual([200, 'OK']);
  await writeFile(disableFile, '');
  const disabled = await anonymous('/healthcheck');
  expect([disabled.status, await disabled.text()]).toEqual([503, 'DISABLED BY FILE']);
  await rm(disableFile);
  expect((await anonymous('/healthcheck')).status).toBe(200);
});

test('crossdomain.xml holds the policy of the setting', async () => {
  const page = await anonymous('/crossdomain.xml');
  expect(page.headers.get('content-type')).toBe('application/xml');
  expect(await page.text()).toContain('\n<allow-access-from domain="*" secure="false" />\n');
  expect((await anonymous('/crossdomain.xml', { method: 'HEAD' })).status).toBe(412);
});

describe('endpoints', () => {
  test.each([
    ['/endpoints/v1/AUTH_test/c/o%20%C3%A4/x', '/v1/AUTH_test/c/o%20%C3%A4/x'],
    ['/endpoints/AUTH_test/c', '/v1/AUTH_test/c'],
    ['/endpoints/v_test', '/v1/v_test'],
  ])('%s is one address', async (target, there) => {
    const answer = await anonymous(target);
    expect(await answer.json()).toEqual([server.url + there]);
  });

  test('version 2 names headers, too', async () => {
    const answer = await anonymous('/endpoints/v2/AUTH_test/c/o');
    expect(await answer.json()).toEqual({ endpoints: [`${server.url}/v1/AUTH_test/c/o`], headers: {} });
  });

  test.each([
    ['/endpoints/', 400, 'No account specified'],
    ['/endpoints/v1', 400, 'No account specified'],
    ['/endpoints/v3/a', 400, "Unsupported version 'v3'"],
    ['/endpoints/v1/a/%ff', 400, 'Invalid UTF8 or contains NULL'],
  ])('%s is refused', async (target, status, text) => {
    const answer = await anonymous(target);
    expect([answer.status, await answer.text()]).toEqual([status, text]);
  });

  test('other methods are refused', async () => {
    expect((await anonymous('/endpoints/v1/a', { method: 'POST' })).status).toBe(405);
  });
});

test('container sync is not there: its target is refused by name, its realms are not in /info', async () => {
  const headers = { 'x-container-sync-to': 'https://elsewhere.example/v1/AUTH_test/c' };
  const answer = await server.request('/v1/AUTH_test/c', { method: 'PUT', headers });
  expect(answer.status).toBe(400);
  expect(await answer.text()).toContain('x-container-sync-to');
  expect(await (await server.request('/info')).json()).not.toHaveProperty('container_sync');
});
