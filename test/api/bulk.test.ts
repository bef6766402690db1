import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { startServer, type TestServer } from '../support/server';
import { packTar } from '../support/tar';

const base = '/v1/AUTH_test';

interface File {
  name: string;
  data?: string | Buffer;
  type?: 'file' | 'directory' | 'symlink';
  pax?: Record<string, string>;
}

const tar = (...files: File[]) =>
  packTar(
    files.map(({ name, data, type = 'file', pax }) => [
      { name, type, linkname: type === 'symlink' ? 'x' : undefined, pax },
      type === 'file' ? data : '',
    ]),
  );

describe.each([
  ['in one process', false],
  ['with a separate object server', true],
])('bulk requests, %s', (_, split) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({
      split,
      env: {
        MAX_DELETES_PER_REQUEST: '200',
        MAX_FAILED_DELETES: '5',
        MAX_FAILED_EXTRACTIONS: '3',
        MAX_FILE_SIZE: '1000000',
      },
      config: {},
    });
  });
  afterAll(() => server.close());

  const put = (target: string, body = '', headers: Record<string, string> = {}) =>
    server.request(`${base}/${target}`, { method: 'PUT', body, headers });
  const get = (target: string) => server.request(`${base}/${target}`);
  const names = async (container: string) => (await (await get(container)).text()).split('\n').filter(Boolean);
  const json = { accept: 'application/json' };
  const extract = (query: string, body: Buffer | string, headers: Record<string, string> = json, below = '') =>
    server.request(`${base}${below}?extract-archive=${query}`, { method: 'PUT', body: body as never, headers });
  const bulkDelete = (body: string | Buffer, headers: Record<string, string> = json, method = 'POST') =>
    server.request(`${base}?bulk-delete`, {
      method,
      body: body as never,
      headers: { 'content-type': 'text/plain', ...headers },
    });

  describe('extract-archive', () => {
    test('makes an object of every file, and containers', async () => {
      const archive = await tar(
        { name: 'e1/a', data: 'aaa' },
        { name: './e1/d/b', data: 'bb' },
        { name: '/e2/é', data: '' },
        { name: 'beside', data: 'x' },
        { name: 'e3/', type: 'directory' },
        { name: 'e1/link', type: 'symlink' },
      );
      const answer = await extract('tar', archive);
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json']);
      expect(await answer.json()).toEqual({
        'Response Status': '201 Created',
        'Response Body': '',
        'Number Files Created': 3,
        Errors: [],
      });
      expect(await names('e1')).toEqual(['a', 'd/b']);
      expect(await names('e2')).toEqual(['é']);
      expect((await get('e3')).status).toBe(404);
      expect(await (await get('e1/d/b')).text()).toBe('bb');
    });

    test('knows gzip and bzip2, and puts everything below the path of the request', async () => {
      const files = Array.from({ length: 30 }, (_, i) => ({ name: `f${i}`, data: `${i} `.repeat(10_000) }));
      const archive = await tar(...files);
      for (const [type, body] of [
        ['tar.gz', gzipSync(archive)],
        ['.TAR.BZ2', await readFile(path.join(__dirname, '../support/files-f0-f29.tar.bz2'))],
      ] as const) {
        const answer = await extract(type, body, json, '/packed/deep/er/');
        expect(await answer.json()).toMatchObject({ 'Response Status': '201 Created', 'Number Files Created': 30 });
        expect(await names('packed')).toEqual(files.map(({ name }) => `deep/er/${name}`).sort());
        expect(await (await get('packed/deep/er/f7')).text()).toBe(files[7]!.data);
        await bulkDelete(files.map(({ name }) => `packed/deep/er/${name}`).join('\n'));
      }
    });

    test('takes metadata from the request and, over them, from extended attributes', async () => {
      const archive = await tar({
        name: 'm/o',
        data: 'x',
        pax: {
          'SCHILY.xattr.user.mime_type': 'text/m',
          'SCHILY.xattr.user.meta.Color': 'grün',
          'LIBARCHIVE.xattr.user.meta.size': 'xl',
          'SCHILY.xattr.user.other': 'no',
          mtime: '1',
        },
      });
      await extract('tar', archive, {
        ...json,
        'x-object-meta-color': 'red',
        'x-object-meta-a': 'b',
        'x-delete-at': '5000000000',
      });
      const got = await get('m/o');
      expect(Object.fromEntries(got.headers)).toMatchObject({
        'content-type': 'text/m',
        'x-object-meta-color': Buffer.from('grün').toString('latin1'),
        'x-object-meta-size': 'xl',
        'x-object-meta-a': 'b',
        'x-delete-at': '5000000000',
      });
      expect([...got.headers.keys()].filter((name) => name.includes('other') || name.includes('mtime'))).toEqual([]);
    });

    test.each<[string, string, () => Promise<Buffer>, string, number]>([
      ['nothing', 'tar', async () => Buffer.alloc(0), 'Invalid Tar File: empty file', 0],
      ['zeros', 'tar', async () => Buffer.alloc(10_240), 'Invalid Tar File: No Valid Files', 0],
      ['garbage', 'tar', async () => Buffer.alloc(2000, 'x'), 'Invalid Tar File: invalid header', 0],
      ['little garbage', 'tar', async () => Buffer.alloc(100, 'x'), 'Invalid Tar File: truncated header', 0],
      ['a tar as gzip', 'tar.gz', () => tar({ name: 'x/y' }), 'Invalid Tar File: not a gzip file', 0],
      ['nothing as gzip', 'tar.gz', async () => Buffer.alloc(0), 'Invalid Tar File: not a gzip file', 0],
      ['a tar as bzip2', 'tar.bz2', () => tar({ name: 'x/y' }), 'Invalid Tar File: invalid compressed data', 0],
      ['nothing as bzip2', 'tar.bz2', async () => Buffer.alloc(0), 'Invalid Tar File: empty file', 0],
      [
        'half a header',
        'tar',
        async () => (await tar({ name: 'h/a', data: 'x' })).subarray(0, 1100),
        'Invalid Tar File: unexpected end of data',
        1,
      ],
      ['only files beside', 'tar', () => tar({ name: 'beside', data: 'x' }), 'Invalid Tar File: No Valid Files', 0],
    ])('says that %s is no archive', async (_, type, make, sentence, created) => {
      const answer = await extract(type, await make());
      expect(answer.status).toBe(200);
      expect(await answer.json()).toEqual({
        'Response Status': '400 Bad Request',
        'Response Body': sentence,
        'Number Files Created': created,
        Errors: [],
      });
    });

    test('a member that breaks off is not stored', async () => {
      const whole = await tar({ name: 'cut/a', data: 'a' }, { name: 'cut/b', data: 'b'.repeat(5000) });
      for (const [type, body] of [
        ['tar', whole.subarray(0, 3000)],
        ['tar.gz', gzipSync(whole).subarray(0, -20)],
      ] as const) {
        const answer = await extract(type, body);
        expect(await answer.json()).toMatchObject({
          'Response Status': '400 Bad Request',
          'Response Body': 'Invalid Tar File: unexpected end of data',
          'Number Files Created': 1,
        });
        expect(await names('cut')).toEqual(['a']);
      }
    });

    test('names what could not be stored, and goes on', async () => {
      const archive = await tar(
        { name: 'bad/ok', data: 'x' },
        { name: `bad/${'n'.repeat(1100)}`, data: 'x'.repeat(1000) },
        { name: 'bad/large', data: Buffer.alloc(1_000_001) },
        { name: 'bad/last', data: 'y' },
      );
      expect(await (await extract('tar', archive)).json()).toEqual({
        'Response Status': '400 Bad Request',
        'Response Body': '',
        'Number Files Created': 2,
        Errors: [
          [`bad/${'n'.repeat(1100)}`, '400 Bad Request'],
          ['bad/large', '413 Request Entity Too Large'],
        ],
      });
      expect(await names('bad')).toEqual(['last', 'ok']);
    });

    test('refuses names that are no text, and containers that cannot be', async () => {
      const archive = await tar({ name: 'nt/a\u0001', data: 'x' }, { name: `${'c'.repeat(300)}/o`, data: 'x' });
      // A byte that is no UTF-8 in the name of the first header; the sum of the header grows with it.
      const at = archive.indexOf('\u0001');
      archive[at] = 0xff;
      const sum = Number.parseInt(archive.toString('latin1', 148, 154), 8) + 0xfe;
      archive.write(sum.toString(8).padStart(6, '0'), 148, 'latin1');
      expect(await (await extract('tar', archive)).json()).toMatchObject({
        'Number Files Created': 0,
        Errors: [
          ['nt/a%FF', '412 Precondition Failed'],
          [`/v1/AUTH_test/${'c'.repeat(300)}`, '400 Bad Request'],
          [`${'c'.repeat(300)}/o`, '404 Not Found'],
        ],
      });
    });

    test('ends after too many failures, and without a right to anything at once', async () => {
      const files = Array.from({ length: 50 }, (_, i) => ({
        name: `many/${i}${'n'.repeat(1100)}`,
        data: 'x'.repeat(5000),
      }));
      const answer = await extract('tar', await tar(...files));
      const { Errors: errors } = (await answer.json()) as { Errors: unknown[] };
      // Those that were under way by then are told, too.
      expect(errors.length).toBeGreaterThanOrEqual(3);
      expect(errors.length).toBeLessThan(3 + 16);
      const anonymous = await extract('tar', await tar({ name: 'an/o', data: 'x' }), { ...json, 'x-auth-token': '' });
      expect(await anonymous.json()).toMatchObject({
        'Response Status': '401 Unauthorized',
        'Number Files Created': 0,
      });
    });

    test('the rights are those of the caller', async () => {
      await put('theirs', '', { 'x-container-write': 'test2:tester2' });
      const stranger = { ...json, 'x-auth-token': await server.token('test2:tester2') };
      const answer = await extract(
        'tar',
        await tar({ name: 'theirs/o', data: 'x' }, { name: 'other/o', data: 'x' }),
        stranger,
      );
      expect(await answer.json()).toEqual({
        'Response Status': '400 Bad Request',
        'Response Body': '',
        'Number Files Created': 1,
        Errors: [
          ['/v1/AUTH_test/other', '403 Forbidden'],
          ['other/o', '403 Forbidden'],
        ],
      });
    });

    test('many bzip2 archives at once wait for each other', async () => {
      const body = await readFile(path.join(__dirname, '../support/files-f0-f29.tar.bz2'));
      const answers = await Promise.all(
        Array.from({ length: 12 }, (_, i) => extract('tar.bz2', body, json, `/crowd${i}`)),
      );
      for (const answer of answers)
        expect(await answer.json()).toMatchObject({ 'Number Files Created': 30, Errors: [] });
    });

    test('an upload that stalls is told so', async () => {
      const stalling = await startServer({ split, env: { CLIENT_TIMEOUT_S: '1' } });
      try {
        const socket = await stalling.connect();
        let answer = '';
        const closed = new Promise((resolve) => socket.once('close', resolve));
        socket.on('data', (chunk) => {
          answer += chunk;
        });
        socket.write(
          `PUT /v1/AUTH_test?extract-archive=tar HTTP/1.1\r\nHost: x\r\nX-Auth-Token: ${await stalling.token()}\r\n` +
            'Content-Length: 5000\r\nConnection: close\r\n\r\nxx',
        );
        await closed;
        expect(answer).toContain('Response Status: 408 Request Timeout');
      } finally {
        await stalling.close();
      }
    });

    test('refuses other types, and answers in the form asked for', async () => {
      const zip = await extract('zip', 'x');
      expect([zip.status, await zip.text()]).toEqual([400, 'Unsupported archive format']);
      const archive = await tar({ name: 'form/o', data: 'x' });
      const text = await extract('tar', archive, {});
      expect([text.headers.get('content-type'), await text.text()]).toEqual([
        'text/plain',
        'Number Files Created: 1\nResponse Body: \nResponse Status: 201 Created\nErrors:\n',
      ]);
      const xml = await extract('tar', archive, { accept: 'application/xml' });
      expect(await xml.text()).toBe(
        '<extract>\n<number_files_created>1</number_files_created>\n<response_body></response_body>\n' +
          '<response_status>201 Created</response_status>\n<errors>\n</errors>\n</extract>\n',
      );
      const image = await extract('tar', archive, { accept: 'image/png' });
      expect(await image.text()).toContain('406 Not Acceptable');
    });

    test('a long one shows signs of life', async () => {
      const slow = await startServer({ split, env: { YIELD_FREQUENCY_S: '1' } });
      try {
        const archive = await tar({ name: 'slow/o', data: 'x'.repeat(2000) });
        const socket = await slow.connect();
        socket.write(
          `PUT /v1/AUTH_test?extract-archive=tar HTTP/1.1\r\nHost: x\r\nX-Auth-Token: ${await slow.token()}\r\n` +
            `Accept: application/xml\r\nContent-Length: ${archive.length}\r\nConnection: close\r\n\r\n`,
        );
        socket.write(archive.subarray(0, 1000));
        let answer = '';
        const closed = new Promise((resolve) => socket.once('close', resolve));
        let isSent = false;
        socket.on('data', (chunk) => {
          answer += chunk;
          if (isSent || !answer.includes('<?xml version="1.0" encoding="UTF-8"?>\n')) return;
          isSent = true;
          socket.write(archive.subarray(1000));
        });
        await closed;
        expect(answer).toContain('\r\n\r\n<extract>\n<number_files_created>1<');
      } finally {
        await slow.close();
      }
    });
  });

  describe('bulk-delete', () => {
    test('deletes objects, then containers', async () => {
      for (const name of ['b1', 'b2', 'b3']) await put(name);
      for (const name of ['b1/a', 'b1/b c', 'b2/é', 'b3/x']) await put(name, 'x');
      const body = 'b1\nb2/\nb1/a\n /b1/b%20c \t\r\n\n/b2/%C3%A9\nb3\nb1/gone\nnowhere/o\n';
      for (const method of ['POST', 'DELETE']) {
        const answer = await bulkDelete(body, json, method);
        expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json']);
        expect(await answer.json()).toEqual({
          'Response Status': '400 Bad Request',
          'Response Body': '',
          'Number Deleted': method === 'POST' ? 5 : 0,
          'Number Not Found': method === 'POST' ? 2 : 7,
          Errors: [['b3', '409 Conflict']],
        });
      }
      expect([(await get('b1')).status, (await get('b2')).status, await names('b3')]).toEqual([404, 404, ['x']]);
    });

    test('answers in text and XML', async () => {
      await put('t');
      await put('t/o', 'x');
      const text = await bulkDelete('t/o\nt/o2', {});
      expect(await text.text()).toBe(
        'Number Deleted: 1\nNumber Not Found: 1\nResponse Body: \nResponse Status: 200 OK\nErrors:\n',
      );
      const xml = await bulkDelete('t/%FF', { accept: 'text/xml' });
      expect(await xml.text()).toBe(
        '<delete>\n<number_deleted>0</number_deleted>\n<number_not_found>0</number_not_found>\n<response_body></response_body>\n' +
          '<response_status>400 Bad Request</response_status>\n<errors>\n<object><name>t/%FF</name>' +
          '<status>412 Precondition Failed</status></object>\n</errors>\n</delete>\n',
      );
    });

    test.each<[string, string, Record<string, string>, string, string]>([
      ['nothing', '', {}, '400 Bad Request', 'Invalid bulk delete.'],
      ['blank lines', '\n \n', {}, '400 Bad Request', 'Invalid bulk delete.'],
      ['another type of body', 'c/o', { 'content-type': 'application/json' }, '406 Not Acceptable', ''],
      ['too long a name', 'x'.repeat(3000), {}, '400 Bad Request', 'Invalid File Name'],
      [
        'too many names',
        'c/o\n'.repeat(201),
        {},
        '413 Request Entity Too Large',
        'Maximum Bulk Deletes: 200 per request',
      ],
    ])('refuses %s', async (_, body, headers, status, sentence) => {
      const answer = await bulkDelete(body, { ...json, ...headers });
      expect(answer.status).toBe(200);
      expect(await answer.json()).toEqual({
        'Response Status': status,
        'Response Body': sentence,
        'Number Deleted': 0,
        'Number Not Found': 0,
        Errors: [],
      });
    });

    test('too long a list deletes nothing', async () => {
      await put('keep');
      await put('keep/o', 'x');
      await bulkDelete(`keep/o\n${'c/o\n'.repeat(201)}`);
      expect(await names('keep')).toEqual(['o']);
    });

    test('ends after too many failures', async () => {
      const stranger = { ...json, 'x-auth-token': await server.token('test2:tester2') };
      const answer = await bulkDelete(Array.from({ length: 100 }, (_, i) => `x/${i}`).join('\n'), stranger);
      expect(await answer.json()).toEqual({
        'Response Status': '400 Bad Request',
        'Response Body': 'Max delete failures exceeded',
        'Number Deleted': 0,
        'Number Not Found': 0,
        Errors: Array.from({ length: 5 }, (_, i) => [`x/${i}`, '403 Forbidden']),
      });
      const anonymous = await bulkDelete('x/1', { ...json, 'x-auth-token': '' });
      expect(await anonymous.json()).toMatchObject({ Errors: [['x/1', '401 Unauthorized']] });
    });

    test('a POST or DELETE of a container with other parameters is an ordinary one', async () => {
      await put('plain');
      expect((await server.request(`${base}/plain?x=bulk-delete`, { method: 'POST' })).status).toBe(204);
      expect((await server.request(`${base}/plain?x=bulk-delete`, { method: 'DELETE' })).status).toBe(204);
    });
  });
});
