import { once } from 'node:events';
import { startServer, type TestServer } from '../support/server';

const container = '/v1/AUTH_test/reads';
const digits = '0123456789';
/** Above what a store keeps inline, so that it is streamed. */
const bigBytes = 300_000;
const big = Buffer.from(Array.from({ length: bigBytes }, (_, i) => i % 251));

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
  await server.request(container, { method: 'PUT' });
  const headers = { 'content-type': 'text/x-a; charset=utf-8', 'x-object-meta-a': '1' };
  await server.request(`${container}/digits`, { method: 'PUT', body: digits, headers });
  await server.request(`${container}/big`, { method: 'PUT', body: big });
  await server.request(`${container}/empty`, { method: 'PUT', body: '' });
});
afterAll(() => server.close());

const get = (name: string, headers: Record<string, string>, method = 'GET') =>
  server.request(`${container}/${name}`, { method, headers });

/** The parts of a multipart/byteranges body, read by its boundary as a client would. */
async function readParts(response: Response): Promise<{ range: string; type: string; body: Buffer }[]> {
  const boundary = /^multipart\/byteranges;boundary=([0-9a-f]{32})$/.exec(response.headers.get('content-type')!)![1]!;
  const bytes = Buffer.from(await response.arrayBuffer());
  expect(response.headers.get('content-length')).toBe(String(bytes.length));
  const text = bytes.toString('latin1');
  expect(text.endsWith(`--${boundary}--`)).toBe(true);
  return text
    .split(`--${boundary}`)
    .slice(1, -1)
    .map((part) => {
      const end = part.indexOf('\r\n\r\n');
      const field = (name: string) => new RegExp(`^${name}: (.*)\r$`, 'm').exec(`${part.slice(0, end)}\r\n`)![1]!;
      const body = Buffer.from(part.slice(end + 4, -2), 'latin1');
      return { range: field('Content-Range'), type: field('Content-Type'), body };
    });
}

describe('ranges', () => {
  test.each([
    ['bytes=0-0', '0', 'bytes 0-0/10'],
    ['bytes=5-', '56789', 'bytes 5-9/10'],
    ['bytes=-3', '789', 'bytes 7-9/10'],
    ['bytes=0-1,20-30', '01', 'bytes 0-1/10'],
  ])('%s', async (range, body, contentRange) => {
    const answer = await get('digits', { range });
    expect(answer.status).toBe(206);
    expect(answer.headers.get('content-range')).toBe(contentRange);
    expect(answer.headers.get('content-length')).toBe(String(body.length));
    expect(answer.headers.get('x-object-meta-a')).toBe('1');
    expect(await answer.text()).toBe(body);
  });

  test.each([
    ['digits', 'bytes=10-', 10],
    ['digits', 'bytes=-0', 10],
    ['empty', 'bytes=0-0', 0],
    ['big', `bytes=${bigBytes}-`, bigBytes],
  ])('refuses a range past the end of %s with 416', async (name, range, size) => {
    const answer = await get(name, { range });
    expect(answer.status).toBe(416);
    expect(answer.headers.get('content-range')).toBe(`bytes */${size}`);
    expect(await answer.text()).toBe(
      '<html><h1>Requested Range Not Satisfiable</h1><p>The Range requested is not available.</p></html>',
    );
  });

  test('a malformed one is ignored, and the last bytes of nothing are nothing', async () => {
    expect((await get('digits', { range: 'bytes=5-3' })).status).toBe(200);
    expect((await get('empty', { range: 'bytes=-5' })).status).toBe(200);
  });

  test('a HEAD tells of the whole object', async () => {
    const answer = await get('digits', { range: 'bytes=0-0' }, 'HEAD');
    expect([answer.status, answer.headers.get('content-length')]).toEqual([200, '10']);
  });

  test('several come as multipart/byteranges of exactly the announced length', async () => {
    expect(await readParts(await get('digits', { range: 'bytes=0-1,4-5,-1' }))).toEqual([
      { range: 'bytes 0-1/10', type: 'text/x-a; charset=utf-8', body: Buffer.from('01') },
      { range: 'bytes 4-5/10', type: 'text/x-a; charset=utf-8', body: Buffer.from('45') },
      { range: 'bytes 9-9/10', type: 'text/x-a; charset=utf-8', body: Buffer.from('9') },
    ]);
    const parts = await readParts(await get('big', { range: 'bytes=200000-299999,0-99999' }));
    expect(parts.map(({ range }) => range)).toEqual(['bytes 200000-299999/300000', 'bytes 0-99999/300000']);
    expect(
      Buffer.concat(parts.map(({ body }) => body)).equals(
        Buffer.concat([big.subarray(200000), big.subarray(0, 100000)]),
      ),
    ).toBe(true);
  });

  test('of a streamed object', async () => {
    const answer = await get('big', { range: 'bytes=100000-199999' });
    expect(answer.status).toBe(206);
    expect(Buffer.from(await answer.arrayBuffer()).equals(big.subarray(100000, 200000))).toBe(true);
  });
});

