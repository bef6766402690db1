import { gzipSync } from 'node:zlib';
import { tarOf } from '../support/tar';
import { useJobs } from './jobs-support';

const client = useJobs();

beforeAll(async () => {
  await client.put('apps');
  await client.put('data');
  await client.put('.zvm');
  await client.put('apps/echo', await echoArchive(), { 'content-type': 'application/x-tar' });
});

const open = (method: string, name: string, body?: string | Buffer, headers: Record<string, string> = {}) =>
  client.send(method, `/open/AUTH_test/${name}`, headers, body);

/** An application that says what it was asked, and answers HEAD as if it had a body. */
function echoArchive() {
  const map = JSON.stringify([
    {
      name: 'echo',
      exec: { path: 'file://python:python', args: 'main.py' },
      devices: [{ name: 'python' }, { name: 'stdin' }, { name: 'stdout', content_type: 'message/cgi' }],
    },
  ]);
  const code = `
import os, sys
e = os.environ
if e["REQUEST_METHOD"] == "HEAD":
    sys.stdout.write("Content-Length: 1234\\nX-Head: 1\\n\\n")
else:
    names = ["REQUEST_METHOD", "REQUEST_URI", "PATH_INFO", "QUERY_STRING", "SCRIPT_NAME", "HTTP_X_ZEROVM_EXECUTE",
        "HTTP_X_ZEROVM_SOURCE", "HTTP_X_OWN", "CONTENT_LENGTH", "CONTENT_TYPE"]
    sys.stdout.write("Content-Type: text/x-echo\\n\\n")
    for n in names: print(n, e.get(n))
    print(sys.stdin.read())
`;
  return tarOf({ 'boot/system.map': map, 'main.py': code });
}

test('open reads the object of its URL only, also if there is a star in the name', async () => {
  const cat = { name: 'cat', exec: { path: await client.guest('cat') } };
  const template = [{ ...cat, devices: [{ name: 'stdin', path: '{.object_path}' }, { name: 'stdout' }] }];
  await client.put('.zvm/text/x-star/config', JSON.stringify(template));
  await client.put('data/star-*', 'star', { 'content-type': 'text/x-star' });
  await client.put('data/star-b', 'other');
  const answer = await open('GET', 'data/star-*');
  expect([answer.body, answer.headers['x-nexe-system']]).toEqual(['star', 'cat']);
});

describe('open, of an application archive', () => {
  test.each(['GET', 'PUT', 'POST', 'DELETE'])('runs it for %s, with what the client asked', async (method) => {
    const sends = method === 'PUT' || method === 'POST';
    const answer = await open(method, 'apps/echo?a=%62&versions&c', sends ? 'payload' : undefined, { 'x-own': 'yes' });
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'text/x-echo']);
    expect(answer.body.split('\n')).toEqual([
      `REQUEST_METHOD ${method}`,
      'REQUEST_URI /open/AUTH_test/apps/echo?a=%62&versions&c',
      'PATH_INFO /AUTH_test/apps/echo',
      'QUERY_STRING a=%62&versions&c',
      'SCRIPT_NAME echo',
      'HTTP_X_ZEROVM_EXECUTE open/1.0',
      'HTTP_X_ZEROVM_SOURCE swift://AUTH_test/apps/echo',
      'HTTP_X_OWN yes',
      'CONTENT_LENGTH None',
      'CONTENT_TYPE None',
      sends ? 'payload' : '',
      '',
    ]);
    expect((await client.get('apps/echo')).headers['content-type']).toBe('application/x-tar');
  });

  test('answers HEAD with the length that the program says, and no body', async () => {
    const { status, headers, body } = await open('HEAD', 'apps/echo');
    expect([status, headers['content-length'], headers['x-head'], body]).toEqual([200, '1234', '1', '']);
  });

  test('is asked for by header as well', async () => {
    const answer = await client.send('GET', `${client.account}/apps/echo`, { 'x-zerovm-execute': 'open/1.0' });
    expect(answer.body).toContain('REQUEST_URI /v1/AUTH_test/apps/echo\n');
  });

  test('takes gzipped ones', async () => {
    await client.put('apps/zipped', gzipSync(await echoArchive()), { 'content-type': 'application/x-gzip' });
    expect((await open('POST', 'apps/zipped', 'zip')).body).toContain('\nzip\n');
  });

  test('runs a replaced archive as it is now', async () => {
    const answers = [];
    for (const name of ['one', 'two']) {
      const map = JSON.stringify([{ name, exec: { path: await client.guest('cat') }, devices: [{ name: 'stdout' }] }]);
      await client.put('apps/changing', await tarOf({ 'boot/system.map': map }), {
        'content-type': 'application/x-tar',
      });
      answers.push((await open('GET', 'apps/changing')).headers['x-nexe-system']);
    }
    expect(answers).toEqual(['one', 'two']);
  });

  test.each<[string, string, string | Buffer, number]>([
    ['an empty object', 'application/x-tar', '', 501],
    ['an ordinary object', 'text/plain', 'text', 501],
    ['a tar of one junk byte', 'application/x-tar', 'j', 501],
    ['an archive without description', 'application/x-tar', Buffer.alloc(1024), 501],
    ['a damaged gzip', 'application/x-gzip', 'junk', 422],
    ['a damaged tar', 'application/x-tar', 'j'.repeat(512), 422],
  ])('refuses to POST to %s', async (_, type, body, status) => {
    await client.put('apps/none', body, { 'content-type': type });
    expect((await open('POST', 'apps/none', 'x')).status).toBe(status);
  });

  test('needs the right to read it, and to run jobs in its account', async () => {
    const asUser = async (user: string) => ({ 'x-auth-token': user && (await client.server.token(user)) });
    expect((await open('GET', 'apps/echo', undefined, await asUser(''))).status).toBe(401);
    expect((await open('GET', 'apps/echo', undefined, await asUser('test2:tester2'))).status).toBe(403);
    await client.send('POST', `${client.account}/apps`, { 'x-container-read': 'test2:tester2' });
    expect((await open('GET', 'apps/echo', undefined, await asUser('test2:tester2'))).status).toBe(403);
  });
});

