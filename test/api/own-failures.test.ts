import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { logIn, proxyMain, startProcess, useDataDir } from '../support/process';
import { until } from '../support/until';

/** What the log tells of failures that are the server's own, of which the client learns a status. */

const dataDir = useDataDir();

test('a GET of an object whose file is gone is 503, and the log says why, without the secrets of the URL', async () => {
  const server = startProcess(proxyMain, {
    ZEROCLOUD_PORT: '0',
    ZEROCLOUD_DATA_DIR: dataDir(),
    ZEROCLOUD_LOG_LEVEL: 'warn',
  });
  const url = await server.url();
  const { token } = await logIn(url);
  const headers = { 'x-auth-token': token };
  await fetch(`${url}/v1/AUTH_test/c`, { method: 'PUT', headers });
  const body = Buffer.alloc(200_000, 'x');
  expect((await fetch(`${url}/v1/AUTH_test/c/o`, { method: 'PUT', headers, body })).status).toBe(201);
  const blobs = path.join(dataDir(), 'blobs');
  for (const name of await readdir(blobs)) {
    for (const file of await readdir(path.join(blobs, name)).catch(() => []))
      await rm(path.join(blobs, name, file), { recursive: true });
  }
  const answer = await fetch(`${url}/v1/AUTH_test/c/o?Signature=secret`, { headers });
  expect(answer.status).toBe(503);
  await until('it is logged', () => server.stderr().includes('request failed'));
  const line = server
    .stderr()
    .split('\n')
    .find((text) => text.includes('request failed'))!;
  expect(JSON.parse(line)).toMatchObject({
    level: 40,
    method: 'GET',
    path: '/v1/AUTH_test/c/o?Signature=***',
    txn: answer.headers.get('x-trans-id'),
    err: { code: 'unavailable', message: expect.stringMatching(/./) },
  });
});
