import { once } from 'node:events';
import { startServer, type TestServer } from '../support/server';
import { until } from '../support/until';

let server: TestServer;
let token: string;
beforeAll(async () => {
  server = await startServer();
  token = await server.token();
});
afterAll(() => server.close());

/** Raw requests end with `Connection: close`, for `raw` waits for that. */
const raw = (head: string) => server.raw(Buffer.from(`${head}\r\n\r\n`.replace(/\r?\n/g, '\r\n')));
const request = (line: string, ...headers: string[]) =>
  raw([line, 'Host: h', 'Connection: close', `X-Auth-Token: ${token}`, ...headers].join('\n'));

test('every answer carries its transaction, another one each', async () => {
  const ids = new Set<string>();
  for (let i = 0; i < 20; i++) {
    const { headers } = await fetch(`${server.url}/healthcheck`);
    const id = headers.get('x-trans-id')!;
    expect(id).toMatch(/^tx[0-9a-f]{21}-[0-9a-f]{10}$/);
    expect(headers.get('x-openstack-request-id')).toBe(id);
    expect(headers.get('date')).toMatch(/GMT$/);
    ids.add(id);
  }
  expect(ids.size).toBe(20);
});

describe('paths', () => {
  test.each([
    ['/', 404, 'The resource could not be found.'],
    ['//v1/AUTH_test', 404, 'The resource could not be found.'],
    ['/v1', 412, 'Bad URL'],
    ['/foo', 412, 'Bad URL'],
    ['/v1//c', 412, 'Bad URL'],
    ['/v1/AUTH_test//o', 412, 'Bad URL'],
    ['/v2/AUTH_test', 400, 'The server could not comply with the request'],
    ['/v1/AUTH_test/%ff', 412, 'Invalid UTF8 or contains NULL'],
    ['/v1/AUTH_test/a%00b', 412, 'Invalid UTF8 or contains NULL'],
    ['/v1/AUTH_test/%zz', 404, 'The resource could not be found.'],
    ['/v1/AUTH_test/%2e%2e/x', 404, 'The resource could not be found.'],
    ['http://elsewhere/v1/AUTH_test/none', 404, 'The resource could not be found.'],
  ])('GET %s is %i', async (path, status, text) => {
    const answer = await request(`GET ${path} HTTP/1.1`);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer).toContain('Content-Type: text/html; charset=UTF-8\r\n');
    expect(answer).toContain(text);
  });

  test('in raw UTF-8 are as good as encoded ones', async () => {
    expect(await request('PUT /v1/AUTH_test/größe HTTP/1.1', 'Content-Length: 0')).toMatch(/^HTTP\/1.1 201 /);
    expect((await server.request('/v1/AUTH_test/gr%C3%B6%C3%9Fe', { method: 'HEAD' })).status).toBe(204);
  });
});

test('a HEAD has the head of the refusal and no body', async () => {
  const answer = await request('HEAD /v1/AUTH_test/none HTTP/1.1');
  expect(answer).toMatch(/^HTTP\/1.1 404 Not Found\r\n/);
  expect(answer.split('\r\n\r\n')[1]).toBe('');
});

test.each(['COPY', 'PATCH', 'LICK', 'GETorHEAD_base'])('the method %s is refused with 405', async (method) => {
  expect(await request(`${method} /v1/AUTH_test HTTP/1.1`)).toMatch(/^HTTP\/1.1 405 Method Not Allowed\r\n/);
});

