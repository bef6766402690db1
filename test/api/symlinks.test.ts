import { startServer, type TestServer } from '../support/server';
import { JobClient } from './jobs-support';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
  for (const name of ['c', 'links', 'closed']) await put(name);
  await put('c/object', 'some text', { 'content-type': 'text/x-target', 'x-object-meta-color': 'blue' });
});
afterAll(() => server.close());

const url = (path: string, account = 'test') => `${server.storageUrl(account)}/${path}`;
const etagOfText = '552e21cd4cd9918678e3c1a0df491bc3';

async function put(path: string, body?: string, headers: Record<string, string> = {}): Promise<Response> {
  const response = await server.request(url(path), { method: 'PUT', body, headers });
  await response.arrayBuffer();
  return response;
}

async function get(path: string, init: RequestInit = {}): Promise<{ status: number; headers: Headers; text: string }> {
  const response = await server.request(url(path), { redirect: 'manual', ...init });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

async function link(path: string, target: string, headers: Record<string, string> = {}): Promise<Response> {
  return put(path, undefined, { 'x-symlink-target': target, ...headers });
}

test('a link reads as its target and says where that is', async () => {
  expect((await link('links/a', 'c/object')).status).toBe(201);
  const answer = await get('links/a');
  expect(answer).toMatchObject({ status: 200, text: 'some text' });
  expect(answer.headers.get('content-location')).toBe('/v1/AUTH_test/c/object');
  expect(answer.headers.get('content-type')).toBe('text/x-target');
  expect(answer.headers.get('etag')).toBe(etagOfText);
  expect(answer.headers.get('x-object-meta-color')).toBe('blue');
  const head = await get('links/a', { method: 'HEAD' });
  expect(head.headers.get('content-length')).toBe('9');
  expect((await get('links/a', { headers: { range: 'bytes=5-8' } })).text).toBe('text');
  expect((await get('links/a', { headers: { 'if-none-match': etagOfText } })).status).toBe(304);
});

test('symlink=get shows the link itself', async () => {
  await link('links/b', 'c/with%20space', { 'x-symlink-target-account': 'AUTH_test', 'x-object-meta-own': 'x' });
  const { status, headers, text } = await get('links/b?symlink=get');
  expect({ status, text }).toEqual({ status: 200, text: '' });
  expect(headers.get('x-symlink-target')).toBe('c/with%20space');
  expect(headers.get('x-symlink-target-account')).toBe('AUTH_test');
  expect(headers.get('content-type')).toBe('application/symlink');
  expect(headers.get('x-object-meta-own')).toBe('x');
  expect((await get('links/b?symlink=get', { method: 'HEAD' })).headers.get('content-length')).toBe('0');
});

test('a link to nothing is 404 and names the place', async () => {
  await link('links/nowhere', 'c/missing');
  const { status, headers } = await get('links/nowhere');
  expect(status).toBe(404);
  expect(headers.get('content-location')).toBe('/v1/AUTH_test/c/missing');
  expect((await get('links/nowhere', { headers: { 'if-match': '*' } })).status).toBe(412);
});

test('at most two links in a row are followed', async () => {
  await link('links/one', 'c/object');
  await link('links/two', 'links/one');
  await link('links/three', 'links/two');
  expect((await get('links/two')).text).toBe('some text');
  expect(await get('links/three')).toMatchObject({
    status: 409,
    text: 'Too many levels of symbolic links, maximum allowed is 2',
  });
  await link('links/x', 'links/y');
  await link('links/y', 'links/x');
  expect((await get('links/x')).status).toBe(409);
});

test.each([
  [{ 'x-symlink-target': '/c/object' }, 412],
  [{ 'x-symlink-target': 'c' }, 412],
  [{ 'x-symlink-target': 'c/' }, 412],
  [{ 'x-symlink-target': 'links/bad' }, 400],
  [{ 'x-symlink-target': 'c/object', 'x-symlink-target-account': 'a/b' }, 412],
  [{ 'x-symlink-target': 'c/object', 'x-symlink-target-etag': 'a;b' }, 400],
  [{ 'x-symlink-target': 'c/object', 'x-symlink-target-etag': 'another' }, 409],
  [{ 'x-symlink-target': 'c/missing', 'x-symlink-target-etag': etagOfText }, 409],
])('refuses %j with %i', async (headers: Record<string, string>, status) => {
  expect((await put('links/bad', undefined, headers)).status).toBe(status);
  expect((await get('links/bad?symlink=get')).status).toBe(404);
});

test('refuses a link with a body, however it comes', async () => {
  const headers = { 'x-symlink-target': 'c/object' };
  expect((await put('links/bad', 'body', headers)).status).toBe(400);
  const chunked = await server.raw(
    `PUT /v1/AUTH_test/links/bad HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Auth-Token: ${await server.token()}\r\n` +
      'X-Symlink-Target: c/object\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n',
  );
  expect(chunked).toMatch(/^HTTP\/1.1 400 /);
  expect(chunked).toContain('Symlink requests require a zero byte body');
});

test('a static link holds its target to one content', async () => {
  await put('c/fixed', 'first', { 'content-type': 'text/x-fixed' });
  const etag = '8b04d5e3775d298e78455efc5ca404d5';
  expect((await link('links/static', 'c/fixed', { 'x-symlink-target-etag': `"${etag}"` })).status).toBe(201);
  expect((await get('links/static')).text).toBe('first');
  const { headers } = await get('links/static?symlink=get');
  expect(headers.get('x-symlink-target-etag')).toBe(etag);
  expect(headers.get('x-symlink-target-bytes')).toBe('5');
  expect(headers.get('content-type')).toBe('text/x-fixed');

  await put('c/fixed', 'other');
  const changed = await get('links/static');
  expect(changed.status).toBe(409);
  expect(changed.text).toBe(
    `Object Etag '795f3202b17cb6bc3d4b771d8c6c9eaf' does not match X-Symlink-Target-Etag header '${etag}'`,
  );
  expect(changed.headers.get('content-location')).toBe('/v1/AUTH_test/c/fixed');
});

test('every hop is read with the rights of the caller', async () => {
  await put('closed/secret', 'secret');
  await link('links/closed', 'closed/secret');
  const headers = { 'x-container-read': 'test:tester3' };
  await (await server.request(url('links'), { method: 'POST', headers })).arrayBuffer();
  const asOther = { headers: { 'x-auth-token': await server.token('test:tester3') } };
  const denied = await get('links/closed', asOther);
  expect(denied.status).toBe(403);
  expect(denied.text).not.toContain('secret');
  expect(denied.headers.get('content-location')).toBe('/v1/AUTH_test/closed/secret');
  expect((await get('links/closed?symlink=get', asOther)).status).toBe(200);
  await (await server.request(url('closed'), { method: 'POST', headers })).arrayBuffer();
  expect((await get('links/closed', asOther)).text).toBe('secret');
});

test('a static link cannot be used to probe what the caller may not read', async () => {
  const token = await server.token('test2:tester2');
  await (await server.request(url('mine', 'test2'), { method: 'PUT', headers: { 'x-auth-token': token } })).text();
  const response = await server.request(url('mine/probe', 'test2'), {
    method: 'PUT',
    headers: {
      'x-auth-token': token,
      'x-symlink-target': 'c/object',
      'x-symlink-target-account': 'AUTH_test',
      'x-symlink-target-etag': etagOfText,
    },
  });
  expect(response.status).toBe(403);
});

test('POST changes the link and sends the client on', async () => {
  await link('links/posted', 'c/object');
  const headers = { 'x-object-meta-new': 'yes' };
  const answer = await get('links/posted', { method: 'POST', headers });
  expect(answer.status).toBe(307);
  expect(answer.headers.get('location')).toBe('/v1/AUTH_test/c/object');
  expect((await get('links/posted?symlink=get')).headers.get('x-object-meta-new')).toBe('yes');
  expect((await get('links/posted')).headers.get('x-object-meta-new')).toBeNull();
  const asLink = await get('c/object', { method: 'POST', headers: { 'x-symlink-target': 'c/other' } });
  expect(asLink.status).toBe(400);
});

test('DELETE and PUT act on the link', async () => {
  await link('links/gone', 'c/object');
  expect((await get('links/gone', { method: 'DELETE' })).status).toBe(204);
  expect((await get('c/object')).status).toBe(200);
  await link('links/gone', 'c/object');
  await put('links/gone', 'plain');
  expect(await get('links/gone')).toMatchObject({ status: 200, text: 'plain' });
  expect((await get('c/object')).text).toBe('some text');
});

test('a copy takes the target, or with symlink=get the link', async () => {
  await link('links/source', 'c/object');
  const copied = await put('c/copied', undefined, { 'x-copy-from': 'links/source' });
  expect(copied.status).toBe(201);
  expect(copied.headers.get('x-copied-from')).toBe('links/source');
  expect((await get('c/copied?symlink=get')).text).toBe('some text');
  await put('c/part', undefined, { 'x-copy-from': 'links/source', range: 'bytes=0-3' });
  expect((await get('c/part')).text).toBe('some');

  const destination = { destination: 'links/twin' };
  expect((await get('links/source?symlink=get', { method: 'COPY', headers: destination })).status).toBe(201);
  expect((await get('links/twin?symlink=get')).headers.get('x-symlink-target')).toBe('c/object');
  expect((await get('links/twin')).text).toBe('some text');
  const self = { destination: 'c/object' };
  expect((await get('links/source?symlink=get', { method: 'COPY', headers: self })).status).toBe(400);
});

test('JSON listings name the targets', async () => {
  await put('listed');
  await link('listed/dynamic', 'c/obj%20ect');
  await link('listed/static', 'c/object', { 'x-symlink-target-etag': etagOfText });
  await put('listed/plain', 'x');
  const rows = JSON.parse((await get('listed?format=json')).text);
  expect(rows).toMatchObject([
    { name: 'dynamic', bytes: 0, symlink_path: '/v1/AUTH_test/c/obj%20ect' },
    { name: 'plain', bytes: 1 },
    { name: 'static', bytes: 0, symlink_path: '/v1/AUTH_test/c/object', symlink_etag: etagOfText, symlink_bytes: 9 },
  ]);
  expect(rows[0]).not.toHaveProperty('symlink_etag');
  expect(rows[1]).not.toHaveProperty('symlink_path');
});

describe.each([
  ['in one process', {}],
  ['split in proxy and object server', { split: true }],
])('jobs, %s', (_, options) => {
  let jobs: TestServer;
  let client: JobClient;
  let cat: string;

  beforeAll(async () => {
    jobs = await startServer(options);
    client = new JobClient(jobs);
    cat = await client.guest('cat');
    for (const name of ['data', 'links']) await client.put(name);
    await client.put('data/hello', 'hello world');
    const other = { 'x-auth-token': await jobs.token('test2:tester2') };
    for (const [name, acl] of [
      ['open', 'test:tester'],
      ['closed', ''],
    ] as const) {
      await client.send('PUT', `/v1/AUTH_test2/${name}`, { ...other, 'x-container-read': acl });
      await client.send('PUT', `/v1/AUTH_test2/${name}/text`, other, `${name} text`);
    }
    const link = (name: string, target: string, account = 'AUTH_test') =>
      client.put(`links/${name}`, undefined, { 'x-symlink-target': target, 'x-symlink-target-account': account });
    await link('hello', 'data/hello');
    await link('program', 'bin/cat');
    await link('open', 'open/text', 'AUTH_test2');
    await link('closed', 'closed/text', 'AUTH_test2');
    await link('nothing', 'data/nothing');
    await link('round', 'links/about');
    await link('about', 'links/round');
  });
  afterAll(() => jobs.close());

  const read = (input: string, exec = cat) =>
    client.job([
      {
        name: 'reader',
        exec: { path: exec },
        devices: [{ name: 'stdin', path: `swift://~/links/${input}` }, { name: 'stdout' }],
      },
    ]);

  test('read what their inputs and programs stand for', async () => {
    expect(await read('hello')).toMatchObject({ status: 200, body: 'hello world' });
    expect(await read('hello', 'swift://~/links/program')).toMatchObject({ status: 200, body: 'hello world' });
    expect(await read('nothing')).toMatchObject({ status: 404 });
    expect(await read('round')).toMatchObject({ status: 409 });
  });

  test('need the right to read the target', async () => {
    expect(await read('open')).toMatchObject({ status: 200, body: 'open text' });
    expect(await read('closed')).toMatchObject({ status: 403 });
  });

  test('do not take a link for an application', async () => {
    const headers = { 'x-zerovm-source': 'swift://AUTH_test/links/hello' };
    expect(await client.post('', headers)).toMatchObject({ status: 409 });
  });
});
