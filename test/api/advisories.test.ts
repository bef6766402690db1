import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Writable } from 'node:stream';
import { readServerConfig } from '@zerocloud/proxy/config';
import { startServer as startProxy } from '@zerocloud/proxy/standalone';
import pino from 'pino';
import { startServer, type TestServer } from '../support/server';

/** Security advisories of OpenStack Swift, as tests: what went wrong there must not go wrong here. */

const account = '/v1/AUTH_test';
const key = 'key of the account';
let server: TestServer;

beforeAll(async () => {
  server = await startServer();
  await server.request(account, { method: 'POST', headers: { 'x-account-meta-temp-url-key': key } });
  await server.request(`${account}/c`, { method: 'PUT' });
  await server.request(`${account}/c/secret`, { method: 'PUT', body: 'secret' });
});
afterAll(() => server.close());

function signed(method: string, target: string): string {
  const expires = Math.floor(Date.now() / 1000) + 100;
  const signature = createHmac('sha256', key).update(`${method}\n${expires}\n${target}`).digest('hex');
  return `${target}?temp_url_sig=${signature}&temp_url_expires=${expires}`;
}

describe("the server's own headers never come from clients", () => {
  const own = [
    'X-Backend-Storage-Policy-Index: 1',
    'X-Backend-Allow-Reserved-Names: true',
    'X-Backend-Replication: true',
    'x-BACKEND-anything: 1',
    'X-Account-Sysmeta-Core-Access-Control: {"admin":["test:tester3"]}',
    'X-Container-Sysmeta-Versions-Enabled: true',
    'X-Container-Sysmeta-Rfc-Compliant-Etags: True',
    'X-Object-Sysmeta-Symlink-Target: c/secret',
    'X-Object-Sysmeta-Slo-Etag: x',
    'X-Object-Transient-Sysmeta-Crypto-Meta: x',
    'X-Container-Host: 127.0.0.1:1',
    'X-Container-Device: sda',
    'X-Account-Partition: 1',
    'X-Delete-At-Host: 127.0.0.1:1',
    'X-Timestamp: 9999999999.00000',
  ].join('\r\n');

  const send = async (method: string, target: string, body = '') =>
    server.raw(
      `${method} ${target} HTTP/1.1\r\nHost: x\r\nX-Auth-Token: ${await server.token()}\r\n${own}\r\n` +
        `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
    );

  test.each(['PUT', 'POST'])('%s stores none of them', async (method) => {
    for (const [target, body] of [[account], [`${account}/own`], [`${account}/own/o`, 'content']] as const) {
      if (target === account && method === 'PUT') continue;
      expect(await send(method, target, method === 'PUT' ? body : '')).toMatch(/^HTTP\/1.1 20/);
    }
    const { node } = server;
    const records = [
      await node.findAccount('AUTH_test'),
      await node.findContainer({ account: 'AUTH_test', container: 'own' }),
      await node.findObject({ account: 'AUTH_test', container: 'own', object: 'o' }),
    ];
    for (const record of records) {
      expect(
        Object.keys(record!.metadata).filter((name) => /sysmeta|backend|host|device|partition/.test(name)),
      ).toEqual([]);
    }
    expect(Number((records[2] as { timestamp: string }).timestamp)).toBeLessThan(Date.now() / 1000 + 60);
  });

  test('nor do answers tell of them', async () => {
    const timestamp = `${Math.ceil(Date.now() / 1000)}.00000`;
    const metadata = { 'x-container-sysmeta-secret': 's', 'x-container-meta-open': 'o' };
    await server.node.updateContainer({ account: 'AUTH_test', container: 'c' }, { timestamp, metadata });
    const { headers } = await server.request(`${account}/c`);
    expect(headers.get('x-container-meta-open')).toBe('o');
    expect([...headers.keys()].filter((name) => name.includes('sysmeta'))).toEqual([]);
  });
});

describe('signed URLs', () => {
  test.each(['X-Copy-From', 'x-copy-FROM', 'X-Object-Manifest', 'X-Symlink-Target'])(
    'with %s read nothing else (CVE-2026-97149, CVE-2015-5223)',
    async (name) => {
      const answer = await server.request(signed('PUT', `${account}/c/mine`), {
        method: 'PUT',
        headers: { 'x-auth-token': '', [name]: '/c/secret', 'x-copy-from-account': 'AUTH_test' },
      });
      expect(answer.status).toBe(400);
      expect((await server.request(`${account}/c/mine`)).status).toBe(404);
    },
  );

  test('do not make a manifest of an upload by its query', async () => {
    const body = JSON.stringify([{ path: '/c/secret' }]);
    const target = `${signed('PUT', `${account}/c/manifest`)}&multipart-manifest=put`;
    await server.request(target, { method: 'PUT', body, headers: { 'x-auth-token': '' } });
    expect(await (await server.request(`${account}/c/manifest`)).text()).toBe(body);
  });

  test('do not stand in the log (CVE-2017-8761)', async () => {
    let log = '';
    const stream = new Writable({
      write(chunk, _encoding, done) {
        log += chunk;
        done();
      },
    });
    const dataDir = await mkdtemp(path.join(os.tmpdir(), 'zerocloud-log-'));
    const config = readServerConfig({ ZEROCLOUD_PORT: '0', ZEROCLOUD_DATA_DIR: dataDir });
    const logging = await startProxy(config, { log: pino({ level: 'info' }, stream) });
    try {
      for (const target of [
        signed('GET', `${account}/c/o`),
        `${signed('GET', `${account}/c/o`)}&temp_url_ip_range=x`,
      ]) {
        await (await fetch(logging.url + target)).arrayBuffer();
      }
    } finally {
      await logging.close();
      await rm(dataDir, { recursive: true });
    }
    for (let tries = 0; !/c\/o.*c\/o/s.test(log) && tries < 100; tries++) await new Promise((r) => setTimeout(r, 50));
    expect(log).toMatch(/c\/o/);
    expect(log).not.toMatch(/temp_url_sig/);
  });
});

describe('bodies that end early end the request', () => {
  test.each([
    ['chunked', 'Transfer-Encoding: chunked\r\n\r\n400\r\nabc'],
    ['chunked, between two chunks', 'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n'],
    ['of a declared length', 'Content-Length: 1000\r\n\r\nabc'],
    [
      'signed in chunks (CVE-2026-49017)',
      'Content-Encoding: aws-chunked\r\nX-Amz-Decoded-Content-Length: 1000\r\n' +
        'X-Amz-Content-Sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER\r\nContent-Length: 1100\r\n\r\n3e8\r\nabc',
    ],
  ])('%s', async (_how, rest) => {
    const socket = await server.connect();
    socket.write(`PUT ${account}/c/cut HTTP/1.1\r\nHost: x\r\nX-Auth-Token: ${await server.token()}\r\n${rest}`);
    socket.end();
    socket.resume();
    await once(socket, 'close');
    expect((await server.request(`${account}/c/cut`)).status).toBe(404);
  });
});

test('a costly Accept header costs nothing', async () => {
  const costly = [
    `${'text/'.repeat(1500)}`,
    `text/plain${';'.repeat(7000)}`,
    `text/plain;${' '.repeat(7000)}x`,
    `text/plain;q=${'0'.repeat(7000)}x`,
    `${'a/b,'.repeat(1700)}a`,
    `text/plain;a="${'\\\\'.repeat(3000)}`,
  ];
  const startedMs = performance.now();
  for (const accept of costly) {
    const { status } = await server.request(`${account}/c`, { headers: { accept } });
    expect([200, 400, 406]).toContain(status);
  }
  expect(performance.now() - startedMs).toBeLessThan(2000);
});

test('metadata cannot grow beyond the limits by several requests (CVE-2014-7960)', async () => {
  const batch = (from: number) =>
    Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`x-container-meta-m${from + i}`, 'x']));
  expect((await server.request(`${account}/c`, { method: 'POST', headers: batch(0) })).status).toBe(204);
  expect((await server.request(`${account}/c`, { method: 'POST', headers: batch(50) })).status).toBe(400);
});

test('names of accounts do not reach the answer unescaped (CVE-2013-2161, CVE-2014-3497)', async () => {
  const answer = await server.raw(
    'GET /v1/%22%0d%0aSet-Cookie:%20a=b%0d%0a%3Cscript%3E HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
  );
  expect(answer).not.toMatch(/^Set-Cookie/im);
  expect(answer).not.toContain('<script>');
});
