import { once } from 'node:events';
import type net from 'node:net';
import { startServer, type TestServer } from '../support/server';

const container = '/v1/AUTH_test/bad';
const disconnected = '<html><h1>Client Disconnect</h1><p>The client was disconnected during request.</p></html>';
const timedOut =
  '<html><h1>Request Timeout</h1><p>The server has waited too long for the request to be sent by the client.</p></html>';

let server: TestServer;
let token: string;
beforeAll(async () => {
  server = await startServer({ config: { timeouts: { clientTimeoutS: 0.3, maxUploadTimeS: 1 } } });
  token = await server.token();
  await server.request(container, { method: 'PUT' });
});
afterAll(() => server.close());

/** After whatever a test did: the server answers, and the object of the test was not stored. */
afterEach(async () => {
  expect((await server.request(`${container}/o`)).status).toBe(404);
  expect((await server.request(container)).status).toBeLessThan(300);
});

const lines = (method: string, path: string, headers: string[]) =>
  [`${method} ${path} HTTP/1.1`, 'Host: x', `X-Auth-Token: ${token}`, ...headers, '', ''].join('\r\n');
const head = (...headers: string[]) => lines('PUT', `${container}/o`, headers);

interface Answer {
  status: number;
  reason: string;
  body: string;
}

function parse(answer: string): Answer {
  const [, status, reason] = /^HTTP\/1\.1 (\d+) (.*)\r\n/.exec(answer)!;
  return { status: Number(status), reason: reason!, body: answer.slice(answer.indexOf('\r\n\r\n') + 4) };
}

/** Sends a request and then the end of the stream, and reads the answer. */
async function send(bytes: string | Buffer): Promise<Answer> {
  const socket = await server.connect();
  const answer = readAll(socket);
  socket.end(bytes);
  return parse(await answer);
}

async function readAll(socket: net.Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  await once(socket, 'close');
  return Buffer.concat(chunks).toString();
}

describe('lengths', () => {
  test.each([
    ['none', [], 411, 'Missing Content-Length header.'],
    ['more than an object may have', ['Content-Length: 5368709123'], 413, 'Your request is too large.'],
    ['an unknown coding', ['Transfer-Encoding: gzip'], 400, 'Invalid Transfer-Encoding header value'],
    [
      'two codings',
      ['Transfer-Encoding: gzip, chunked'],
      501,
      'Unsupported Transfer-Coding header value specified in Transfer-Encoding header',
    ],
  ])('%s', async (_, headers, status, body) => {
    const answer = parse(await server.raw(head(...headers, 'Connection: close')));
    expect([answer.status, answer.body]).toEqual([status, body]);
  });

  test.each([
    'Content-Length: -5',
    'Content-Length: abc',
    'Content-Length: 1.5',
    'Content-Length: 5\r\nContent-Length: 6',
  ])('%j is refused with 400', async (header) => {
    const answer = await send(`${head(header)}x`);
    expect([answer.status, answer.reason]).toEqual([400, 'Bad Request']);
  });

  test('both a length and chunks are refused with 400, for it is how requests are smuggled', async () => {
    const answer = await send(`${head('Content-Length: 3', 'Transfer-Encoding: chunked')}1\r\nx\r\n0\r\n\r\n`);
    expect(answer.status).toBe(400);
  });
});

describe('bodies that break off', () => {
  test.each([
    ['less than the length', `${'x'.repeat(10)}`, 'Content-Length: 11'],
    ['less than the chunk', '5\r\nhel', 'Transfer-Encoding: chunked'],
    ['no last chunk', '5\r\nhello\r\n', 'Transfer-Encoding: chunked'],
    ['a chunk size that is no number', 'zz\r\nhello\r\n0\r\n\r\n', 'Transfer-Encoding: chunked'],
    ['a chunk longer than its size', '2\r\nhello\r\n0\r\n\r\n', 'Transfer-Encoding: chunked'],
    ['a negative chunk size', '-5\r\nhello\r\n0\r\n\r\n', 'Transfer-Encoding: chunked'],
  ])('%s: 499', async (_, body, header) => {
    expect(await send(head(header) + body)).toEqual({ status: 499, reason: 'Client Disconnect', body: disconnected });
  });

  test('hundreds of kilobytes of a promised megabyte: 499, and no space is lost', async () => {
    const answer = await send(Buffer.concat([Buffer.from(head('Content-Length: 1000000')), Buffer.alloc(400_000)]));
    expect(answer.status).toBe(499);
  });

  test('more than the length: the object is whole, whatever its size, and the connection ends', async () => {
    for (const sizeBytes of [10, 300_000]) {
      const body = 'x'.repeat(sizeBytes);
      const answer = await server.raw(`${head(`Content-Length: ${sizeBytes}`)}${body}xxx`);
      expect([parse(answer).status, answer.match(/HTTP\/1\.1 /g)]).toEqual([201, ['HTTP/1.1 ']]);
      expect(await (await server.request(`${container}/o`)).text()).toBe(body);
      await server.request(`${container}/o`, { method: 'DELETE' });
    }
  });

  test('a connection that is reset', async () => {
    const socket = await server.connect();
    socket.on('error', () => {});
    socket.write(`${head('Content-Length: 1000000')}${'x'.repeat(200_000)}`);
    socket.resetAndDestroy();
  });
});

