import { startServer, type TestServer } from '../support/server';

describe.each([
  ['in one process', false],
  ['with a separate object server', true],
])('accounts, %s', (_name, split) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ split });
  });
  afterAll(() => server.close());

  const as = async (user: string, target: string, init: RequestInit = {}) =>
    server.request(target, { ...init, headers: { ...init.headers, 'x-auth-token': await server.token(user) } });
  const admin = (target: string, init?: RequestInit) => as('admin:admin', target, init);

  test('an account that nobody wrote to looks empty to its owner', async () => {
    const answer = await as('test2:tester2', '/v1/AUTH_test2');
    expect(answer.status).toBe(204);
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(answer.headers.get('x-account-container-count')).toBe('0');
    expect(answer.headers.get('x-account-object-count')).toBe('0');
    expect(answer.headers.get('x-account-bytes-used')).toBe('0');
    expect(answer.headers.get('x-timestamp')).toMatch(/^\d{10}\.\d{5}$/);
    expect(answer.headers.get('vary')).toBe('Accept');
    expect(await (await as('test2:tester2', '/v1/AUTH_test2?format=json')).json()).toEqual([]);
  });

  test('counts containers, objects and bytes at once', async () => {
    for (const name of ['a', 'b']) await server.request(`/v1/AUTH_test/${name}`, { method: 'PUT' });
    await server.request('/v1/AUTH_test/a/o', { method: 'PUT', body: 'hello' });
    const { headers, status } = await server.request('/v1/AUTH_test', { method: 'HEAD' });
    expect(status).toBe(204);
    expect(headers.get('x-account-container-count')).toBe('2');
    expect(headers.get('x-account-object-count')).toBe('1');
    expect(headers.get('x-account-bytes-used')).toBe('5');
  });

  describe('the listing', () => {
    const names = ['a', 'b', 'dir-1', 'dir-2', 'ü'];
    const list = async (search: string) => (await server.request(`/v1/AUTH_test${search}`)).text();
    beforeAll(async () => {
      for (const name of names) await server.request(`/v1/AUTH_test/${encodeURIComponent(name)}`, { method: 'PUT' });
    });

    test.each([
      ['', 'a b dir-1 dir-2 ü'],
      ['?limit=2', 'a b'],
      ['?marker=b', 'dir-1 dir-2 ü'],
      ['?end_marker=dir-1', 'a b'],
      ['?marker=a&end_marker=dir-2', 'b dir-1'],
      ['?prefix=dir', 'dir-1 dir-2'],
      ['?prefix=%C3%BC', 'ü'],
      ['?delimiter=-', 'a b dir- ü'],
      ['?prefix=dir-&delimiter=-', 'dir-1 dir-2'],
      ['?reverse=true', 'ü dir-2 dir-1 b a'],
      ['?reverse=on&marker=dir-2&limit=1', 'dir-1'],
      ['?marker=zz', 'ü'],
      ['?marker=%EF%BF%BF', ''],
    ])('%s gives %s', async (search, expected) => {
      expect((await list(search)).split('\n').filter(Boolean).join(' ')).toBe(expected);
    });

    test('comes as JSON and XML', async () => {
      const rows = (await (await server.request('/v1/AUTH_test?format=json&limit=1')).json()) as unknown[];
      expect(rows).toEqual([
        {
          name: 'a',
          count: 1,
          bytes: 5,
          last_modified: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/),
        },
      ]);
      const xml = await server.request('/v1/AUTH_test?limit=1', { headers: { accept: 'application/xml' } });
      expect(xml.headers.get('content-type')).toBe('application/xml; charset=utf-8');
      expect(await xml.text()).toContain('<account name="AUTH_test">\n<container><name>a</name><count>1</count>');
    });

    test.each([
      ['?limit=10001', {}, 412, 'Maximum limit is 10000'],
      ['?prefix=%ff', {}, 400, '"prefix" parameter not valid UTF-8'],
      ['', { accept: 'image/png' }, 406, undefined],
      ['', { accept: 'nonsense' }, 400, 'Invalid Accept header'],
    ])('%s with %p is refused with %i', async (search, headers, status, body) => {
      const answer = await server.request(`/v1/AUTH_test${search}`, { headers: headers as Record<string, string> });
      expect(answer.status).toBe(status);
      if (body) expect(await answer.text()).toBe(body);
    });
  });

  describe('metadata', () => {
    const post = (headers: Record<string, string>) => server.request('/v1/AUTH_test', { method: 'POST', headers });
    const read = async (name: string) => (await server.request('/v1/AUTH_test', { method: 'HEAD' })).headers.get(name);

    test('are added, changed and removed one by one', async () => {
      expect((await post({ 'x-account-meta-one': '1', 'x-account-meta-two': '2' })).status).toBe(204);
      expect((await post({ 'x-account-meta-two': 'zwei' })).status).toBe(204);
      expect([await read('x-account-meta-one'), await read('x-account-meta-two')]).toEqual(['1', 'zwei']);
      await post({ 'x-account-meta-one': '', 'x-remove-account-meta-two': 'x' });
      expect([await read('x-account-meta-one'), await read('x-account-meta-two')]).toEqual([null, null]);
    });

    test('are UTF-8', async () => {
      await post({ 'x-account-meta-text': Buffer.from('grüße ☃').toString('latin1') });
      expect(Buffer.from((await read('x-account-meta-text'))!, 'latin1').toString()).toBe('grüße ☃');
      expect((await post({ 'x-account-meta-text': '\xff' })).status).toBe(400);
      await post({ 'x-account-meta-text': '' });
    });

    test.each([
      [
        'a name of 129 bytes',
        { [`x-account-meta-${'n'.repeat(129)}`]: 'v' },
        /^Metadata name too long: x-account-meta-n{129}$/i,
      ],
      [
        'a value of 257 bytes',
        { 'x-account-meta-a': 'v'.repeat(257) },
        /^Metadata value longer than 256: x-account-meta-a$/i,
      ],
      ['no name', { 'x-account-meta-': 'v' }, /^Metadata name cannot be empty$/],
      ['91 items', items(91, 1), /^Too many metadata items; max 90$/],
      ['4097 bytes', items(17, 239), /^Total metadata too large; max 4096$/],
      ['a header of 8193 bytes', { 'x-other': 'v'.repeat(8193) }, /^Header value too long: x-other$/],
    ])('%s are refused with 400', async (_what, headers, sentence) => {
      const answer = await post(headers as Record<string, string>);
      expect(answer.status).toBe(400);
      expect(await answer.text()).toMatch(sentence);
    });

    test('are limited over several requests too', async () => {
      expect((await post(items(90, 1))).status).toBe(204);
      const answer = await post({ 'x-account-meta-more': '1' });
      expect([answer.status, await answer.text()]).toEqual([400, 'Too many metadata items; max 90']);
      expect((await post({ 'x-account-meta-more': '1', 'x-account-meta-n0': '' })).status).toBe(204);
    });
  });

  test('reseller admins create and delete accounts, and a deleted one is gone', async () => {
    expect((await admin('/v1/AUTH_new', { method: 'PUT', headers: { 'x-account-meta-a': 'b' } })).status).toBe(201);
    expect((await admin('/v1/AUTH_new', { method: 'PUT' })).status).toBe(202);
    expect((await admin('/v1/AUTH_new', { method: 'HEAD' })).headers.get('x-account-meta-a')).toBe('b');
    await admin('/v1/AUTH_new/c', { method: 'PUT' });
    expect((await admin('/v1/AUTH_new?extract=1', { method: 'DELETE' })).status).toBe(400);
    expect((await admin('/v1/AUTH_new', { method: 'DELETE' })).status).toBe(204);
    const gone = await admin('/v1/AUTH_new');
    expect(gone.status).toBe(410);
    expect(gone.headers.get('x-account-status')).toBe('Deleted');
    expect((await admin('/v1/AUTH_new/c')).status).toBe(404);
    expect((await admin('/v1/AUTH_new/c', { method: 'PUT' })).status).toBe(404);
    const again = await admin('/v1/AUTH_new', { method: 'PUT' });
    expect([again.status, await again.text()]).toEqual([403, 'Recently deleted']);
    expect((await admin('/v1/AUTH_never', { method: 'DELETE' })).status).toBe(404);
  });

  test('a name of more than 256 characters is refused with 400', async () => {
    for (const letter of ['x', '%C3%BC']) {
      expect((await admin(`/v1/AUTH_${letter.repeat(251)}`, { method: 'PUT' })).status).toBe(201);
      const answer = await admin(`/v1/AUTH_${letter.repeat(252)}`, { method: 'PUT' });
      expect([answer.status, await answer.text()]).toEqual([400, 'Account name length of 257 longer than 256']);
    }
  });

  describe('account ACLs', () => {
    const grant = (acl: object | string) =>
      as('test2:tester2', '/v1/AUTH_test2', {
        method: 'POST',
        headers: { 'x-account-access-control': typeof acl === 'string' ? acl : JSON.stringify(acl) },
      });
    const statuses = async () => {
      const other = (target: string, method: string) => as('test:tester3', target, { method });
      return [
        (await other('/v1/AUTH_test2', 'GET')).status,
        (await other('/v1/AUTH_test2/granted', 'GET')).status,
        (await other('/v1/AUTH_test2/granted', 'PUT')).status,
        (await other('/v1/AUTH_test2', 'POST')).status,
        (await other('/v1/AUTH_test2', 'DELETE')).status,
      ];
    };
    beforeAll(() => as('test2:tester2', '/v1/AUTH_test2/granted', { method: 'PUT' }));

    test.each([
      [{}, [403, 403, 403, 403, 403]],
      [{ 'read-only': ['test:tester3'] }, [200, 204, 403, 403, 403]],
      [{ 'read-write': ['test:tester3'] }, [200, 204, 202, 403, 403]],
      [{ admin: ['test:tester3'] }, [200, 204, 202, 204, 403]],
      [{ 'read-only': ['test'] }, [200, 204, 403, 403, 403]],
      [{ 'read-only': ['test:somebody'] }, [403, 403, 403, 403, 403]],
    ])('%p', async (acl, expected) => {
      expect((await grant(acl)).status).toBe(204);
      expect(await statuses()).toEqual(expected);
    });

    test('are shown to those who may set them, and to nobody else', async () => {
      await grant({ 'read-only': ['test:tester3'], admin: ['test:tester'] });
      const shown = async (user: string) => (await as(user, '/v1/AUTH_test2')).headers.get('x-account-access-control');
      expect(await shown('test2:tester2')).toBe('{"admin":["test:tester"],"read-only":["test:tester3"]}');
      expect(await shown('test:tester')).toBe('{"admin":["test:tester"],"read-only":["test:tester3"]}');
      expect(await shown('test:tester3')).toBeNull();
      await grant('{}');
      expect(await shown('test2:tester2')).toBeNull();
    });

    test('make admins who see the rights of a container that everybody may read', async () => {
      await grant({ 'read-only': ['test:tester3'], admin: ['test:tester'] });
      const headers = { 'x-container-read': '.r:*,.rlistings' };
      await as('test2:tester2', '/v1/AUTH_test2/public', { method: 'PUT', headers });
      const shown = async (user: string) => (await as(user, '/v1/AUTH_test2/public')).headers.get('x-container-read');
      expect(await shown('test:tester')).toBe('.r:*,.rlistings');
      expect(await shown('test:tester3')).toBeNull();
      await grant('{}');
    });

    test('that are none are refused with 400', async () => {
      const refused = await grant('yuck');
      expect([refused.status, refused.headers.get('content-type')]).toEqual([400, 'text/plain; charset=UTF-8']);
    });
  });
});

/** That many metadata headers with values of that many bytes (names: `n0`, `n1` …). */
function items(count: number, valueBytes: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`x-account-meta-n${i}`, 'v'.repeat(valueBytes)]));
}
