import { createHash } from 'node:crypto';
import { startServer, type TestServer } from '../support/server';

const base = '/v1/AUTH_test';
const md5 = (data: string) => createHash('md5').update(data).digest('hex');

describe.each([
  ['in one process', false],
  ['with a separate object server', true],
])('dynamic large objects, %s', (_, split) => {
  let server: TestServer;

  const put = (path: string, body?: string, headers: Record<string, string> = {}) =>
    server.request(`${base}/${path}`, { method: 'PUT', body, headers });
  const putManifest = (path: string, manifest: string, headers: Record<string, string> = {}) =>
    put(path, '', { 'x-object-manifest': manifest, 'content-type': 'text/d', ...headers });
  const get = (path: string, headers: Record<string, string> = {}) => server.request(`${base}/${path}`, { headers });
  const head = (path: string, headers: Record<string, string> = {}) =>
    server.request(`${base}/${path}`, { method: 'HEAD', headers });

  beforeAll(async () => {
    server = await startServer({ split, env: { CONTAINER_LISTING_LIMIT: '5' } });
    for (const name of ['seg', 'dlo', 'many']) await put(name);
    for (const [name, data] of Object.entries({ 'p/1': 'aaaaa', 'p/2': 'bbbbbbb', 'p/3': '', q: 'other' })) {
      await put(`seg/${name}`, data);
    }
    for (let i = 0; i < 12; i++)
      await put(`many/s${String(i).padStart(2, '0')}`, String.fromCharCode(97 + i).repeat(10));
  });
  afterAll(() => server.close());

  const whole = 'aaaaabbbbbbb';
  const wholeEtag = md5(md5('aaaaa') + md5('bbbbbbb') + md5(''));

  test('a prefix stands for all objects that begin with it', async () => {
    expect((await putManifest('dlo/o', 'seg/p/', { 'x-object-meta-color': 'blue' })).status).toBe(201);
    const got = await get('dlo/o');
    expect([got.status, await got.text()]).toEqual([200, whole]);
    const seen = await head('dlo/o');
    for (const { headers } of [got, seen]) {
      expect(Object.fromEntries(headers)).toMatchObject({
        'content-length': '12',
        'content-type': 'text/d',
        etag: `"${wholeEtag}"`,
        'x-object-manifest': 'seg/p/',
        'x-object-meta-color': 'blue',
      });
    }
    await put('seg/p/4', '!');
    expect(await (await get('dlo/o')).text()).toBe(`${whole}!`);
    await server.request(`${base}/seg/p/4`, { method: 'DELETE' });
    expect(await (await get('dlo/o')).text()).toBe(whole);
  });

  test('the manifest may be percent-encoded, and have a body of its own', async () => {
    await put('dlo/encoded', 'own body', { 'x-object-manifest': 'seg/%70%2F' });
    const got = await get('dlo/encoded');
    expect([await got.text(), got.headers.get('x-object-manifest')]).toEqual([whole, 'seg/%70%2F']);
    const own = await get('dlo/encoded?multipart-manifest=get');
    expect([await own.text(), own.headers.get('etag')]).toEqual(['own body', md5('own body')]);
    expect((await head('dlo/encoded?multipart-manifest=get')).headers.get('content-length')).toBe('8');
    const listing = (await (await get('dlo?format=json&prefix=encoded')).json()) as { bytes: number }[];
    expect(listing[0]!.bytes).toBe(8);
  });

  test('the manifest may mix text and percent-encoding', async () => {
    await put('seg/%C3%BC%25ff', 'odd');
    await put('dlo/mixed', '', { 'x-object-manifest': Buffer.from('seg/ü%25f').toString('latin1') });
    expect(await (await get('dlo/mixed')).text()).toBe('odd');
  });

  test.each(['seg', 'seg/', '/p', 'seg//p', 'seg/p?x', 'seg/p&x', 'seg/%00', 'seg/%FF', ''])(
    'refuses the manifest %j',
    async (manifest) => {
      const answer = await putManifest('dlo/bad', manifest);
      expect([answer.status, await answer.text()]).toEqual([
        400,
        'X-Object-Manifest must be in the format container/prefix',
      ]);
    },
  );

  test('a prefix of nothing is an empty object, a container that is not there is 404', async () => {
    await putManifest('dlo/nothing', 'seg/zz');
    const nothing = await get('dlo/nothing');
    expect([nothing.status, await nothing.text(), nothing.headers.get('etag')]).toEqual([200, '', `"${md5('')}"`]);
    await putManifest('dlo/nowhere', 'nowhere/p');
    expect((await get('dlo/nowhere')).status).toBe(404);
    expect((await head('dlo/nowhere')).status).toBe(404);
    expect((await get('dlo/nowhere?multipart-manifest=get')).status).toBe(200);
  });

  test.each<[string, number, string]>([
    ['bytes=0-0', 206, 'a'],
    ['bytes=4-5', 206, 'ab'],
    ['bytes=-3', 206, 'bbb'],
    ['bytes=11-99', 206, 'b'],
    ['bytes=5-', 206, 'bbbbbbb'],
    ['bytes=0-1,3-4', 200, whole],
    ['bytes=5-3', 200, whole],
  ])('Range %s', async (range, status, expected) => {
    await putManifest('dlo/ranges', 'seg/p/');
    const got = await get('dlo/ranges', { range });
    expect([got.status, await got.text()]).toEqual([status, expected]);
  });

  test('a range behind the end is 416', async () => {
    await putManifest('dlo/ranges', 'seg/p/');
    const got = await get('dlo/ranges', { range: 'bytes=12-' });
    expect([got.status, got.headers.get('content-range')]).toEqual([416, 'bytes */12']);
  });

  test('conditions are about the etag of the whole', async () => {
    await putManifest('dlo/conditions', 'seg/p/');
    expect((await get('dlo/conditions', { 'if-match': `"${wholeEtag}"` })).status).toBe(200);
    expect((await get('dlo/conditions', { 'if-match': wholeEtag, range: 'bytes=0-1' })).status).toBe(206);
    expect((await get('dlo/conditions', { 'if-match': md5('') })).status).toBe(412);
    expect((await get('dlo/conditions', { 'if-none-match': wholeEtag })).status).toBe(304);
    expect((await head('dlo/conditions', { 'if-none-match': wholeEtag })).status).toBe(304);
    expect((await head('dlo/conditions', { 'if-match': md5('') })).status).toBe(412);
  });

  test('with more segments than one listing shows, the whole has no length and no etag', async () => {
    await putManifest('dlo/many', 'many/s');
    const all = Array.from({ length: 12 }, (_, i) => String.fromCharCode(97 + i).repeat(10)).join('');
    const got = await get('dlo/many');
    expect([got.status, await got.text(), got.headers.get('content-length')]).toEqual([200, all, null]);
    expect(got.headers.get('etag')).toBe(md5(''));
    expect((await head('dlo/many')).headers.get('content-length')).toBe(null);
    const known = await get('dlo/many', { range: 'bytes=8-11' });
    expect([known.status, await known.text()]).toEqual([206, 'aabb']);
    for (const range of ['bytes=45-55', 'bytes=-3', 'bytes=5-']) {
      const unknown = await get('dlo/many', { range });
      expect([unknown.status, await unknown.text()]).toEqual([200, all]);
    }
    const copied = await server.request(`${base}/dlo/many`, { method: 'COPY', headers: { destination: 'dlo/copy' } });
    expect(copied.status).toBe(413);
  });

  test('whoever reads needs the right to list and to read the segments', async () => {
    const stranger = { 'x-auth-token': await server.token('test2:tester2') };
    await put('open', undefined, { 'x-container-read': 'test2:tester2' });
    await put('open/p1', 'x');
    await putManifest('open/o', 'open/p');
    expect(await (await get('open/o', stranger)).text()).toBe('x');
    await putManifest('open/closed', 'seg/p/');
    expect((await get('open/closed', stranger)).status).toBe(403);
    expect((await get('open/closed', { 'x-auth-token': '' })).status).toBe(401);
  });

  test('a COPY has the content, with multipart-manifest=get the manifest', async () => {
    await putManifest('dlo/source', 'seg/p/', { 'x-object-meta-color': 'red' });
    const copy = (query: string, headers: Record<string, string>) =>
      server.request(`${base}/dlo/source${query}`, { method: 'COPY', headers });
    const plain = await copy('', { destination: 'dlo/plain' });
    expect([plain.status, plain.headers.get('etag')]).toEqual([201, md5(whole)]);
    const got = await get('dlo/plain');
    expect([await got.text(), got.headers.get('x-object-manifest'), got.headers.get('x-object-meta-color')]).toEqual([
      whole,
      null,
      'red',
    ]);
    await copy('', { destination: 'dlo/slice', range: 'bytes=4-5' });
    expect(await (await get('dlo/slice')).text()).toBe('ab');
    for (const fresh of ['false', 'true']) {
      await copy('?multipart-manifest=get', { destination: 'dlo/manifest', 'x-fresh-metadata': fresh });
      const manifest = await get('dlo/manifest');
      expect([await manifest.text(), manifest.headers.get('x-object-manifest')]).toEqual([whole, 'seg/p/']);
    }
    const other = { 'x-copy-from': 'dlo/plain', 'content-length': '0', 'x-object-manifest': 'seg/q' };
    expect((await put('dlo/mixed', undefined, other)).status).toBe(201);
    expect(await (await get('dlo/mixed')).text()).toBe('other');
    expect((await put('dlo/mixed', undefined, { ...other, 'x-object-manifest': 'bad' })).status).toBe(400);
  });

  test('a POST that does not name the manifest makes an ordinary object', async () => {
    await put('dlo/post', 'own', { 'x-object-manifest': 'seg/p/' });
    const post = (headers: Record<string, string>) => server.request(`${base}/dlo/post`, { method: 'POST', headers });
    await post({ 'x-object-manifest': 'seg/q', 'x-object-meta-a': 'b' });
    expect(await (await get('dlo/post')).text()).toBe('other');
    expect((await post({ 'x-object-manifest': 'bad' })).status).toBe(400);
    await post({ 'x-object-meta-a': 'b' });
    const got = await get('dlo/post');
    expect([await got.text(), got.headers.get('x-object-manifest')]).toEqual(['own', null]);
  });
});
