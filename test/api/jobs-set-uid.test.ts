import { tarOf } from '../support/tar';
import { type JobClient, useJobs } from './jobs-support';

/**
 * Set-uid: containers whose `Rest-Endpoint` names an application, and whose `Zerovm-Suid` admits a caller, lend the
 * application's jobs everything in them.
 */
const client = useJobs();

const app = 'swift://AUTH_test/app/reader';
const containers = ['app', 'api', 'in', 'out', 'bin'];

beforeAll(async () => {
  await client.guest('cat');
  for (const container of containers) await client.put(container);
  await client.put('in/secret', 'secret');
  await client.put('app/reader', await readerOf('swift://AUTH_test/in/secret'), {
    'content-type': 'application/x-tar',
  });
  await client.put('app/other', await readerOf('swift://AUTH_test/in/secret'), { 'content-type': 'application/x-tar' });
});

beforeEach(async () => {
  for (const container of containers) await lend(container);
});

function readerOf(path: string, output: object = { name: 'stdout' }) {
  const map = [{ name: 'n', exec: { path: 'swift://AUTH_test/bin/cat' }, devices: [{ name: 'stdin', path }, output] }];
  return tarOf({ 'boot/system.map': JSON.stringify(map) });
}

async function lend(container: string, suid = '.r:*', endpoint = app) {
  const answer = await client.send('POST', `${client.account}/${container}`, {
    'x-container-meta-zerovm-suid': suid,
    'x-container-meta-rest-endpoint': endpoint,
  });
  expect(answer.status).toBe(204);
}

const as = async (user: string) => ({ 'x-auth-token': user && (await client.server.token(user)) });

async function sourced(user: string, source = app, account = 'AUTH_test') {
  const headers = { 'x-zerovm-execute': '1.0', 'x-zerovm-source': source, ...(await as(user)) };
  return client.send('POST', `/v1/${account}`, headers);
}

const ways: [string, (user: string) => ReturnType<JobClient['send']>][] = [
  ['X-Zerovm-Source', (user) => sourced(user)],
  ['api', async (user) => client.send('GET', '/api/AUTH_test/api/some/path', await as(user))],
  ['open', async (user) => client.send('GET', '/open/AUTH_test/app/reader', await as(user))],
];

describe.each(ways)('an application that lends its rights, by %s', (way, call) => {
  test.each(['', 'test2:tester2', 'test:tester3'])('may be used by anybody: %j', async (user) => {
    const answer = await call(user);
    expect([answer.status, answer.body]).toEqual([200, 'secret']);
  });

  test.each([
    ['.r:*,.rlistings', '', 200],
    ['test2:tester2', 'test2:tester2', 200],
    ['test2', 'test2:tester2', 200],
    ['test2:tester2', 'test:tester3', 403],
    ['test2:tester2', '', 401],
    ['.r:elsewhere.example', '', 401],
    ['.bad:x', '', 401],
    ['', '', 401],
    ['', 'test2:tester2', 403],
  ])('is lent to %j: to %j %i', async (suid, user, status) => {
    for (const container of containers) await lend(container, suid);
    expect((await call(user)).status).toBe(status);
  });

  test.each(containers.filter((name) => name !== 'out' && (name !== 'api' || way === 'api')))(
    'is lent by every container it touches, or not at all: %s',
    async (container) => {
      await lend(container, '');
      expect([(await call('')).status, (await call('test2:tester2')).status]).toEqual([401, 403]);
      if (container === 'api') return;
      await lend(container, '.r:*', '');
      expect([(await call('')).status, (await call('test2:tester2')).status]).toEqual([401, 403]);
      await lend(container, '.r:*', 'swift://AUTH_test/app/other');
      expect((await call('')).status).toBe(401);
    },
  );
});

describe('nothing but the application itself is lent', () => {
  test('no direct access', async () => {
    expect((await client.send('GET', `${client.account}/in/secret`, await as(''))).status).toBe(401);
    expect((await client.job([{ name: 'n', exec: { path: 'file://python:python' } }], await as(''))).status).toBe(401);
  });

  test('no other object of its container', async () => {
    expect((await sourced('', 'swift://AUTH_test/app/other')).status).toBe(401);
    expect((await client.send('GET', '/open/AUTH_test/app/other', await as(''))).status).toBe(401);
  });

  test('no spelling with ~, which would be the account of whoever asks', async () => {
    expect((await sourced('', 'swift://~/app/reader')).status).toBe(401);
    for (const container of containers) await lend(container, '.r:*', 'swift://~/app/reader');
    expect((await sourced('', 'swift://~/app/reader')).status).toBe(401);
    expect((await client.send('GET', '/api/AUTH_test/api', await as(''))).status).toBe(401);
  });

  test('nothing to a program that claims its name', async () => {
    const other = await as('test2:tester2');
    const evil = await readerOf('swift://AUTH_test/in/secret');
    await client.send('PUT', '/v1/AUTH_test2/evil', {
      ...other,
      'x-container-meta-zerovm-suid': '.r:*',
      'x-container-meta-rest-endpoint': app,
    });
    await client.send('PUT', '/v1/AUTH_test2/evil/reader', { ...other, 'content-type': 'application/x-tar' }, evil);
    expect((await sourced('test2:tester2', 'swift://AUTH_test2/evil/reader', 'AUTH_test2')).status).toBe(403);
  });

  test('no account that does not lend it', async () => {
    expect((await sourced('', app, 'AUTH_test2')).status).toBe(401);
    const other = await as('test2:tester2');
    const own = 'swift://AUTH_test2/evil/own';
    await client.send('PUT', '/v1/AUTH_test2/evil', {
      ...other,
      'x-container-meta-zerovm-suid': '.r:*',
      'x-container-meta-rest-endpoint': own,
    });
    const map = JSON.stringify([{ name: 'n', exec: { path: 'file://python:python' } }]);
    await client.send('PUT', '/v1/AUTH_test2/evil/own', { ...other, 'content-type': 'application/json' }, map);
    expect((await sourced('', own, 'AUTH_test2')).status).toBe(200);
    expect((await sourced('', own, 'AUTH_test')).status).toBe(401);
    expect((await sourced('test2:tester2', own, 'AUTH_test')).status).toBe(403);
  });
});