describe('names of metadata beyond ASCII', () => {
  test('are kept and given back as they came', async () => {
    const length = 'Content-Length: 0';
    expect(await request('POST /v1/AUTH_test HTTP/1.1', length, 'X-Account-Meta-Größe: ü')).toMatch(/^HTTP\/1.1 204 /);
    expect(await request('HEAD /v1/AUTH_test HTTP/1.1')).toContain('\r\nX-Account-Meta-Größe: ü\r\n');
    await request('POST /v1/AUTH_test HTTP/1.1', length, 'X-Account-Meta-Größe:');
    expect(await request('HEAD /v1/AUTH_test HTTP/1.1')).not.toContain('Größe');
  });

  test('are understood in a later request of a connection as well, which then ends', async () => {
    const socket = await server.connect();
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.write('GET /healthcheck HTTP/1.1\r\nHost: h\r\n\r\n');
    await until('the answer is there', () => text.endsWith('OK'));
    socket.write(
      `PUT /v1/AUTH_test/later HTTP/1.1\r\nHost: h\r\nX-Auth-Token: ${token}\r\nX-Container-Meta-ü: 1\r\nContent-Length: 0\r\n\r\n`,
    );
    await once(socket, 'close');
    expect(text).toMatch(/OKHTTP\/1.1 201 Created\r\n/);
    expect(text).toContain('Connection: close');
  });

  test('in the middle of a head that began earlier are refused, whatever the bytes look like', async () => {
    const socket = await server.connect();
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.write('GET /healthcheck HTTP/1.1\r\nHost: h\r\n\r\nGET /healthcheck HTTP/1.1\r\nX-Trick: ');
    await until('the answer is there', () => text.includes('OK'));
    socket.write(
      `PUT /v1/AUTH_test/smuggled HTTP/1.1\r\nHost: h\r\nX-Auth-Token: ${token}\r\nX-Container-Meta-ü: 1\r\n\r\n`,
    );
    await once(socket, 'close');
    expect(text.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 400']);
    expect((await server.request('/v1/AUTH_test/smuggled', { method: 'HEAD' })).status).toBe(404);
  });

  test('do not hide a second request in their body', async () => {
    const answer = await server.raw(
      Buffer.from(
        `PUT /v1/AUTH_test/outer HTTP/1.1\r\nHost: h\r\nX-Auth-Token: ${token}\r\nX-Container-Meta-ü: 1\r\nContent-Length: 5\r\n\r\nhello` +
          `PUT /v1/AUTH_test/inner HTTP/1.1\r\nHost: h\r\nX-Auth-Token: ${token}\r\nX-Container-Meta-ü: 1\r\nContent-Length: 0\r\n\r\n`,
      ),
    );
    expect(answer).toMatch(/^HTTP\/1.1 201 Created\r\n/);
    expect((await server.request('/v1/AUTH_test/inner', { method: 'HEAD' })).status).toBe(404);
  });
});

describe('requests that are no HTTP', () => {
  test.each([
    ['nonsense', 'nonsense', 400],
    ['a header without a name', 'GET / HTTP/1.1\n: x', 400],
    ['a length that is no number', 'PUT /v1/AUTH_test/c HTTP/1.1\nHost: h\nContent-Length: X', 400],
    ['a negative length', 'PUT /v1/AUTH_test/c HTTP/1.1\nHost: h\nContent-Length: -1', 400],
    [
      'a length and chunks',
      'PUT /v1/AUTH_test/c HTTP/1.1\nHost: h\nContent-Length: 5\nTransfer-Encoding: chunked',
      400,
    ],
    ['two lengths', 'PUT /v1/AUTH_test/c HTTP/1.1\nHost: h\nContent-Length: 5\nContent-Length: 6', 400],
    ['no host', 'GET / HTTP/1.1', 400],
    ['a head of 128 KiB', `GET / HTTP/1.1\nHost: h\nX-Long: ${'x'.repeat(131072)}`, 431],
    ['an expectation', 'GET / HTTP/1.1\nHost: h\nExpect: miracles', 417],
    ['an upgrade of the protocol', 'GET /healthcheck HTTP/1.1\nHost: h\nConnection: close, Upgrade\nUpgrade: h2c', 200],
  ])('%s: answered, and the server goes on', async (_what, head, status) => {
    expect(await raw(head)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect((await fetch(`${server.url}/healthcheck`)).status).toBe(200);
  });

  test('a flood of headers is refused with 400', async () => {
    const headers = Array.from({ length: 127 }, (_, i) => `X-H${i}: 1`);
    expect(await raw(['GET /healthcheck HTTP/1.1', 'Host: h', ...headers].join('\n'))).toMatch(/^HTTP\/1.1 400 /);
  });
});

test('Expect: 100-continue asks for the body only when it is wanted', async () => {
  const send = async (path: string, auth: string) => {
    const socket = await server.connect();
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
      if (text === 'HTTP/1.1 100 Continue\r\n\r\n') socket.write('hello');
      else if (text.includes('\r\n\r\n', 25)) socket.end();
    });
    socket.write(
      `PUT ${path} HTTP/1.1\r\nHost: h\r\nX-Auth-Token: ${auth}\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n`,
    );
    await once(socket, 'close');
    return text;
  };
  await server.request('/v1/AUTH_test/expect', { method: 'PUT' });
  const wanted = await send('/v1/AUTH_test/expect/o', token);
  expect(wanted).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 201 Created\r\n/);
  const refused = await send('/v1/AUTH_test/expect/o', 'AUTH_tkwrong');
  expect(refused).toMatch(/^HTTP\/1.1 401 Unauthorized\r\n/);
  expect(refused).toContain('Connection: close');
});
