import { tarOf } from '../support/tar';
import { useJobs } from './jobs-support';

const client = useJobs();

beforeAll(async () => {
  await client.guest('cat');
  await client.put('apps');
  await client.put('site');
  await client.put('apps/a%20pp', await application(), { 'content-type': 'application/x-tar' });
  await name('swift://AUTH_test/apps/a pp');
});

/** Answers with what it was asked, and with the status that the query wants. */
function application() {
  const map = JSON.stringify([
    {
      name: 'site',
      exec: { path: 'file://python:python', args: 'main.py' },
      devices: [{ name: 'python' }, { name: 'stdin' }, { name: 'stdout', content_type: 'message/cgi' }],
    },
  ]);
  const code = `
import json, os, sys
names = ["REQUEST_METHOD", "PATH_INFO", "REQUEST_URI", "QUERY_STRING", "REMOTE_USER", "HTTP_X_ZEROVM_SOURCE"]
print("Status: " + (os.environ.get("QUERY_STRING") or "200"))
print("Content-Length: 99999\\nContent-Type: application/json; charset=utf-8\\n")
print(json.dumps([os.environ.get(n) for n in names] + [sys.stdin.read()]), end="")
`;
  return tarOf({ 'boot/system.map': map, 'main.py': code });
}

const name = (endpoint: string) =>
  client.send('POST', `${client.account}/site`, { 'x-container-meta-rest-endpoint': endpoint });

const api = (method: string, rest: string, body?: string, headers: Record<string, string> = {}) =>
  client.send(method, `/api/AUTH_test/${rest}`, headers, body);

test.each(['GET', 'PUT', 'POST', 'DELETE'])(
  '%s of anything below the container runs its application',
  async (method) => {
    const body = method === 'PUT' || method === 'POST' ? 'payload' : undefined;
    for (const [rest, path] of [
      ['site', '/AUTH_test/site'],
      ['site/', '/AUTH_test/site'],
      ['site/no/such%20object', '/AUTH_test/site/no/such object'],
    ] as const) {
      const answer = await api(method, rest, body);
      expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/json; charset=utf-8']);
      expect(JSON.parse(answer.body)).toEqual([
        method,
        path,
        `/api/AUTH_test/${rest}`,
        null,
        'test,test:tester,AUTH_test,SERVICE_test',
        'swift://AUTH_test/apps/a pp',
        body ?? '',
      ]);
    }
  },
);

test('HEAD has the length that the program says', async () => {
  const { status, headers, body } = await api('HEAD', 'site/x');
  expect([status, headers['content-length'], body]).toEqual([200, '99999', '']);
});

test.each(['201', '302', '404', '503'])('the program decides on the status: %s', async (status) => {
  const answer = await api('GET', `site/x?${status}`);
  expect([answer.status, JSON.parse(answer.body)[3]]).toEqual([Number(status), status]);
});

test('the header is as good as the version', async () => {
  const answer = await client.send('DELETE', `${client.account}/site/x`, { 'x-zerovm-execute': 'api/1.0' });
  expect(JSON.parse(answer.body).slice(0, 3)).toEqual(['DELETE', '/AUTH_test/site/x', '/v1/AUTH_test/site/x']);
});

describe('the endpoint', () => {
  test('may be percent-encoded', async () => {
    await name('swift://AUTH_test/apps/a%20pp');
    expect((await api('GET', 'site')).status).toBe(200);
  });

  test('may be a description', async () => {
    const map = [{ name: 'n', exec: { path: 'swift://~/bin/cat' }, devices: [{ name: 'stdin' }, { name: 'stdout' }] }];
    await client.put('apps/map', JSON.stringify(map), { 'content-type': 'application/json' });
    await name('swift://AUTH_test/apps/map');
    expect((await api('POST', 'site', 'body')).body).toBe('body');
    expect((await api('GET', 'site/x')).body).toBe('');
  });

  test('may lie in another account, whose ACL lets the caller read it', async () => {
    const other = { 'x-auth-token': await client.server.token('test2:tester2') };
    const map = [{ name: 'n', exec: { path: 'swift://~/bin/cat' }, devices: [{ name: 'stdin' }, { name: 'stdout' }] }];
    await client.send('PUT', '/v1/AUTH_test2/shared', other);
    await client.send(
      'PUT',
      '/v1/AUTH_test2/shared/map',
      { ...other, 'content-type': 'application/json' },
      JSON.stringify(map),
    );
    await name('swift://AUTH_test2/shared/map');
    expect((await api('POST', 'site', 'body')).status).toBe(403);
    await client.send('POST', '/v1/AUTH_test2/shared', { ...other, 'x-container-read': 'test:tester' });
    expect((await api('POST', 'site', 'body')).body).toBe('body');
  });

  test.each<[string, number, string]>([
    ['', 404, 'No API endpoint configured for container site'],
    ['apps/app', 412, 'API endpoint of container site is no swift://account/container/object'],
    ['swift://AUTH_test/apps', 412, 'API endpoint of container site is no swift://account/container/object'],
    ['swift://AUTH_test/apps/a%00', 412, 'API endpoint of container site is no swift://account/container/object'],
    ['file://python:python', 412, 'API endpoint of container site is no swift://account/container/object'],
    ['swift://AUTH_test/apps/gone', 404, 'Error 404 Not Found while fetching /AUTH_test/apps/gone'],
    ['swift://AUTH_test/bin/cat', 501, 'API endpoint of container site is no application'],
  ])('%j: %i %s', async (endpoint, status, sentence) => {
    await name(endpoint);
    for (const method of ['GET', 'POST']) {
      const answer = await api(method, 'site/x');
      expect([answer.status, answer.body]).toEqual([status, sentence]);
    }
  });

  test('is missing where its container is', async () => {
    const answer = await api('GET', 'gone/x');
    expect([answer.status, answer.body]).toEqual([404, 'No API endpoint configured for container gone']);
  });

  test('with ~ is nobody’s', async () => {
    await name('swift://~/apps/map');
    expect((await api('POST', 'site', 'x')).status).toBe(403);
  });
});