describe('bodies that stop coming', () => {
  test.each([
    ['with a length', `${'x'.repeat(10)}`, 'Content-Length: 11'],
    ['in chunks', '5\r\nhello\r\n', 'Transfer-Encoding: chunked'],
    ['before they begin', '', 'Content-Length: 5'],
  ])('%s: 408 and the connection ends', async (_, body, header) => {
    const answer = parse(await server.raw(head(header) + body));
    expect(answer).toEqual({ status: 408, reason: 'Request Timeout', body: timedOut });
  });

  test('a drip that never ends: 408 after the longest time an upload may take', async () => {
    const socket = await server.connect();
    const answer = readAll(socket);
    socket.on('error', () => {});
    socket.write(head('Content-Length: 100000'));
    const drip = setInterval(() => socket.write('x'), 50);
    expect(parse(await answer).status).toBe(408);
    clearInterval(drip);
  });
});

describe('Expect: 100-continue', () => {
  test.each([
    ['no container', '/v1/AUTH_test/nowhere/o', 404],
    ['no right', '/v1/AUTH_test2/c/o', 403],
    ['a header that is refused', `${container}/${'n'.repeat(1025)}`, 400],
  ])('%s: the answer comes instead of the 100', async (_, path, status) => {
    const answer = await server.raw(lines('PUT', path, ['Expect: 100-continue', 'Content-Length: 5']));
    expect(parse(answer).status).toBe(status);
  });

  test('the 100 comes before the body when all is well', async () => {
    const socket = await server.connect();
    socket.write(
      lines('PUT', `${container}/expected`, ['Expect: 100-continue', 'Content-Length: 5', 'Connection: close']),
    );
    const [first] = await once(socket, 'data');
    expect(String(first)).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    const answer = readAll(socket);
    socket.write('hello');
    expect(parse(await answer).status).toBe(201);
    expect(await (await server.request(`${container}/expected`)).text()).toBe('hello');
  });
});

describe('names', () => {
  test.each([
    ['a NUL', 'a%00b'],
    ['bytes that are no UTF-8', '%ff%fe'],
    ['half a surrogate pair', '%ed%a0%80'],
    ['an overlong form', '%c0%af'],
  ])('%s is refused with 412', async (_, name) => {
    for (const method of ['PUT', 'GET', 'POST', 'DELETE']) {
      const refused = await server.request(`${container}/${name}`, { method });
      expect([refused.status, await refused.text()]).toEqual([412, 'Invalid UTF8 or contains NULL']);
    }
  });

  test('a name may have 1024 characters, not one more', async () => {
    for (const letter of ['n', '%C3%A9', '%F0%9F%98%80']) {
      expect((await server.request(`${container}/${letter.repeat(1024)}`, { method: 'PUT' })).status).toBe(201);
      const refused = await server.request(`${container}/${letter.repeat(1025)}`, { method: 'PUT' });
      expect([refused.status, await refused.text()]).toEqual([400, 'Object name length of 1025 longer than 1024']);
    }
  });
});

describe('metadata', () => {
  const put = (headers: Record<string, string>) => server.request(`${container}/o`, { method: 'PUT', headers });
  const many = (count: number, value: string) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`x-object-meta-${i}`, value]));

  test.each([
    ['too many', many(91, 'x'), 'Too many metadata items; max 90'],
    ['too much', many(17, 'x'.repeat(250)), 'Total metadata too large; max 4096'],
    ['a value too long', { 'x-object-meta-a': 'x'.repeat(257) }, 'Metadata value longer than 256: x-object-meta-A'],
    ['no name', { 'x-object-meta-': 'x' }, 'Metadata name cannot be empty'],
  ])('%s: 400', async (_, headers, sentence) => {
    const refused = await put(headers as Record<string, string>);
    expect([refused.status, (await refused.text()).toLowerCase()]).toEqual([400, sentence.toLowerCase()]);
  });

  test('a header longer than any may be: 400 with its name', async () => {
    const refused = await put({ 'x-other': 'x'.repeat(8193) });
    expect([refused.status, (await refused.text()).toLowerCase()]).toEqual([400, 'header value too long: x-other']);
  });

  test('a flood of headers: 400', async () => {
    const flood = Array.from({ length: 3000 }, (_, i) => `X-Flood-${i}: x`);
    const { status, body } = parse(await server.raw(head('Content-Length: 0', ...flood)));
    expect([status, body]).toEqual([400, 'Too many headers']);
  });

  test('a head that does not end: 431', async () => {
    const answer = parse(await server.raw(head('Content-Length: 0', `X-Flood: ${'x'.repeat(1_000_000)}`)));
    expect(answer.status).toBe(431);
  });
});

describe('ranges', () => {
  beforeAll(() => server.request(`${container}/ten`, { method: 'PUT', body: '0123456789' }));

  test.each([
    ['thousands of ranges', `bytes=${Array(2000).fill('0-0')}`, 416],
    ['thousands of overlaps', `bytes=${Array.from({ length: 40 }, (_, i) => `0-${i}`)}`, 416],
    ['a number of a thousand digits', `bytes=0-${'9'.repeat(1000)}`, 206],
    ['a start of a thousand digits', `bytes=${'9'.repeat(1000)}-`, 416],
    ['a negative start', 'bytes=-1-3', 200],
    ['another unit', 'lines=1-2', 200],
  ])('%s', async (_, range, status) => {
    expect((await server.request(`${container}/ten`, { headers: { range } })).status).toBe(status);
  });
});
