import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { startServer, type TestServer } from '../support/server';

const now = 1_800_000_000_000;
const key = 'form key';
const container = '/v1/AUTH_test/forms';

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ now: () => now });
  await server.request('/v1/AUTH_test', { method: 'POST', headers: { 'x-account-meta-temp-url-key': key } });
  await server.request(container, { method: 'PUT', headers: { 'x-container-meta-temp-url-key-2': 'container key' } });
});
afterAll(() => server.close());

type Fields = Record<string, string>;
interface FormFile {
  name?: string;
  body: string;
  headers?: string[];
}

/** The fields of a signed form; those given replace the usual ones. */
function signed(path: string, given: Fields = {}, digest = 'sha256', by = key): Fields {
  const fields: Fields = {
    redirect: '',
    max_file_size: '1000',
    max_file_count: '2',
    expires: String(now / 1000 + 60),
    ...given,
  };
  const { redirect, max_file_size, max_file_count, expires } = fields;
  const message = [path, redirect, max_file_size, max_file_count, expires].join('\n');
  return { ...fields, signature: given.signature ?? createHmac(digest, by).update(message).digest('hex') };
}

const boundary = '----a-boundary';

function formBody(fields: Fields, files: FormFile[]): string {
  const parts = Object.entries(fields).map(
    ([name, value]) => `Content-Disposition: form-data; name="${name}"\r\n\r\n${value}`,
  );
  for (const [index, { name = `file${index}`, body, headers = [] }] of files.entries()) {
    const disposition = `Content-Disposition: form-data; name="f${index}"; filename="${name}"`;
    parts.push(`${[disposition, ...headers].join('\r\n')}\r\n\r\n${body}`);
  }
  return `${parts.map((part) => `--${boundary}\r\n${part}\r\n`).join('')}--${boundary}--\r\n`;
}

async function post(path: string, fields: Fields, files: FormFile[]): Promise<Response> {
  return send(path, formBody(fields, files));
}

function send(path: string, body: string): Promise<Response> {
  const headers = { 'x-auth-token': '', 'content-type': `multipart/form-data; boundary=${boundary}` };
  return server.request(path, { method: 'POST', headers, body, redirect: 'manual' });
}

const stored = async (name: string) => (await server.request(`${container}/${name}`)).text();

test('stores the files of a signed form, without a token', async () => {
  const answer = await post(container, signed(container), [{ body: 'one' }, { body: 'two\r\nlines' }]);
  expect([answer.status, await answer.text()]).toEqual([201, '201 Created']);
  expect(answer.headers.get('content-type')).toBe('text/plain');
  expect([await stored('file0'), await stored('file1')]).toEqual(['one', 'two\r\nlines']);
});

test.each(['sha1', 'sha256', 'sha512'])('%s signs in hex and base64', async (digest) => {
  const hex = signed(container, {}, digest).signature!;
  const base64 = `${digest}:${Buffer.from(hex, 'hex').toString('base64url')}`;
  for (const signature of [hex, base64]) {
    expect((await post(container, signed(container, { signature }), [{ body: 'x' }])).status).toBe(201);
  }
});

test("a container's own key signs", async () => {
  const fields = signed(container, {}, 'sha256', 'container key');
  expect((await post(container, fields, [{ body: 'x' }])).status).toBe(201);
});

test('what stands behind the container begins the names; names may have slashes and any letters', async () => {
  const path = `${container}/up/pre_`;
  const file = { name: 'dir/größe 1%.txt', body: 'deep' };
  expect((await post(path, signed(path), [file])).status).toBe(201);
  expect(await stored(encodeURIComponent('up/pre_dir/größe 1%.txt'))).toBe('deep');
});

test('the type of a file is that of the form, or its own', async () => {
  const headers = ['Content-Type: text/x-own; charset=utf-8', 'Content-Encoding: gzip'];
  await post(container, signed(container), [
    { name: 'typed', body: 'x', headers },
    { name: 'untyped', body: 'x' },
  ]);
  const own = await server.request(`${container}/typed`, { method: 'HEAD' });
  expect(own.headers.get('content-type')).toBe('text/x-own; charset=utf-8');
  expect(own.headers.get('content-encoding')).toBe('gzip');
  const fields = { ...signed(container), 'Content-Type': 'text/x-form', 'content-encoding': 'br' };
  await post(container, fields, [{ name: 'typed', body: 'x', headers }]);
  const given = await server.request(`${container}/typed`, { method: 'HEAD' });
  expect(given.headers.get('content-type')).toBe('text/x-form');
  expect(given.headers.get('content-encoding')).toBe('br');
});

