import { startServer, type TestServer } from '../support/server';
import { JobClient } from './jobs-support';

describe.each([
  ['in one process', {}],
  ['split in proxy and object server', { split: true }],
])('versions, %s', (_, options) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer(options);
  });
  afterAll(() => server.close());

  interface Answer {
    status: number;
    headers: Record<string, string>;
    text: string;
  }
  async function send(
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body?: string,
  ): Promise<Answer> {
    const init = { method, headers, body, redirect: 'manual' as const };
    const response = await server.request(`${server.storageUrl()}/${path}`, init);
    return { status: response.status, headers: Object.fromEntries(response.headers), text: await response.text() };
  }
  const put = (path: string, body?: string, headers: Record<string, string> = {}) => send('PUT', path, headers, body);
  const get = (path: string, headers: Record<string, string> = {}) => send('GET', path, headers);
  const list = async (container: string, query = '') => JSON.parse((await get(`${container}?versions&${query}`)).text);
  const idOf = ({ headers }: Answer) => headers['x-object-version-id']!;

  describe('with X-Versions-Enabled', () => {
    let container: string;
    let count = 0;
    beforeEach(async () => {
      container = `c${++count}`;
      await put(container, undefined, { 'x-versions-enabled': 'true' });
    });

    test('are named by the answers to writes and reads', async () => {
      const first = idOf(await put(`${container}/o`, 'one'));
      const second = idOf(await put(`${container}/o`, 'three'));
      expect(second > first).toBe(true);
      const current = await get(`${container}/o`);
      expect(current).toMatchObject({ status: 200, text: 'three' });
      expect(idOf(current)).toBe(second);
      expect(current.headers['content-location']).toBe(`/v1/AUTH_test/${container}/o?version-id=${second}`);
      const older = await get(`${container}/o?version-id=${first}`);
      expect(older).toMatchObject({ status: 200, text: 'one', headers: { 'x-object-version-id': first } });
      expect(older.headers['content-location']).toBeUndefined();
      const head = await send('HEAD', `${container}/o?version-id=${first}`);
      expect(head.headers).toMatchObject({ 'content-length': '3', 'x-object-version-id': first });
      const { headers } = await send('HEAD', container);
      expect(headers).toMatchObject({
        'x-versions-enabled': 'True',
        'x-container-object-count': '1',
        'x-container-bytes-used': '8',
      });
    });

    test('are listed newest first, in JSON only', async () => {
      const first = idOf(await put(`${container}/o`, 'one', { 'content-type': 'text/x' }));
      const deleted = idOf(await send('DELETE', `${container}/o`));
      const last = idOf(await put(`${container}/o`, 'two', { 'content-type': 'text/y' }));
      const rows = await list(container);
      expect(rows).toMatchObject([
        { name: 'o', version_id: last, is_latest: true, content_type: 'text/y', bytes: 3 },
        {
          name: 'o',
          version_id: deleted,
          is_latest: false,
          content_type: 'application/x-deleted;swift_versions_deleted=1',
          hash: 'd41d8cd98f00b204e9800998ecf8427e',
          bytes: 0,
        },
        { name: 'o', version_id: first, is_latest: false, content_type: 'text/x' },
      ]);
      expect(rows[0]).not.toHaveProperty('symlink_path');
      expect(await list(container, 'reverse=true&limit=1')).toEqual([rows[2]]);
      expect(await list(container, `marker=o&version_marker=${last}`)).toEqual(rows.slice(1));
      expect((await get(`${container}?versions&format=xml`)).status).toBe(406);
      expect((await get(`${container}?versions`, { accept: 'text/plain' })).status).toBe(406);
      expect((await get(`${container}?versions&version_marker=${last}`)).status).toBe(400);
      expect((await get(`${container}?versions&version_marker=`)).status).toBe(400);
      expect((await get(`${container}?versions&marker=o&version_marker=x`)).status).toBe(400);
      expect((await get(`${container}?versions&delimiter=1`)).status).toBe(400);
      const [current] = JSON.parse((await get(`${container}?format=json`)).text);
      expect(current).toMatchObject({
        symlink_path: `/v1/AUTH_test/${container}/o?version-id=${last}`,
        version_symlink: true,
        bytes: 3,
      });
    });

    test('are hidden behind a delete marker, which is 404 itself', async () => {
      const first = idOf(await put(`${container}/o`, 'one'));
      const answer = await send('DELETE', `${container}/o`);
      expect(answer.status).toBe(204);
      expect((await get(`${container}/o`)).status).toBe(404);
      const marker = await get(`${container}/o?version-id=${idOf(answer)}`);
      expect(marker.status).toBe(404);
      expect(marker.headers).toMatchObject({
        'x-object-version-id': idOf(answer),
        'content-type': 'application/x-deleted;swift_versions_deleted=1',
      });
      expect((await get(`${container}/o?version-id=${first}`)).text).toBe('one');
      const nothing = await send('DELETE', `${container}/never`);
      expect(nothing.status).toBe(404);
      expect(idOf(nothing)).toMatch(/^\d{10}\.\d{5}$/);
      expect(await list(container, 'prefix=never')).toMatchObject([{ version_id: idOf(nothing), is_latest: true }]);
    });

    test('are deleted one by one, and say what is current then', async () => {
      const first = idOf(await put(`${container}/o`, 'one'));
      const second = idOf(await put(`${container}/o`, 'two'));
      const { status, headers } = await send('DELETE', `${container}/o?version-id=${first}`);
      expect([status, headers['x-object-version-id'], headers['x-object-current-version-id']]).toEqual([
        204,
        first,
        second,
      ]);
      expect((await send('DELETE', `${container}/o?version-id=${first}`)).status).toBe(404);
      const last = await send('DELETE', `${container}/o?version-id=${second}`);
      expect(last.headers['x-object-current-version-id']).toBe('null');
      expect((await get(`${container}/o`)).status).toBe(404);
      expect((await send('DELETE', container)).status).toBe(204);
    });

    test('become current again by PUT, and copies of them are versions', async () => {
      const first = idOf(await put(`${container}/o`, 'one', { 'x-object-meta-color': 'red' }));
      const second = idOf(await put(`${container}/o`, 'two'));
      const restored = await put(`${container}/o?version-id=${first}`);
      expect([restored.status, idOf(restored)]).toEqual([201, first]);
      expect(await get(`${container}/o`)).toMatchObject({ text: 'one', headers: { 'x-object-meta-color': 'red' } });
      expect((await put(`${container}/o?version-id=${first}`, 'body')).status).toBe(400);
      expect((await put(`${container}/o?version-id=1700000000.00000`)).status).toBe(404);
      const copied = await send('COPY', `${container}/o?version-id=${second}`, { destination: `${container}/copy` });
      expect([copied.status, copied.headers['x-copied-from-version-id']]).toEqual([201, second]);
      expect(idOf(copied)).not.toBe(second);
      expect((await get(`${container}/copy`)).text).toBe('two');
      await put(`${container}/pulled?version-id=${first}`, undefined, { 'x-copy-from': `${container}/o` });
      expect((await get(`${container}/pulled`)).text).toBe('one');
    });

    test('become current again under conditions that hold, or not at all', async () => {
      const first = idOf(await put(`${container}/o`, 'one'));
      await put(`${container}/o`, 'two');
      const restore = async (headers: Record<string, string>) =>
        (await put(`${container}/o?version-id=${first}`, undefined, headers)).status;
      expect(await restore({ 'if-none-match': '*' })).toBe(412);
      expect(await restore({ 'if-none-match': '"x"' })).toBe(400);
      expect(await restore({ 'if-match': '"x"' })).toBe(501);
      expect((await get(`${container}/o`)).text).toBe('two');
      await send('DELETE', `${container}/o`);
      expect(await restore({ 'if-none-match': '*' })).toBe(201);
      expect((await get(`${container}/o`)).text).toBe('one');
    });

    test('cannot be changed by POST; the current object can', async () => {
      const id = idOf(await put(`${container}/o`, 'one'));
      expect((await send('POST', `${container}/o?version-id=${id}`)).status).toBe(400);
      expect((await send('POST', `${container}/o`, { 'x-object-meta-color': 'blue' })).status).toBe(202);
      const { headers } = await get(`${container}/o?version-id=${id}`);
      expect(headers).toMatchObject({ 'x-object-meta-color': 'blue', 'x-object-version-id': id });
    });

    test('stay when versioning is suspended, and keep the container', async () => {
      const id = idOf(await put(`${container}/o`, 'one'));
      await send('POST', container, { 'x-versions-enabled': 'false' });
      expect((await send('HEAD', container)).headers['x-versions-enabled']).toBe('False');
      expect(idOf(await put(`${container}/o`, 'two'))).toBeUndefined();
      expect(idOf(await get(`${container}/o`))).toBe('null');
      expect((await get(`${container}/o?version-id=null`)).text).toBe('two');
      expect((await get(`${container}/o?version-id=${id}`)).text).toBe('one');
      expect((await send('DELETE', `${container}/o`)).status).toBe(204);
      expect(await send('DELETE', container)).toMatchObject({
        status: 409,
        text: 'Delete all versions before deleting container.',
      });
    });

    test('are the account’s business: a container’s ACL does not open them', async () => {
      const id = idOf(await put(`${container}/o`, 'one'));
      const acl = { 'x-container-read': 'test:tester3', 'x-container-write': 'test:tester3' };
      await send('POST', container, acl);
      const other = { 'x-auth-token': await server.token('test:tester3') };
      expect(await get(`${container}/o`, other)).toMatchObject({ status: 200, text: 'one' });
      expect((await get(`${container}/o?version-id=${id}`, other)).status).toBe(403);
      expect((await send('DELETE', `${container}/o?version-id=${id}`, other)).status).toBe(403);
      const from = { ...other, 'x-copy-from': `${container}/o` };
      expect((await put(`${container}/copy?version-id=${id}`, undefined, from)).status).toBe(403);
      expect((await get(`${container}/o`)).text).toBe('one');
    });

    test('take links and conditions as objects do', async () => {
      const { etag } = (await put(`${container}/o`, 'one')).headers;
      const id = idOf(await put(`${container}/link`, undefined, { 'x-symlink-target': `${container}/o` }));
      await put(`${container}/link`, 'plain');
      expect((await get(`${container}/link?version-id=${id}`)).text).toBe('one');
      expect((await get(`${container}/link?version-id=${id}&symlink=get`)).headers['x-symlink-target']).toBe(
        `${container}/o`,
      );
      expect((await get(`${container}/o`, { 'if-none-match': etag! })).status).toBe(304);
    });

    test('cannot be asked for where there are none', async () => {
      await put('plain');
      await put('plain/o', 'text');
      for (const method of ['GET', 'HEAD', 'DELETE', 'PUT']) {
        expect((await send(method, 'plain/o?version-id=1700000000.00000')).status).toBe(400);
      }
      expect((await get(`${container}/o?version-id=x`)).status).toBe(400);
      expect((await get('plain/o?version-id=null')).text).toBe('text');
      expect(await list('plain')).toMatchObject([{ name: 'o', version_id: 'null', is_latest: true }]);
      expect(idOf(await get('plain/o'))).toBeUndefined();
    });

    test('are not kept in two ways at once', async () => {
      const archive = { 'x-versions-location': 'old' };
      expect((await send('POST', container, archive)).status).toBe(400);
      await put('legacy', undefined, archive);
      expect((await send('POST', 'legacy', { 'x-versions-enabled': 'true' })).status).toBe(400);
      expect((await put('both', undefined, { ...archive, 'x-versions-enabled': 'true' })).status).toBe(400);
      expect((await get('both')).status).toBe(404);
    });

    test('are made by jobs, too', async () => {
      const client = new JobClient(server);
      const hello = await client.guest('hello');
      const before = idOf(await put(`${container}/out`, 'before'));
      const devices = [{ name: 'stdout', path: `swift://~/${container}/out` }];
      expect(await client.job([{ name: 'n', exec: { path: hello }, devices }])).toMatchObject({ status: 200 });
      expect((await get(`${container}/out`)).text).toContain('hello');
      expect((await get(`${container}/out?version-id=${before}`)).text).toBe('before');
      expect(await list(container)).toHaveLength(2);
    });
  });

  describe('in another container', () => {
    test('are kept by X-Versions-Location, and come back by DELETE', async () => {
      await put('archive%20s');
      const created = await put('stack', undefined, { 'x-versions-location': 'archive%20s' });
      expect(created.status).toBe(201);
      expect((await send('HEAD', 'stack')).headers['x-versions-location']).toBe('archive%20s');
      await put('stack/o', 'one');
      await put('stack/o', 'two');
      const names = (await get('archive%20s')).text.trim().split('\n');
      expect(names).toEqual([expect.stringMatching(/^001o\/\d{10}\.\d{5}$/)]);
      expect((await get(`archive%20s/${names[0]}`)).text).toBe('one');
      expect((await send('DELETE', 'stack/o')).status).toBe(204);
      expect((await get('stack/o')).text).toBe('one');
      expect((await get('archive%20s')).text).toBe('');
      expect((await send('DELETE', 'stack/o')).status).toBe(204);
      expect((await send('DELETE', 'stack/o')).status).toBe(404);
    });

    test('are kept by X-History-Location, deletions too', async () => {
      await put('log');
      await put('history', undefined, { 'x-history-location': 'log' });
      expect((await send('HEAD', 'history')).headers['x-history-location']).toBe('log');
      await put('history/o', 'one');
      await send('DELETE', 'history/o');
      const rows = JSON.parse((await get('log?format=json')).text);
      expect(rows.map(({ content_type: type }: { content_type: string }) => type)).toEqual([
        expect.any(String),
        'application/x-deleted;swift_versions_deleted=1',
      ]);
      expect((await get(`log/${rows[1].name}`)).status).toBe(200);
      expect((await send('DELETE', 'history/o')).status).toBe(404);
      await send('POST', 'history', { 'x-remove-history-location': 'x' });
      expect((await send('HEAD', 'history')).headers['x-history-location']).toBeUndefined();
    });

    test('need that container', async () => {
      await put('alone', undefined, { 'x-versions-location': 'nowhere' });
      expect((await put('alone/o', 'one')).status).toBe(201);
      expect((await put('alone/o', 'two')).status).toBe(412);
      expect((await get('alone/o')).text).toBe('one');
    });

    test.each([
      [{ 'x-versions-location': 'a/b' }, 412],
      [{ 'x-versions-location': 'a', 'x-history-location': 'b' }, 400],
    ])('are refused with %j: %i', async (headers: Record<string, string>, status) => {
      expect((await put('refused', undefined, headers)).status).toBe(status);
      expect((await get('refused')).status).toBe(404);
    });
  });
});
