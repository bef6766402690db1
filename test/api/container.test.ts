import { startServer, type TestServer } from '../support/server';

describe.each([
  ['in one process', false],
  ['with a separate object server', true],
])('containers, %s', (_name, split) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ split });
  });
  afterAll(() => server.close());

  const request = (path: string, method = 'GET', headers: Record<string, string> = {}, body?: string) =>
    server.request(`/v1/AUTH_test/${path}`, { method, headers, body });
  const as = async (user: string, path: string, method = 'GET', headers: Record<string, string> = {}) =>
    request(path, method, { ...headers, 'x-auth-token': user && (await server.token(user)) });

  test('come into being, are found, and go', async () => {
    expect((await request('life')).status).toBe(404);
    expect((await request('life', 'POST')).status).toBe(404);
    expect((await request('life', 'DELETE')).status).toBe(404);
    expect((await request('life', 'PUT')).status).toBe(201);
    expect((await request('life', 'PUT')).status).toBe(202);
    expect((await request('life', 'POST')).status).toBe(204);
    const head = await request('life', 'HEAD');
    expect(head.status).toBe(204);
    expect(head.headers.get('x-container-object-count')).toBe('0');
    expect(head.headers.get('x-container-bytes-used')).toBe('0');
    expect(head.headers.get('x-timestamp')).toMatch(/^\d{10}\.\d{5}$/);
    expect(Date.parse(head.headers.get('last-modified')!)).toBeGreaterThanOrEqual(
      Number(head.headers.get('x-timestamp')) * 1000,
    );
    expect(head.headers.get('accept-ranges')).toBe('bytes');
    expect(head.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect((await request('life', 'DELETE')).status).toBe(204);
    expect((await request('life', 'HEAD')).status).toBe(404);
  });

  test('with objects in them stay, with 409', async () => {
    await request('full', 'PUT');
    await request('full/o', 'PUT', {}, 'hello');
    const head = await request('full', 'HEAD');
    expect([head.headers.get('x-container-object-count'), head.headers.get('x-container-bytes-used')]).toEqual([
      '1',
      '5',
    ]);
    const refused = await request('full', 'DELETE');
    expect(refused.status).toBe(409);
    expect(await refused.text()).toBe(
      '<html><h1>Conflict</h1><p>There was a conflict when trying to complete your request.</p></html>',
    );
    await request('full/o', 'DELETE');
    expect((await request('full', 'DELETE')).status).toBe(204);
  });

  test('have names of up to 256 characters', async () => {
    const longest = '%C3%BC'.repeat(256);
    expect((await request(longest, 'PUT')).status).toBe(201);
    const refused = await request(`${longest}x`, 'PUT');
    expect([refused.status, await refused.text()]).toEqual([400, 'Container name length of 257 longer than 256']);
    await request(longest, 'DELETE');
  });

  test('know one storage policy', async () => {
    const refused = await request('policy', 'PUT', { 'x-storage-policy': 'gold' });
    expect([refused.status, await refused.text()]).toEqual([400, "Invalid X-Storage-Policy 'gold'"]);
    expect((await request('policy', 'PUT', { 'x-storage-policy': 'Policy-0' })).status).toBe(201);
  });

  describe('the listing', () => {
    const names = ['a', 'b/1', 'b/2', 'b/c/3', 'c', 'ü'];
    const list = async (search: string) => (await request(`listed${search}`)).text();
    beforeAll(async () => {
      await request('listed', 'PUT');
      for (const name of names) await request(`listed/${encodeURI(name)}`, 'PUT', { 'content-type': 'text/x' }, 'x');
    });

    test.each([
      ['', 'a b/1 b/2 b/c/3 c ü'],
      ['?limit=2', 'a b/1'],
      ['?limit=0', ''],
      ['?marker=b/2', 'b/c/3 c ü'],
      ['?end_marker=b/2', 'a b/1'],
      ['?prefix=b/', 'b/1 b/2 b/c/3'],
      ['?delimiter=/', 'a b/ c ü'],
      ['?prefix=b/&delimiter=/', 'b/1 b/2 b/c/'],
      ['?delimiter=/&limit=2', 'a b/'],
      ['?delimiter=/&marker=b/', 'c ü'],
      ['?reverse=true&delimiter=/', 'ü c b/ a'],
      ['?path=', 'a c ü'],
      ['?path=b', 'b/1 b/2'],
      ['?path=b/', 'b/1 b/2'],
      ['?path=b/c', 'b/c/3'],
    ])('%s gives %s', async (search, expected) => {
      expect((await list(search)).split('\n').filter(Boolean).join(' ')).toBe(expected);
    });

    test('comes as JSON and XML', async () => {
      const json = await request('listed?delimiter=/&limit=2', 'GET', { accept: 'application/json' });
      expect(json.headers.get('vary')).toBe('Accept');
      expect(await json.json()).toEqual([
        {
          name: 'a',
          bytes: 1,
          hash: '9dd4e461268c8034f5c8564e155c67a6',
          content_type: 'text/x',
          last_modified: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/),
        },
        { subdir: 'b/' },
      ]);
      const xml = await request('listed?format=xml&delimiter=/&marker=a&limit=1');
      expect(xml.headers.get('vary')).toBeNull();
      expect(await xml.text()).toBe(
        '<?xml version="1.0" encoding="UTF-8"?>\n<container name="listed">' +
          '<subdir name="b/"><name>b/</name></subdir></container>',
      );
    });

    test.each([
      ['?limit=10001', 412],
      ['?marker=%ff', 400],
      ['?path=%ff', 400],
    ])('refuses %s with %i, before saying whether the container exists', async (search, status) => {
      expect((await request(`listed${search}`)).status).toBe(status);
      expect((await request(`missing${search}`)).status).toBe(status);
    });
  });

  describe('metadata', () => {
    const read = async (name: string) => (await request('meta', 'HEAD')).headers.get(name);
    beforeAll(() => request('meta', 'PUT', { 'x-container-meta-a': '1', 'x-container-meta-b': '2' }));

    test('are merged by PUT and POST, and removed by an empty value or X-Remove', async () => {
      await request('meta', 'POST', { 'x-container-meta-a': 'one' });
      await request('meta', 'PUT', { 'x-remove-container-meta-b': 'x', 'x-container-meta-c': '3' });
      expect([
        await read('x-container-meta-a'),
        await read('x-container-meta-b'),
        await read('x-container-meta-c'),
      ]).toEqual(['one', null, '3']);
      await request('meta', 'POST', { 'x-container-meta-a': '' });
      expect(await read('x-container-meta-a')).toBeNull();
    });

    test('an underscore in a name is a dash, as in names of object metadata', async () => {
      await request('meta', 'POST', { 'x-container-meta-under_score': '5' });
      expect([await read('x-container-meta-under-score'), await read('x-container-meta-under_score')]).toEqual([
        '5',
        null,
      ]);
      await request('meta', 'POST', { 'x-remove-container-meta-under_score': 'x' });
      expect(await read('x-container-meta-under-score')).toBeNull();
    });

    test('a value wins over a removal in the same request', async () => {
      await request('meta', 'POST', { 'x-remove-container-meta-d': 'x', 'x-container-meta-d': '4' });
      expect(await read('x-container-meta-d')).toBe('4');
    });

    test.each([
      ['x-container-sysmeta-x', 'x'],
      ['x-backend-x', 'x'],
      ['x-timestamp', '1.00000'],
    ])('%s from a client is not believed', async (name, value) => {
      await request('meta', 'POST', { [name]: value });
      expect(await read(name)).not.toBe(value);
    });

    test('their limits hold over several requests', async () => {
      const many = (from: number, count: number) =>
        Object.fromEntries(Array.from({ length: count }, (_, i) => [`x-container-meta-n${from + i}`, '1']));
      await request('limits', 'PUT', many(0, 60));
      const refused = await request('limits', 'POST', many(60, 31));
      expect([refused.status, await refused.text()]).toEqual([400, 'Too many metadata items; max 90']);
      expect((await request('limits', 'POST', many(60, 30))).status).toBe(204);
    });

    test('their limits hold over requests at once', async () => {
      await request('limits-at-once', 'PUT');
      const updates = ['a', 'b', 'c'].map((letter) =>
        request(
          'limits-at-once',
          'POST',
          Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`x-container-meta-${letter}${i}`, '1'])),
        ),
      );
      expect((await Promise.all(updates)).map(({ status }) => status).sort()).toEqual([204, 204, 400]);
    });
  });

  describe('ACLs', () => {
    beforeAll(async () => {
      await request('acl', 'PUT');
      await request('acl/o', 'PUT', {}, 'x');
    });
    const set = async (read: string, write = '') =>
      expect((await request('acl', 'POST', { 'x-container-read': read, 'x-container-write': write })).status).toBe(204);
    const access = async (user: string, headers: Record<string, string> = {}) => [
      (await as(user, 'acl', 'GET', headers)).status,
      (await as(user, 'acl/o', 'GET', headers)).status,
      (await as(user, 'acl/new', 'PUT', headers)).status,
    ];
    const stranger = '';

    test.each([
      ['', '', 'test:tester3', [403, 403, 403]],
      ['', '', stranger, [401, 401, 401]],
      ['test:tester3', '', 'test:tester3', [200, 200, 403]],
      ['test', '', 'test:tester3', [200, 200, 403]],
      ['test2', '', 'test:tester3', [403, 403, 403]],
      ['test2', '', 'test2:tester2', [200, 200, 403]],
      ['', 'test:tester3', 'test:tester3', [403, 403, 201]],
      ['.r:*', '', 'test:tester3', [403, 200, 403]],
      ['.r:*', '', stranger, [401, 200, 401]],
      ['.r:*,.rlistings', '', stranger, [200, 200, 401]],
      ['.rlistings', '', stranger, [401, 401, 401]],
    ])('read %p, write %p: %p gets %p', async (read, write, user, expected) => {
      await set(read, write);
      expect(await access(user)).toEqual(expected);
    });

    test('referrers are checked on every request', async () => {
      await set('.r:.good.example,.rlistings');
      expect(await access(stranger, { referer: 'http://www.good.example/x' })).toEqual([200, 200, 401]);
      expect(await access(stranger, { referer: 'http://www.bad.example/good.example' })).toEqual([401, 401, 401]);
      await set('');
      expect(await access(stranger, { referer: 'http://www.good.example/x' })).toEqual([401, 401, 401]);
    });

    test('are cleaned, shown to owners, and to nobody else', async () => {
      await set('.referrer : *.example.com, test:tester3,, .rlistings', ' test:tester3 ');
      const own = await request('acl', 'HEAD');
      expect(own.headers.get('x-container-read')).toBe('.r:.example.com,test:tester3,.rlistings');
      expect(own.headers.get('x-container-write')).toBe('test:tester3');
      const other = await as('test:tester3', 'acl', 'HEAD');
      expect(other.status).toBe(204);
      expect(other.headers.get('x-container-read')).toBeNull();
      expect(other.headers.get('x-container-write')).toBeNull();
    });

    test('that are none are refused with a page', async () => {
      const refused = await request('acl', 'POST', { 'x-container-write': '.r:*' });
      expect([refused.status, refused.headers.get('content-type')]).toEqual([400, 'text/html; charset=UTF-8']);
    });

    test('give no rights over the container itself', async () => {
      await set('test:tester3', 'test:tester3');
      for (const method of ['PUT', 'POST', 'DELETE']) {
        expect((await as('test:tester3', 'acl', method, { 'x-container-read': '.r:*' })).status).toBe(403);
      }
    });

    test('are removed by X-Remove', async () => {
      await set('.r:*', 'test:tester3');
      await request('acl', 'POST', { 'x-remove-container-read': 'x', 'x-remove-container-write': 'x' });
      const own = await request('acl', 'HEAD');
      expect([own.headers.get('x-container-read'), own.headers.get('x-container-write')]).toEqual([null, null]);
    });

    test.each([
      ['x-container-read', '.r:', "No host/domain value after referrer designation in ACL: '.r:'"],
      ['x-container-write', '.r:*', "Referrers not allowed in write ACL: '.r:*'"],
    ])('%s: %s is refused with 400', async (header, value, sentence) => {
      for (const method of ['PUT', 'POST']) {
        const answer = await request('acl', method, { [header]: value });
        expect([answer.status, await answer.text()]).toEqual([400, sentence]);
      }
    });

    test('a stranger learns nothing about containers that are not', async () => {
      for (const method of ['GET', 'HEAD', 'PUT', 'POST', 'DELETE']) {
        expect((await as(stranger, 'not-there', method)).status).toBe(401);
        expect((await as('test:tester3', 'not-there/o', method)).status).toBe(403);
      }
    });
  });

  describe('CORS', () => {
    const origin = 'http://shop.example';
    beforeAll(async () => {
      await request('cors', 'PUT', {
        'x-container-meta-access-control-allow-origin': `http://other.example ${origin}`,
        'x-container-meta-access-control-expose-headers': 'X-Extra',
        'x-container-meta-access-control-max-age': '60',
      });
      await request('closed', 'PUT');
    });
    const preflight = (path: string, headers: Record<string, string>) =>
      fetch(`${server.storageUrl()}/${path}`, { method: 'OPTIONS', headers });

    test('a preflight is answered as the container says', async () => {
      const answer = await preflight('cors/o', {
        origin,
        'access-control-request-method': 'PUT',
        'access-control-request-headers': 'x-auth-token, content-type',
      });
      expect(answer.status).toBe(200);
      expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
      expect(answer.headers.get('access-control-allow-methods')).toContain('PUT');
      expect(answer.headers.get('access-control-allow-headers')).toBe('x-auth-token, content-type');
      expect(answer.headers.get('access-control-max-age')).toBe('60');
    });

    test.each([
      ['another origin', 'cors', { origin: 'http://evil.example', 'access-control-request-method': 'GET' }],
      ['no method', 'cors', { origin }],
      ['an unknown method', 'cors', { origin, 'access-control-request-method': 'LICK' }],
      ['a container without settings', 'closed', { origin, 'access-control-request-method': 'GET' }],
      ['a container that is not there', 'nowhere', { origin, 'access-control-request-method': 'GET' }],
    ])('a preflight with %s is refused with 401', async (_what, path, headers) => {
      const answer = await preflight(path, headers as Record<string, string>);
      expect(answer.status).toBe(401);
      expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    });

    test('an empty origin is none', async () => {
      expect((await preflight('closed', { origin: '' })).status).toBe(200);
    });

    test('OPTIONS without an origin says what can be done', async () => {
      expect((await preflight('cors', {})).headers.get('allow')).toBe('HEAD, POST, PUT, OPTIONS, DELETE, GET');
    });

    test('answers, refusals too, are exposed to permitted origins only', async () => {
      for (const path of ['cors', 'cors/missing']) {
        const answer = await request(path, 'GET', { origin });
        expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
        expect(answer.headers.get('vary')).toContain('Origin');
        expect(answer.headers.get('access-control-expose-headers')).toContain('x-extra');
      }
      const other = await request('cors', 'GET', { origin: 'http://evil.example' });
      expect(other.headers.get('access-control-allow-origin')).toBeNull();
    });
  });
});