describe('conditions', () => {
  const etag = '781e5e245d69b566979b86e28d23f2c7';
  const past = 'Thu, 01 Jan 2015 00:00:00 GMT';
  const future = 'Thu, 01 Jan 2099 00:00:00 GMT';

  test.each<[Record<string, string>, number]>([
    [{ 'if-match': etag }, 200],
    [{ 'if-match': '"x"' }, 412],
    [{ 'if-none-match': `"${etag}"` }, 304],
    [{ 'if-none-match': '"x"' }, 200],
    [{ 'if-modified-since': future }, 304],
    [{ 'if-modified-since': past }, 200],
    [{ 'if-modified-since': 'nonsense' }, 200],
    [{ 'if-unmodified-since': past }, 412],
    [{ 'if-unmodified-since': future }, 200],
    [{ 'if-match': '"x"', range: 'bytes=0-1' }, 412],
    [{ 'if-none-match': etag, range: 'bytes=100-' }, 304],
    [{ 'if-match': etag, range: 'bytes=0-1' }, 206],
    [{ 'if-range': `"${etag}"`, range: 'bytes=0-1' }, 206],
    [{ 'if-range': '"x"', range: 'bytes=0-1' }, 200],
  ])('%j answers %d, and so does a HEAD', async (headers, status) => {
    const answer = await get('digits', headers);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('etag')).toBe(etag);
    expect(answer.headers.get('last-modified')).not.toBeNull();
    expect((await answer.text()).length).toBe(status === 206 ? 2 : status === 200 ? 10 : 0);
    const head = await get('digits', headers, 'HEAD');
    expect(head.status).toBe(status === 206 ? 200 : status);
  });

  test('Last-Modified itself does not count as modified', async () => {
    const lastModified = (await get('digits', {}, 'HEAD')).headers.get('last-modified')!;
    expect((await get('digits', { 'if-modified-since': lastModified })).status).toBe(304);
    expect((await get('digits', { 'if-unmodified-since': lastModified })).status).toBe(200);
  });

  test('of an object that is not there: 404, but 412 when any was demanded', async () => {
    expect((await get('none', { 'if-match': '"x"' })).status).toBe(404);
    expect((await get('none', { 'if-none-match': '*' })).status).toBe(404);
    const demanded = await get('none', { 'if-match': '*' });
    expect([demanded.status, await demanded.text()]).toEqual([412, '']);
  });
});

test('a client that hangs up in the middle leaves the server serving, again and again', async () => {
  const huge = Buffer.alloc(20_000_000, 'x');
  await server.request(`${container}/huge`, { method: 'PUT', body: huge });
  const token = await server.token();
  for (let round = 0; round < 5; round++) {
    const socket = await server.connect();
    socket.write(`GET ${container}/huge HTTP/1.1\r\nHost: x\r\nX-Auth-Token: ${token}\r\n\r\n`);
    await once(socket, 'data');
    socket.resetAndDestroy();
  }
  const answer = await get('huge', {});
  expect(Buffer.from(await answer.arrayBuffer()).equals(huge)).toBe(true);
});

test('an object that is replaced or deleted while it is read is read to its end', async () => {
  const old = Buffer.alloc(20_000_000, 'o');
  await server.request(`${container}/replaced`, { method: 'PUT', body: old });
  const answer = await get('replaced', {});
  const reader = answer.body!.getReader();
  const chunks = [(await reader.read()).value!];
  await server.request(`${container}/replaced`, { method: 'PUT', body: 'new' });
  await server.request(`${container}/replaced`, { method: 'DELETE' });
  for (let next = await reader.read(); !next.done; next = await reader.read()) chunks.push(next.value);
  expect(Buffer.concat(chunks).equals(old)).toBe(true);
});