test('writing is lent as well', async () => {
  const write = async (path: string) => {
    const archive = await readerOf('swift://AUTH_test/in/secret', { name: 'stdout', path });
    await client.put('app/reader', archive, { 'content-type': 'application/x-tar' });
    return sourced('');
  };
  expect((await write('swift://AUTH_test/out/copy')).status).toBe(200);
  expect((await client.get('out/copy')).body).toBe('secret');
  await lend('out', '');
  const refused = await write('swift://AUTH_test/out/second');
  expect([refused.status, refused.headers['x-nexe-error']]).toEqual([
    401,
    'Status 401 Unauthorized when putting /AUTH_test/out/second',
  ]);
});

test.each(['swift://AUTH_test/in/*', 'swift://AUTH_test/i*/s*'])('wildcards may be lent: %s', async (path) => {
  await client.put('app/reader', await readerOf(path), { 'content-type': 'application/x-tar' });
  const answer = await sourced('');
  expect([answer.status, answer.body]).toEqual([200, 'secret']);
  await lend('in', 'test2');
  expect((await sourced('')).status).toBe(401);
});

test('a chain keeps what was lent', async () => {
  const next = [
    {
      name: 'second',
      exec: { path: 'swift://~/bin/cat' },
      devices: [{ name: 'stdin', path: 'swift://~/in/secret' }, { name: 'stdout' }],
    },
  ];
  const map = [
    {
      name: 'first',
      exec: { path: 'file://python:python', args: 'main.py' },
      devices: [{ name: 'python' }, { name: 'stdout', content_type: 'message/cgi' }],
    },
  ];
  const code = `print("Content-Type: application/json\\nX-Zerovm-Execute: 1.0\\n")\nprint(${JSON.stringify(JSON.stringify(next))})`;
  const archive = await tarOf({ 'boot/system.map': JSON.stringify(map), 'main.py': code });
  await client.put('app/reader', archive, { 'content-type': 'application/x-tar' });
  for (const [, call] of ways) {
    const answer = await call('');
    expect([answer.status, answer.headers['x-nexe-system'], answer.body]).toEqual([200, 'second', 'secret']);
  }
  await lend('in', '');
  expect((await sourced('')).status).toBe(401);
});

test('a deferred answer is kept only where the caller may write', async () => {
  const defer = (target: string) =>
    client.send('POST', target, {
      'x-auth-token': '',
      'x-zerovm-execute': '1.0',
      'x-zerovm-source': app,
      'x-zerovm-deferred': 'auto',
    });
  await client.put('app/reader', await readerOf('swift://AUTH_test/in/secret'), {
    'content-type': 'application/x-tar',
  });
  expect((await defer('/v1/AUTH_test')).status).toBe(401);
  await client.put('.zvm');
  await lend('.zvm');
  expect((await defer('/v1/AUTH_test')).body).toBe('secret');
  // What is lent is the application's to use: its caller could put any answer of it in its own place.
  expect((await defer('/v1/AUTH_test/app/reader')).status).toBe(401);
  expect((await defer('/v1/AUTH_test/out/result')).status).toBe(401);
});

test('the input of a script that is lent is not for its caller to choose', async () => {
  const script = '#!file://python:python\nimport sys\nprint(sys.stdin.read())\n';
  await client.put('app/script', script, { 'content-type': 'text/x-python' });
  const source = 'swift://AUTH_test/app/script';
  for (const container of ['app', 'in']) await lend(container, '.r:*', source);
  const call = (target: string) =>
    client.send(
      'POST',
      target,
      { 'x-zerovm-execute': '1.0', 'x-zerovm-source': source, 'x-auth-token': '' },
      'payload',
    );
  expect((await call('/v1/AUTH_test')).body).toBe('payload\n');
  expect((await call('/v1/AUTH_test/in/secret')).status).toBe(401);
  await client.send('POST', `${client.account}/in`, { 'x-container-read': '.r:*' });
  expect((await call('/v1/AUTH_test/in/secret')).body).toBe('secret\n');
  await client.send('POST', `${client.account}/in`, { 'x-container-read': '' });
});

test('only owners lend', async () => {
  await client.send('POST', client.account, { 'x-account-access-control': '{"read-write":["test:tester3"]}' });
  const helper = await as('test:tester3');
  await client.send('PUT', `${client.account}/helped`, { ...helper, 'x-container-meta-zerovm-suid': '.r:*' });
  await client.send('POST', `${client.account}/helped`, { ...helper, 'x-container-meta-zerovm-suid': '.r:*' });
  const seen = await client.send('HEAD', `${client.account}/helped`);
  expect([seen.status, seen.headers['x-container-meta-zerovm-suid']]).toEqual([204, undefined]);
});