describe('open, of any other object', () => {
  beforeAll(async () => {
    await client.put('data/x.json', '{"b": 1}', { 'content-type': 'application/json' });
    await client.guest('cat');
  });

  const template = (type: string, value: unknown) =>
    client.put(`.zvm/${type}/config`, typeof value === 'string' ? value : JSON.stringify(value));

  const catTemplate = {
    name: 'opener',
    exec: { path: 'swift://~/bin/cat', env: { WHO: '{.who=nobody}' } },
    devices: [
      { name: 'stdin', path: '{.object_path}' },
      { name: 'stdout', content_type: '{.type=text/plain}' },
    ],
  };

  test('runs the application of its content type', async () => {
    await template('application/json', [catTemplate]);
    const answer = await open('GET', 'data/x.json');
    expect([answer.status, answer.body, answer.headers['content-type']]).toEqual([200, '{"b": 1}', 'text/plain']);
    expect((await open('GET', 'data/x.json?type=text%2Fx-mine')).headers['content-type']).toBe('text/x-mine');
    expect((await client.get('data/x.json')).headers['content-type']).toBe('application/json');
  });

  test('ignores parameters of its content type', async () => {
    await template('text/x-typed', [catTemplate]);
    await client.put('data/typed', 'typed', { 'content-type': 'text/x-typed; charset=utf-8' });
    expect((await open('GET', 'data/typed')).body).toBe('typed');
  });

  test('uses a template as it is now', async () => {
    await client.put('data/now', 'now', { 'content-type': 'text/x-now' });
    await template('text/x-now', [{ ...catTemplate, name: 'first' }]);
    expect((await open('GET', 'data/now')).headers['x-nexe-system']).toBe('first');
    await template('text/x-now', [{ ...catTemplate, name: 'second' }]);
    expect((await open('GET', 'data/now')).headers['x-nexe-system']).toBe('second');
  });

  test('lets nobody out of his quotes', async () => {
    const injection = encodeURIComponent('"}],"x":"\\');
    const answer = await open('GET', `data/x.json?type=${injection}&object_path=swift://~/data/other`);
    expect([answer.status, answer.headers['content-type'], answer.body]).toEqual([200, '"}],"x":"\\', '{"b": 1}']);
    expect((await open('GET', 'data/x.json?type=a%0d%0aX-Evil:1')).status).toBe(400);
    expect((await open('GET', 'data/x.json?type=%ff')).status).toBe(400);
  });

  test('refuses a type that nothing opens, and other methods than GET', async () => {
    await client.put('data/unknown', 'x', { 'content-type': 'text/x-unknown; a=b' });
    const answer = await open('GET', 'data/unknown');
    expect([answer.status, answer.body]).toEqual([404, 'No application registered for text/x-unknown']);
    for (const method of ['HEAD', 'PUT', 'POST', 'DELETE']) {
      expect([method, (await open(method, 'data/x.json')).status]).toEqual([method, 501]);
    }
    expect((await open('GET', 'data/gone.json')).status).toBe(404);
  });

  test('refuses templates that are too long or no JSON', async () => {
    await client.put('data/bad', 'x', { 'content-type': 'text/x-bad' });
    await template('text/x-bad', ' '.repeat(65_537));
    const long = await open('GET', 'data/bad');
    expect([long.status, long.body]).toEqual([413, 'Config file at /AUTH_test/.zvm/text/x-bad/config is too large']);
    await template('text/x-bad', '[{');
    expect((await open('GET', 'data/bad')).status).toBe(422);
  });

  test.each(['application/x-nexe', 'application/wasm'])('runs a program of type %s itself', async (type) => {
    const program = await client.server.request(`${client.account}/bin/cat`).then((response) => response.arrayBuffer());
    await client.put('apps/program.nexe', Buffer.from(program), { 'content-type': type });
    const answer = await open('GET', 'apps/program.nexe?args=a%20b&content_type=text%2Fx-out');
    expect([answer.status, answer.headers['content-type'], answer.headers['x-nexe-system']]).toEqual([
      200,
      'text/x-out',
      'executable',
    ]);
    expect((await open('GET', 'apps/program.nexe')).headers['content-type']).toBe('text/plain');
    await template(type, [{ ...catTemplate, name: 'registered' }]);
    expect((await open('GET', 'apps/program.nexe')).headers['x-nexe-system']).toBe('registered');
  });
});
