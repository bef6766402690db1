import { createHash } from 'node:crypto';
import { startServer, type TestServer } from '../support/server';

const hello = 'hello world';
const helloEtag = createHash('md5').update(hello).digest('hex');
const container = '/v1/AUTH_test/objects';

describe.each([
  ['in one process', false],
  ['with a separate object server', true],
])('objects, %s', (_, split) => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startServer({ split });
    await server.request(container, { method: 'PUT' });
  });
  afterAll(() => server.close());

  const put = (name: string, body: NonNullable<RequestInit['body']>, headers: Record<string, string> = {}) =>
    server.request(`${container}/${name}`, { method: 'PUT', body, headers });
  const get = (name: string, headers: Record<string, string> = {}) =>
    server.request(`${container}/${name}`, { headers });
  const head = (name: string) => server.request(`${container}/${name}`, { method: 'HEAD' });
  const post = (name: string, headers: Record<string, string>) =>
    server.request(`${container}/${name}`, { method: 'POST', headers });
  const remove = (name: string) => server.request(`${container}/${name}`, { method: 'DELETE' });

  test('a PUT answers with the etag and the time, a GET gives everything back', async () => {
    const stored = await put('a.txt', hello, {
      'content-type': 'text/plain; charset=UTF-8',
      'x-object-meta-color': 'red',
      'x-object-meta-my_key': 'w\u00c3\u00a9rt',
      'content-disposition': 'inline',
      'content-encoding': 'gzip-not-really',
      'x-other': 'is not kept',
    });
    expect(stored.status).toBe(201);
    expect(await stored.text()).toBe('');
    expect(stored.headers.get('etag')).toBe(helloEtag);
    expect(stored.headers.get('content-length')).toBe('0');
    expect(stored.headers.get('content-type')).toBe('text/html; charset=UTF-8');

    const got = await get('a.txt');
    expect(got.status).toBe(200);
    expect(await got.text()).toBe(hello);
    const headers = Object.fromEntries(got.headers);
    expect(headers).toMatchObject({
      'content-length': '11',
      'content-type': 'text/plain; charset=UTF-8',
      'content-disposition': 'inline',
      'content-encoding': 'gzip-not-really',
      'accept-ranges': 'bytes',
      etag: helloEtag,
      'last-modified': stored.headers.get('last-modified'),
      'x-timestamp': expect.stringMatching(/^\d{10}\.\d{5}$/),
      'x-object-meta-color': 'red',
      'x-object-meta-my-key': 'w\u00c3\u00a9rt',
      'x-trans-id': expect.stringMatching(/^tx/),
    });
    expect(headers).not.toHaveProperty('x-other');
    expect(Math.ceil(Number(headers['x-timestamp'])) * 1000).toBe(Date.parse(headers['last-modified']!));

    const {
      date,
      connection,
      'keep-alive': keepAlive,
      'x-trans-id': id,
      'x-openstack-request-id': requestId,
      ...rest
    } = headers;
    const {
      date: d,
      connection: c,
      'x-trans-id': i,
      'x-openstack-request-id': r,
      ...headRest
    } = Object.fromEntries((await head('a.txt')).headers);
    expect(headRest).toEqual(rest);
  });

  test('an object of many megabytes comes back whole, an empty one empty', async () => {
    const body = Buffer.alloc(5_000_001, 'some text that repeats itself ');
    expect((await put('big', body)).headers.get('etag')).toBe(createHash('md5').update(body).digest('hex'));
    expect(Buffer.from(await (await get('big')).arrayBuffer()).equals(body)).toBe(true);
    expect((await put('empty', '')).headers.get('etag')).toBe('d41d8cd98f00b204e9800998ecf8427e');
    expect((await get('empty')).headers.get('content-length')).toBe('0');
  });

  test('a stream of unknown length is stored', async () => {
    const body = new ReadableStream({
      start(controller) {
        for (const piece of ['one ', 'two ', 'three']) controller.enqueue(Buffer.from(piece));
        controller.close();
      },
    });
    const init = { method: 'PUT', body, duplex: 'half' } as RequestInit;
    expect((await server.request(`${container}/streamed`, init)).status).toBe(201);
    expect(await (await get('streamed')).text()).toBe('one two three');
  });

  test.each([
    ['d%C3%A9j%C3%A0%20vu', 'déjà vu'],
    ['a%2Fb', 'a/b'],
    ['100%25', '100%'],
    ['dir/', 'dir/'],
    ['a//b', 'a//b'],
    ['what%3F', 'what?'],
    ['%F0%9F%98%80', '😀'],
  ])('the name %s is %s', async (encoded, name) => {
    expect((await put(encoded, 'x')).status).toBe(201);
    expect((await get(encoded)).status).toBe(200);
    const answer = await server.request(`${container}?format=json`);
    const listing = (await answer.json()) as { name: string }[];
    expect(listing.map((entry) => entry.name)).toContain(name);
    expect((await remove(encoded)).status).toBe(204);
  });

  test('the content type is guessed from the name when none is sent', async () => {
    await server.request(`${container}/page.html`, { method: 'PUT', body: Buffer.from('x') });
    expect((await head('page.html')).headers.get('content-type')).toBe('text/html');
    await server.request(`${container}/thing`, { method: 'PUT', body: Buffer.from('x') });
    expect((await head('thing')).headers.get('content-type')).toBe('application/octet-stream');
    await put('told.html', 'x', { 'content-type': 'a/b', 'x-detect-content-type': 'true' });
    expect((await head('told.html')).headers.get('content-type')).toBe('text/html');
  });

  test('the wrong ETag is refused and nothing is stored', async () => {
    const refused = await put('wrong', hello, { etag: '0'.repeat(32) });
    expect(refused.status).toBe(422);
    expect((await get('wrong')).status).toBe(404);
    expect((await put('right', hello, { etag: `"${helloEtag}"` })).status).toBe(201);
    expect((await put('unsaid', hello, { etag: '""' })).status).toBe(201);
  });

  test('If-None-Match: * stores only what is not there', async () => {
    expect((await put('once', 'first', { 'if-none-match': '*' })).status).toBe(201);
    expect((await put('once', 'second', { 'if-none-match': '*' })).status).toBe(412);
    expect(await (await get('once')).text()).toBe('first');
    const other = await put('once', 'third', { 'if-none-match': `"${helloEtag}"` });
    expect([other.status, await other.text()]).toEqual([400, 'If-None-Match only supports *']);
  });

  test.each(['if-match', 'if-unmodified-since', 'if-modified-since'])('a write with %s is refused', async (name) => {
    for (const method of ['PUT', 'POST', 'DELETE']) {
      const refused = await server.request(`${container}/a.txt`, { method, headers: { [name]: 'x' } });
      expect(refused.status).toBe(501);
    }
    expect((await get('a.txt')).status).toBe(200);
  });

  test('a POST replaces the metadata and leaves content and type', async () => {
    await put('posted', hello, { 'content-type': 'a/b', 'x-object-meta-old': '1', 'content-disposition': 'inline' });
    const before = await head('posted');
    const posted = await post('posted', { 'x-object-meta-new': '2', 'content-encoding': 'zip' });
    expect(posted.status).toBe(202);
    expect(await posted.text()).toBe('<html><h1>Accepted</h1><p>The request is accepted for processing.</p></html>');
    const { headers } = await head('posted');
    expect(headers.get('x-object-meta-old')).toBeNull();
    expect(headers.get('content-disposition')).toBeNull();
    expect(headers.get('x-object-meta-new')).toBe('2');
    expect(headers.get('content-encoding')).toBe('zip');
    expect(headers.get('content-type')).toBe('a/b');
    expect(headers.get('etag')).toBe(helloEtag);
    expect(Number(headers.get('x-timestamp'))).toBeGreaterThan(Number(before.headers.get('x-timestamp')));

    await post('posted', { 'content-type': 'c/d' });
    expect((await head('posted')).headers.get('content-type')).toBe('c/d');
    expect((await head('posted')).headers.get('x-object-meta-new')).toBeNull();
  });

  test('a DELETE removes, and there is nothing to remove twice', async () => {
    await put('gone', 'x');
    expect((await remove('gone')).status).toBe(204);
    expect((await remove('gone')).status).toBe(404);
    expect((await get('gone')).status).toBe(404);
    expect((await head('gone')).status).toBe(404);
    expect((await post('gone', {})).status).toBe(404);
  });

  test('nothing is found in a container that is not there', async () => {
    for (const method of ['GET', 'HEAD', 'PUT', 'POST', 'DELETE']) {
      const answer = await server.request('/v1/AUTH_test/nowhere/o', { method });
      expect([method, answer.status]).toEqual([method, 404]);
    }
  });

  test('a POST sets, moves and takes away the expiry', async () => {
    await put('expiring', 'x', { 'x-delete-at': '5000000000' });
    await post('expiring', { 'x-delete-at': '6000000000' });
    expect((await head('expiring')).headers.get('x-delete-at')).toBe('6000000000');
    await post('expiring', { 'x-object-meta-a': '1' });
    expect((await head('expiring')).headers.get('x-delete-at')).toBeNull();
    const refused = await post('expiring', { 'x-delete-at': '1' });
    expect([refused.status, await refused.text()]).toEqual([400, 'X-Delete-At in past']);
  });

  test('rights: strangers 401, others 403, and what the ACLs give', async () => {
    const as = async (user: string | undefined, method: string) => {
      const headers = { 'x-auth-token': user ? await server.token(user) : '' };
      return (await server.request(`${container}/a.txt`, { method, headers })).status;
    };
    for (const method of ['GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'COPY']) {
      const headers = { 'x-auth-token': '', destination: 'objects/b' };
      expect((await server.request(`${container}/a.txt`, { method, headers })).status).toBe(401);
    }
    expect(await as('test:tester3', 'GET')).toBe(403);
    expect(await as('test2:tester2', 'PUT')).toBe(403);
    const set = (read: string, write: string) =>
      server.request(container, { method: 'POST', headers: { 'x-container-read': read, 'x-container-write': write } });
    await set('test:tester3', 'test2');
    expect(await as('test:tester3', 'GET')).toBe(200);
    expect(await as('test:tester3', 'POST')).toBe(403);
    expect(await as('test2:tester2', 'GET')).toBe(403);
    expect(await as('test2:tester2', 'POST')).toBe(202);
    await set('.r:*', '');
    expect(await as(undefined, 'GET')).toBe(200);
    expect(await as(undefined, 'PUT')).toBe(401);
    await set('', '');
  });

  test('OPTIONS lists the methods, others are 405', async () => {
    const options = await server.request(`${container}/a.txt`, { method: 'OPTIONS' });
    expect(options.status).toBe(200);
    const allowed = options.headers.get('allow')!.split(', ');
    expect(allowed).toEqual(expect.arrayContaining(['GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'COPY', 'OPTIONS']));
    const refused = await server.request(`${container}/a.txt`, { method: 'PATCH' });
    expect(refused.status).toBe(405);
    expect(refused.headers.get('allow')!.split(', ')).toEqual(expect.arrayContaining(['GET', 'PUT']));
  });
});

test('an expired object is gone at once, for every method', async () => {
  let nowMs = Date.now();
  const server = await startServer({ now: () => nowMs });
  const send = (method: string, headers: Record<string, string> = {}, body?: string) =>
    server.request(`${container}/short`, { method, headers, body });
  await server.request(container, { method: 'PUT' });
  await send('PUT', { 'x-delete-after': '60' }, 'x');
  expect((await send('HEAD')).headers.get('x-delete-at')).toBe(String(Math.floor(nowMs / 1000) + 60));
  nowMs += 61_000;
  for (const method of ['GET', 'HEAD', 'POST', 'DELETE']) {
    expect([method, (await send(method)).status]).toEqual([method, 404]);
  }
  expect((await send('COPY', { destination: 'objects/other' })).status).toBe(404);
  expect((await send('PUT', { 'if-none-match': '*' }, 'new')).status).toBe(201);
  expect(await (await send('GET')).text()).toBe('new');
  await server.close();
});
