import { createHash } from 'node:crypto';
import { startServer, type TestServer } from '../support/server';

const base = '/v1/AUTH_test';
const digits = '0123456789';
const etag = createHash('md5').update(digits).digest('hex');

describe.each([
  ['in one process', false],
  ['with a separate object server', true],
])('copies, %s', (_, split) => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startServer({ split });
    for (const name of ['from', 'to']) await server.request(`${base}/${name}`, { method: 'PUT' });
    const headers = { 'x-auth-token': await server.token('test2:tester2') };
    await server.request('/v1/AUTH_test2/theirs', { method: 'PUT', headers });
  });
  afterAll(() => server.close());

  beforeEach(async () => {
    await server.request(`${base}/from/o`, {
      method: 'PUT',
      body: digits,
      headers: {
        'content-type': 'text/x-a',
        'x-object-meta-a': '1',
        'x-object-meta-b': '2',
        'content-encoding': 'zip',
        'x-delete-at': '5000000000',
      },
    });
  });

  const copy = (headers: Record<string, string>, source = 'from/o') =>
    server.request(`${base}/${source}`, { method: 'COPY', headers });
  const copyFrom = (headers: Record<string, string>, target = 'to/p', body?: string) =>
    server.request(`${base}/${target}`, { method: 'PUT', headers: { 'content-type': '', ...headers }, body });
  const read = (path: string) => server.request(`${base}/${path}`);
  const text = async (path: string) => (await read(path)).text();

  test('COPY takes content, type, metadata and expiry along', async () => {
    const copied = await copy({ destination: 'to/a%20b' });
    expect(copied.status).toBe(201);
    expect(Object.fromEntries(copied.headers)).toMatchObject({
      etag,
      'content-length': '0',
      'last-modified': expect.any(String),
      'x-copied-from': 'from/o',
      'x-copied-from-account': 'AUTH_test',
      'x-copied-from-last-modified': (await read('from/o')).headers.get('last-modified'),
      'x-object-meta-a': '1',
      'x-object-meta-b': '2',
      'x-delete-at': '5000000000',
    });
    const got = await read('to/a%20b');
    expect(await got.text()).toBe(digits);
    expect(Object.fromEntries(got.headers)).toMatchObject({
      etag,
      'content-type': 'text/x-a',
      'content-encoding': 'zip',
      'x-object-meta-a': '1',
      'x-object-meta-b': '2',
      'x-delete-at': '5000000000',
    });
  });

  test('PUT with X-Copy-From does the same', async () => {
    const copied = await copyFrom({ 'x-copy-from': '/from/o' });
    expect([copied.status, copied.headers.get('x-copied-from')]).toEqual([201, 'from/o']);
    expect(await text('to/p')).toBe(digits);
    const refused = await copyFrom({ 'x-copy-from': '/from/o' }, 'to/q', 'a body');
    expect([refused.status, await refused.text()]).toEqual([400, 'Copy requests require a zero byte body']);
    expect((await read('to/q')).status).toBe(404);
  });

  test('what the request names wins over what the source has', async () => {
    await copy({
      destination: 'to/b',
      'content-type': 'x/y',
      'x-object-meta-a': '9',
      'x-object-meta-c': '3',
      'x-delete-at': '6000000000',
    });
    expect(Object.fromEntries((await read('to/b')).headers)).toMatchObject({
      'content-type': 'x/y',
      'content-encoding': 'zip',
      'x-object-meta-a': '9',
      'x-object-meta-b': '2',
      'x-object-meta-c': '3',
      'x-delete-at': '6000000000',
    });
  });

  test('X-Fresh-Metadata keeps only content and type', async () => {
    await copy({ destination: 'to/c', 'x-fresh-metadata': 'true', 'x-object-meta-c': '3' });
    const { headers } = await read('to/c');
    expect(headers.get('content-type')).toBe('text/x-a');
    expect(headers.get('x-object-meta-c')).toBe('3');
    for (const name of ['x-object-meta-a', 'content-encoding', 'x-delete-at']) expect(headers.get(name)).toBeNull();
  });

  test('an object copied onto itself gets new metadata and keeps the old ones', async () => {
    expect((await copy({ destination: 'from/o', 'x-object-meta-self': '1' })).status).toBe(201);
    const got = await read('from/o');
    expect(await got.text()).toBe(digits);
    expect(got.headers.get('x-object-meta-self')).toBe('1');
    expect(got.headers.get('x-object-meta-a')).toBe('1');
  });

  test('the copy lives on when the source is overwritten and deleted', async () => {
    const big = Buffer.alloc(300_000, 'big');
    await server.request(`${base}/from/big`, { method: 'PUT', body: big });
    await copy({ destination: 'to/big' }, 'from/big');
    await server.request(`${base}/from/big`, { method: 'PUT', body: 'small' });
    await server.request(`${base}/from/big`, { method: 'DELETE' });
    expect(Buffer.from(await (await read('to/big')).arrayBuffer()).equals(big)).toBe(true);
  });

  test('a Range copies that part', async () => {
    const copied = await copy({ destination: 'to/part', range: 'bytes=2-4' });
    expect(copied.status).toBe(201);
    expect(copied.headers.get('etag')).toBe(createHash('md5').update('234').digest('hex'));
    const got = await read('to/part');
    expect([await got.text(), got.headers.get('x-object-meta-a')]).toEqual(['234', '1']);
    expect((await copy({ destination: 'to/none', range: 'bytes=100-' })).status).toBe(416);
    expect((await copy({ destination: 'to/none', range: 'bytes=0-1,4-5' })).status).toBe(400);
    expect((await copy({ destination: 'to/none', range: 'bytes=2-4', etag: 'foo' })).status).toBe(422);
    expect((await copy({ destination: 'to/unsaid', range: 'bytes=2-4', etag: '""' })).status).toBe(201);
    expect((await read('to/none')).status).toBe(404);
    expect((await copy({ destination: 'to/all', range: 'nonsense' })).status).toBe(201);
    expect(await text('to/all')).toBe(digits);
  });

  test.each<[Record<string, string>, number]>([
    [{ 'if-match': etag }, 201],
    [{ 'if-match': 'x' }, 412],
    [{ 'if-none-match': etag }, 304],
    [{ 'if-none-match': 'x' }, 400],
    [{ 'if-modified-since': 'Thu, 01 Jan 2099 00:00:00 GMT' }, 304],
    [{ 'if-unmodified-since': 'Thu, 01 Jan 2009 00:00:00 GMT' }, 412],
  ])('conditions are about the source: %j answers %d', async (headers, status) => {
    await server.request(`${base}/to/conditional`, { method: 'DELETE' });
    expect((await copy({ destination: 'to/conditional', ...headers })).status).toBe(status);
    expect((await read('to/conditional')).status).toBe(status === 201 ? 200 : 404);
  });

  test.each([
    [{}, 'Destination header required'],
    [{ destination: 'to' }, 'Destination header must be of the form <container name>/<object name>'],
    [{ destination: 'to/%ff' }, 'Invalid UTF8 or contains NULL'],
    [{ destination: 'to/a', 'destination-account': 'a/b' }, 'Account name cannot contain slashes'],
  ])('%j is refused with 412', async (headers, sentence) => {
    const refused = await copy(headers as Record<string, string>);
    expect([refused.status, await refused.text()]).toEqual([412, sentence]);
  });

  test('a source or a container that is not there is 404, a name too long 400', async () => {
    expect((await copy({ destination: 'to/x' }, 'from/nothing')).status).toBe(404);
    expect((await copy({ destination: 'nowhere/x' })).status).toBe(404);
    expect((await copyFrom({ 'x-copy-from': 'nowhere/x' })).status).toBe(404);
    expect((await copy({ destination: `to/${'n'.repeat(1025)}` })).status).toBe(400);
  });

  test('metadata of source and request together keep to the limits', async () => {
    const many = (prefix: string, count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`x-object-meta-${prefix}${i}`, '1']));
    await server.request(`${base}/from/many`, { method: 'PUT', headers: many('a', 80) });
    const refused = await copy({ destination: 'to/many', ...many('b', 20) }, 'from/many');
    expect([refused.status, await refused.text()]).toEqual([400, 'Too many metadata items; max 90']);
  });

  test('rights on both sides are needed, also across accounts', async () => {
    const theirs = { 'x-auth-token': await server.token('test2:tester2') };
    const pull = () =>
      server.request('/v1/AUTH_test2/theirs/o', {
        method: 'PUT',
        headers: { ...theirs, 'x-copy-from': 'from/o', 'x-copy-from-account': 'AUTH_test' },
      });
    const push = () => copy({ destination: 'theirs/pushed', 'destination-account': 'AUTH_test2' });
    expect((await pull()).status).toBe(403);
    expect((await push()).status).toBe(403);
    await server.request(`${base}/from`, { method: 'POST', headers: { 'x-container-read': 'test2' } });
    await server.request('/v1/AUTH_test2/theirs', {
      method: 'POST',
      headers: { ...theirs, 'x-container-write': 'test' },
    });
    const pulled = await pull();
    expect([pulled.status, pulled.headers.get('x-copied-from-account')]).toEqual([201, 'AUTH_test']);
    expect((await push()).status).toBe(201);
    const got = await server.request('/v1/AUTH_test2/theirs/pushed', { headers: theirs });
    expect(await got.text()).toBe(digits);
    expect((await copy({ destination: 'to/x', 'x-auth-token': '' })).status).toBe(401);
  });

  test('copies of an object that is replaced all the time are one version or another, never a mixture', async () => {
    const versions = Array.from({ length: 8 }, (_, i) => String(i).repeat(100_000));
    const path = `${base}/from/restless`;
    await server.request(path, { method: 'PUT', body: versions[0]! });
    const writer = (async () => {
      for (const body of versions) await server.request(path, { method: 'PUT', body });
    })();
    const statuses = await Promise.all(
      versions.map(async (_, i) => (await copy({ destination: `to/restless${i}` }, 'from/restless')).status),
    );
    await writer;
    for (const [i, status] of statuses.entries()) {
      expect(status).toBe(201);
      expect(versions).toContain(await text(`to/restless${i}`));
    }
  });
});