test('x_delete_at and x_delete_after set the end of the files', async () => {
  const fields: Fields[] = [{ x_delete_at: String(now / 1000 + 50) }, { x_delete_after: '50' }];
  for (const field of fields) {
    expect((await post(container, { ...signed(container), ...field }, [{ body: 'x' }])).status).toBe(201);
    const { headers } = await server.request(`${container}/file0`, { method: 'HEAD' });
    expect(headers.get('x-delete-at')).toBe(String(now / 1000 + 50));
  }
});

describe('redirects', () => {
  const redirect = 'https://example.org/done?a=b';

  test('go where the form says, with status and message', async () => {
    const answer = await post(container, signed(container, { redirect }), [{ body: 'x' }]);
    expect(answer.status).toBe(303);
    expect(answer.headers.get('location')).toBe(`${redirect}&status=201&message=`);
    const link = `${redirect}&status=201&message=`.replaceAll('&', '&#38;');
    expect(await answer.text()).toBe(`<html><body><p><a href="${link}">Click to continue...</a></p></body></html>`);
  });

  test('tell of too many files, and of none', async () => {
    const fields = signed(container, { redirect, max_file_count: '1' });
    const many = await post(container, fields, [{ body: 'x' }, { body: 'y' }]);
    expect(many.headers.get('location')).toBe(`${redirect}&status=400&message=max%20file%20count%20exceeded`);
    const none = await post(container, fields, [{ name: '', body: '' }]);
    expect(none.headers.get('location')).toBe(`${redirect}&status=400&message=no%20files%20to%20process`);
  });

  test('are not had from a form that nobody signed', async () => {
    const answer = await post(container, { redirect, max_file_count: '1' }, []);
    expect([answer.status, answer.headers.get('location')]).toEqual([400, null]);
  });

  test('cannot smuggle headers', async () => {
    const evil = 'https://example.org/\r\nset-cookie: a=b\r\nx';
    const answer = await post(container, signed(container, { redirect: evil }), [{ body: 'x' }]);
    expect(answer.status).toBe(303);
    expect(answer.headers.get('set-cookie')).toBeNull();
  });
});

