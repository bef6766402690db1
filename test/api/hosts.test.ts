import dgram from 'node:dgram';
import { once } from 'node:events';
import { startServer, type TestServer } from '../support/server';

/** A name server on loopback that knows a few CNAMEs. */
async function startNameServer(names: Record<string, string>) {
  const socket = dgram.createSocket('udp4');
  let queries = 0;
  socket.on('message', (query, from) => {
    queries++;
    const labels: string[] = [];
    let at = 12;
    while (query[at] !== 0) {
      labels.push(query.toString('latin1', at + 1, at + 1 + query[at]!));
      at += 1 + query[at]!;
    }
    const question = query.subarray(12, at + 5);
    const target = names[labels.join('.')];
    const head = Buffer.from(query.subarray(0, 12));
    head.writeUInt16BE(target === undefined ? 0x8183 : 0x8180, 2);
    head.writeUInt16BE(target === undefined ? 0 : 1, 6);
    head.writeUInt32BE(0, 8);
    if (target === undefined) return socket.send(Buffer.concat([head, question]), from.port, from.address);
    const name = Buffer.concat([
      ...target.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)])),
      Buffer.from([0]),
    ]);
    const record = Buffer.from([0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 60, 0, name.length]);
    socket.send(Buffer.concat([head, question, record, name]), from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    address: `127.0.0.1:${socket.address().port}`,
    queries: () => queries,
    close: () => new Promise<void>((resolve) => socket.close(() => resolve())),
  };
}

let server: TestServer;
let names: Awaited<ReturnType<typeof startNameServer>>;
let nowMs = Date.now();

beforeAll(async () => {
  names = await startNameServer({
    'files.example.org': 'pics.auth-test.storage.test',
    'www.example.org': 'files.example.org',
    'far.example.org': 'www.example.org',
    'loop.example.org': 'loop.example.org',
  });
  server = await startServer({
    env: { STORAGE_DOMAIN: 'storage.test', CNAME_LOOKUP_DEPTH: '2', CNAME_NAMESERVERS: names.address },
    now: () => nowMs,
  });
  await server.request('/v1/AUTH_test/pics', { method: 'PUT', headers: { 'x-container-read': '.r:*,.rlistings' } });
  await server.request('/v1/AUTH_test/pics/a/b.txt', { method: 'PUT', body: 'content' });
});
afterAll(async () => {
  await server.close();
  await names.close();
});

async function get(host: string, path: string, headers = ''): Promise<string> {
  return server.raw(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${headers}Connection: close\r\n\r\n`);
}

const statusOf = (answer: string) => Number(answer.split(' ')[1]);

describe('hosts in a storage domain', () => {
  test.each(['pics.AUTH_test.storage.test', 'pics.auth-test.storage.test:8080', 'pics.Auth-test.storage.test'])(
    '%s is a container',
    async (host) => {
      const answer = await get(host, '/a/b.txt');
      expect(answer).toMatch(/^HTTP\/1.1 200 /);
      expect(answer).toMatch(/content$/);
      expect(await get(host, '/?prefix=a')).toMatch(/a\/b.txt\n/);
    },
  );

  test('auth-test.storage.test is an account', async () => {
    const token = `X-Auth-Token: ${await server.token()}\r\n`;
    expect(await get('auth-test.storage.test', '/', token)).toMatch(/pics\n/);
    expect(await get('auth-test.storage.test', '/pics/a/b.txt', token)).toMatch(/content$/);
  });

  test('more than two labels are refused', async () => {
    const answer = await get('a.b.auth-test.storage.test', '/');
    expect(statusOf(answer)).toBe(400);
    expect(answer).toMatch(/Bad domain in host header$/);
  });

  test('a prefix that nobody has is left alone, or gets the one of the setting', async () => {
    expect(statusOf(await get('pics.other.storage.test', '/v1/AUTH_test/pics/a/b.txt'))).toBe(200);
    const own = await startServer({ env: { STORAGE_DOMAIN: 'storage.test', DOMAIN_DEFAULT_PREFIX: 'AUTH' } });
    try {
      const headers = `X-Auth-Token: ${await own.token()}\r\n`;
      const request = `PUT / HTTP/1.1\r\nHost: new.test.storage.test\r\n${headers}Content-Length: 0\r\nConnection: close\r\n\r\n`;
      expect(statusOf(await own.raw(request))).toBe(201);
      expect((await own.request('/v1/AUTH_test/new')).status).toBe(204);
    } finally {
      await own.close();
    }
  });

  test('redirects of web sites keep to the host', async () => {
    const headers = { 'x-container-read': '.r:*,.rlistings', 'x-container-meta-web-index': 'index.html' };
    await server.request('/v1/AUTH_test/web', { method: 'PUT', headers });
    await server.request('/v1/AUTH_test/web/sub/index.html', { method: 'PUT', body: 'x' });
    const answer = await get('web.auth-test.storage.test', '/sub');
    expect(answer).toMatch(/^HTTP\/1.1 301 .*\r\nLocation: http:\/\/web.auth-test.storage.test\/sub\/\r\n/s);
  });

  test('without a storage domain hosts mean nothing, and /info does not speak of them', async () => {
    const plain = await startServer();
    try {
      const answer = await plain.raw('GET /info HTTP/1.1\r\nHost: a.b.c.storage.test\r\nConnection: close\r\n\r\n');
      expect(statusOf(answer)).toBe(200);
      expect(answer).not.toContain('domain_remap');
    } finally {
      await plain.close();
    }
  });
});

describe('foreign hosts', () => {
  test.each(['files.example.org', 'www.example.org:80'])('%s leads to a container by its CNAME', async (host) => {
    expect(await get(host, '/a/b.txt')).toMatch(/content$/);
  });

  test('answers are remembered for a minute', async () => {
    await get('files.example.org', '/a/b.txt');
    const before = names.queries();
    await get('files.example.org', '/a/b.txt');
    expect(names.queries()).toBe(before);
    nowMs += 61_000;
    await get('files.example.org', '/a/b.txt');
    expect(names.queries()).toBe(before + 1);
  });

  test.each([
    ['unknown.example.org', 'CNAME lookup failed to resolve to a valid domain'],
    ['loop.example.org', 'CNAME lookup failed to resolve to a valid domain'],
    ['far.example.org', 'CNAME lookup failed after 2 tries'],
  ])('%s is refused', async (host, sentence) => {
    const answer = await get(host, '/a/b.txt');
    expect(statusOf(answer)).toBe(400);
    expect(answer.endsWith(sentence)).toBe(true);
  });

  test('addresses are not looked up', async () => {
    expect(statusOf(await get('127.0.0.1:1234', '/v1/AUTH_test/pics/a/b.txt'))).toBe(200);
    expect(statusOf(await get('[::1]:1234', '/v1/AUTH_test/pics/a/b.txt'))).toBe(200);
  });
});