describe('refusals', () => {
  test.each<[string, Fields, number, string]>([
    ['a wrong signature', { signature: 'ab'.repeat(32) }, 401, 'FormPost: Invalid Signature'],
    ['no signature', { signature: '' }, 401, 'FormPost: Invalid Signature'],
    ['a form that is over', { expires: String(now / 1000 - 1) }, 401, 'FormPost: Form Expired'],
    ['no time', { expires: '' }, 401, 'FormPost: Form Expired'],
    ['a time that is none', { expires: 'soon' }, 400, 'FormPost: expired not an integer'],
    ['a count that is none', { max_file_count: 'two' }, 400, 'FormPost: max_file_count not an integer'],
    ['no count', { max_file_count: '' }, 400, '400 Bad Request\r\nFormPost: Max File Count Exceeded'],
    ['a size that is none', { max_file_size: '1k' }, 400, 'FormPost: max_file_size not an integer'],
    ['too large a file', { max_file_size: '3' }, 400, 'FormPost: max_file_size exceeded'],
    [
      'an end that is none',
      { x_delete_at: 'never' },
      400,
      'FormPost: x_delete_at not an integer: Unix timestamp required.',
    ],
    [
      'a lifetime that is none',
      { x_delete_after: 'long' },
      400,
      'FormPost: x_delete_after not an integer: Number of seconds required.',
    ],
  ])('%s', async (_what, fields, status, text) => {
    const answer = await post(container, signed(container, fields), [{ name: 'refused', body: 'four' }]);
    expect([answer.status, await answer.text()]).toEqual([status, text]);
    expect((await server.request(`${container}/refused`)).status).toBe(404);
  });

  test('one file more than the form allows', async () => {
    const fields = signed(container, { max_file_count: '1' });
    const answer = await post(container, fields, [
      { name: 'first', body: 'x' },
      { name: 'second', body: 'y' },
    ]);
    expect([answer.status, await answer.text()]).toEqual([400, '400 Bad Request\r\nFormPost: Max File Count Exceeded']);
    expect(await stored('first')).toBe('x');
  });

  test('fields behind the file do not count', async () => {
    const files = formBody({}, [{ body: 'x' }]).replace(`--${boundary}--\r\n`, '');
    const answer = await send(container, files + formBody(signed(container), []));
    expect([answer.status, await answer.text()]).toEqual([400, '400 Bad Request\r\nFormPost: Max File Count Exceeded']);
  });

  test('a container that is not there, or whose account has no key', async () => {
    const path = '/v1/AUTH_test/nowhere';
    const missing = await post(path, signed(path), [{ body: 'x' }]);
    expect([missing.status, await missing.text()]).toEqual([404, '404 Not Found']);
    const other = await post('/v1/AUTH_test2/c', signed('/v1/AUTH_test2/c'), [{ body: 'x' }]);
    expect([other.status, await other.text()]).toEqual([401, 'FormPost: Invalid Signature']);
  });

  test('a body that does not begin with the boundary, or does not end with it', async () => {
    const start = await send(container, `x${formBody(signed(container), [{ body: 'x' }])}`);
    expect([start.status, await start.text()]).toEqual([400, 'FormPost: invalid starting boundary']);
    const whole = formBody(signed(container), [{ name: 'cut', body: 'x'.repeat(500) }]);
    const cut = await send(container, whole.slice(0, -100));
    expect([cut.status, await cut.text()]).toEqual([400, 'FormPost: unexpected end of the form']);
    expect((await server.request(`${container}/cut`)).status).toBe(404);
  });

  test('more fields than any form has', async () => {
    const fields = Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`f${i}`, 'x']));
    expect((await post(container, fields, [])).status).toBe(400);
  });
});

test('a client that leaves in the middle of a file leaves nothing behind', async () => {
  const whole = formBody(signed(container), [{ name: 'left', body: 'x'.repeat(900) }]);
  const socket = await server.connect();
  socket.write(
    `POST ${container} HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=${boundary}\r\n` +
      `Content-Length: ${whole.length}\r\n\r\n${whole.slice(0, -300)}`,
  );
  socket.end();
  const closed = once(socket, 'close');
  socket.resume();
  await closed;
  expect((await server.request(`${container}/left`)).status).toBe(404);
});

test('a long file streams: the parts of a form may come in any pieces', async () => {
  const long = 'abcdefgh'.repeat(40_000);
  const fields = signed(container, { max_file_size: String(long.length), max_file_count: '3' });
  const whole = formBody(fields, [{ body: long }, { body: '' }, { body: long }]);
  const socket = await server.connect();
  socket.write(
    `POST ${container} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n` +
      `Content-Type: multipart/form-data; boundary=${boundary}\r\nContent-Length: ${whole.length}\r\n\r\n`,
  );
  let answer = '';
  socket.on('data', (data) => {
    answer += data;
  });
  for (let at = 0, size = 1; at < whole.length; at += size, size = ((size * 7) % 20_011) + 1) {
    if (!socket.write(whole.slice(at, at + size))) await once(socket, 'drain');
  }
  await once(socket, 'close');
  expect(answer).toMatch(/^HTTP\/1.1 201 Created/);
  expect(await stored('file2')).toBe(long);
  expect(await stored('file1')).toBe('');
});

test('a POST that is no form, or to the same place by a job, is not touched', async () => {
  const headers = { 'content-type': 'multipart/form-data' };
  expect((await server.request(container, { method: 'POST', headers, body: 'x' })).status).toBe(204);
});

test('scripts of allowed origins may read the answer', async () => {
  await server.request(container, {
    method: 'POST',
    headers: { 'x-container-meta-access-control-allow-origin': 'http://page.example' },
  });
  const headers = {
    'x-auth-token': '',
    origin: 'http://page.example',
    'content-type': `multipart/form-data; boundary=${boundary}`,
  };
  const body = formBody(signed(container), [{ body: 'x' }]);
  const answer = await server.request(container, { method: 'POST', headers, body });
  expect(answer.headers.get('access-control-allow-origin')).toBe('http://page.example');
});
