import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { startServer, type TestServer } from '../support/server';
import { tarOf } from '../support/tar';
import { JobClient } from './jobs-support';

/** Applications whose modules are imported once: `exec.daemon`, and `X-Nexe-Cached`. */

const asTar = { 'content-type': 'application/x-tar' };
const files = {
  'app.py': 'import os\nloaded = os.urandom(8).hex()\ncount = 0\n',
  'main.py': 'import app, os, sys\napp.count += 1\nprint(app.loaded, app.count, os.environ.get("QUERY_STRING", "-"))\n',
};

function mapOf(changes: Record<string, unknown> = {}, more: Record<string, unknown> = {}): string {
  const exec = { path: 'file://python:python', args: 'main.py', daemon: ['app'], ...changes };
  return JSON.stringify([{ name: 'one', exec, devices: [{ name: 'python' }, { name: 'stdout' }], ...more }]);
}

const archive = (changes: Record<string, string> = {}, map = mapOf()) =>
  tarOf({ 'boot/system.map': map, ...files, ...changes });

describe.each([
  ['in one process', false],
  ['with an object server of its own', true],
])('daemons %s', (_name, split) => {
  let server: TestServer;
  let client: JobClient;

  beforeAll(async () => {
    server = await startServer({ split });
    client = new JobClient(server);
    await client.put('apps');
  });

  afterAll(() => server.close());

  test('the second request of an application starts from its daemon, and says so', async () => {
    await client.put('apps/app.tar', await archive(), asTar);
    const first = await client.send('GET', '/open/AUTH_test/apps/app.tar?a=1');
    expect([first.status, first.headers['x-nexe-retcode']]).toEqual([200, '0']);
    const second = await client.send('GET', '/open/AUTH_test/apps/app.tar?a=2');
    expect(second.headers['x-nexe-cached']).toBe('true');
    expect(second.body).toBe(first.body.replace('a=1', 'a=2'));
    expect(second.body).toMatch(/^[0-9a-f]{16} 1 a=2\n$/);
  });

  test('jobs without daemon do not say that they started from one', async () => {
    const answer = await client.post(await archive({}, mapOf({ daemon: undefined })), asTar);
    expect([answer.status, answer.headers['x-nexe-cached']]).toEqual([200, undefined]);
  });

  test('an application that was replaced has another daemon', async () => {
    await client.put('apps/changing.tar', await archive(), asTar);
    const before = await client.send('GET', '/open/AUTH_test/apps/changing.tar');
    await client.put('apps/changing.tar', await archive({ 'app.py': 'loaded = "new"\ncount = 0' }), asTar);
    const after = await client.send('GET', '/open/AUTH_test/apps/changing.tar');
    expect([after.body, after.headers['x-nexe-cached']]).toEqual(['new 1 -\n', 'true']);
    await client.put('apps/changing.tar', await archive(), asTar);
    const again = await client.send('GET', '/open/AUTH_test/apps/changing.tar');
    expect(again.body).toMatch(/^[0-9a-f]{16} 1 -\n$/);
    expect(again.body).not.toBe(before.body);
  });

  test('accounts do not share daemons', async () => {
    const body = await archive();
    const headers = { ...asTar, 'x-auth-token': await server.token('test2:tester2') };
    const own = await client.post(body, asTar);
    const other = await client.post(body, headers, '/v1/AUTH_test2');
    expect([own.status, other.status]).toEqual([200, 200]);
    expect(other.body).not.toBe(own.body);
    expect((await client.post(body, asTar)).body).toBe(own.body);
    expect((await client.post(body, headers, '/v1/AUTH_test2')).body).toBe(other.body);
  });

  test('a posted archive is known by its bytes, also a large or gzipped one', async () => {
    const large = await archive({ filler: 'x'.repeat(200_000) });
    for (const [body, type] of [
      [large, 'application/x-tar'],
      [gzipSync(large), 'application/x-gzip'],
    ] as const) {
      const first = await client.post(body, { 'content-type': type });
      const second = await client.post(body, { 'content-type': type });
      expect([second.body, second.headers['x-nexe-cached']]).toEqual([first.body, 'true']);
    }
  });

  test('a gzipped application has a daemon', async () => {
    await client.put('apps/app.tgz', gzipSync(await archive()), { 'content-type': 'application/x-gzip' });
    const first = await client.send('GET', '/open/AUTH_test/apps/app.tgz');
    const second = await client.send('GET', '/open/AUTH_test/apps/app.tgz');
    expect([second.status, second.body, second.headers['x-nexe-cached']]).toEqual([200, first.body, 'true']);
  });

  test('all nodes of a job start from it, each as if it were the first', async () => {
    const answer = await client.post(await archive({}, mapOf({}, { count: 5 })), asTar);
    const lines = new Set(answer.body.trim().split('\n'));
    expect([answer.status, lines.size, answer.headers['x-nexe-cached']]).toEqual([200, 1, 'true']);
  });

  test('the live view says which nodes started from a daemon', async () => {
    const answer = await client.post(await archive(), asTar);
    const view = await client.send('GET', `/jobs/v1/AUTH_test/${answer.headers['x-trans-id']}`);
    expect(JSON.parse(view.body).node_list).toMatchObject([{ name: 'one', cached: true }]);
  });

  test('the live view lists the daemons of the account, for its owners', async () => {
    await client.put('apps/listed.tar', await archive(), asTar);
    for (let i = 0; i < 2; i++) await client.send('GET', '/open/AUTH_test/apps/listed.tar');
    const view = await client.send('GET', '/jobs/v1/AUTH_test?limit=1');
    const [latest] = JSON.parse(view.body).daemons;
    expect(latest).toEqual({
      application: '/AUTH_test/apps/listed.tar',
      modules: ['app'],
      bytes: expect.any(Number),
      made: expect.stringMatching(/^\d{4}-.*Z$/),
      last_used: expect.stringMatching(/^\d{4}-.*Z$/),
      sessions: 2,
    });
    const other = await client.send('GET', '/jobs/v1/AUTH_test', {
      'x-auth-token': await server.token('test2:tester2'),
    });
    expect(other.status).toBe(403);
  });

  test('modules that cannot be imported leave the job as it would be without, and the answer says why', async () => {
    const answer = await client.post(await archive({}, mapOf({ daemon: 'nowhere' })), asTar);
    expect([answer.status, answer.headers['x-nexe-cached'], answer.headers['x-nexe-retcode']]).toEqual([
      200,
      undefined,
      '0',
    ]);
    expect(answer.headers['x-nexe-detail']).toBe("no daemon: ModuleNotFoundError: No module named 'nowhere'");
  });

  test.each([
    [{ daemon: [] }, {}, 'Invalid daemon for one'],
    [{ daemon: true }, {}, 'Invalid daemon for one'],
    [{ daemon: ['a b'] }, {}, 'Invalid daemon for one'],
    [{ daemon: '../app' }, {}, 'Invalid daemon for one'],
    [{ path: 'file://main.wasm' }, {}, 'The program of daemon one must be in a system image'],
    [{ path: 'swift://~/apps/main.wasm' }, {}, 'The program of daemon one must be in a system image'],
    [{}, { connect: ['two'] }, 'Daemon one cannot have connections'],
    [{}, { devices: [{ name: 'stdout', path: 'zvm://two:stdin' }] }, 'Daemon one cannot have connections'],
  ])('refuses %j %j with 400', async (exec, node, sentence) => {
    const answer = await client.post(await archive({}, mapOf(exec, node)), asTar);
    expect([answer.status, answer.body]).toEqual([400, sentence]);
  });
});

test('MAX_DAEMONS=0 keeps none', async () => {
  const server = await startServer({ env: { MAX_DAEMONS: '0' } });
  try {
    const client = new JobClient(server);
    const answers = [await client.post(await archive(), asTar), await client.post(await archive(), asTar)];
    expect(answers.map(({ status, headers }) => [status, headers['x-nexe-cached']])).toEqual([
      [200, undefined],
      [200, undefined],
    ]);
    expect(answers[0]!.body).not.toBe(answers[1]!.body);
  } finally {
    await server.close();
  }
});

describe('daemons of the operator', () => {
  let server: TestServer;
  let client: JobClient;
  let directory: string;

  beforeAll(async () => {
    directory = await mkdtemp(path.join(os.tmpdir(), 'zerocloud-daemons-'));
    const write = (name: string, text: string) => writeFile(path.join(directory, name), text);
    const [one] = JSON.parse(mapOf()) as [unknown];
    await write('one', JSON.stringify([one]));
    await write('two', JSON.stringify([one, one]));
    await write('own', mapOf({ path: 'file://main.wasm' }));
    await write('joined', mapOf({ daemon: undefined }, { connect: ['b'] }));
    await write('bare', mapOf({ daemon: undefined }));
    await write('broken', '{');
    const ids = ['one', 'two', 'own', 'joined', 'bare', 'broken', 'missing'];
    const daemons = ids.map((id) => `${id}=${path.join(directory, id)}`).join(';');
    server = await startServer({ env: { DAEMONS: daemons } });
    client = new JobClient(server);
  });

  afterAll(async () => {
    await server.close();
    await rm(directory, { recursive: true });
  });

  const post = async (map: string) => client.post(await archive({}, map), asTar);

  test('serve the nodes of the same program and devices, whatever the order; wrong ones are left out', async () => {
    const devices = [{ name: 'stdout' }, { name: 'python' }];
    const answer = await post(mapOf({ daemon: undefined }, { devices }));
    expect([answer.status, answer.headers['x-nexe-cached']]).toEqual([200, 'true']);
  });

  test('do not serve nodes with connections', async () => {
    const [one] = JSON.parse(mapOf({ daemon: undefined })) as [object];
    const other = { name: 'two', exec: { path: 'file://python:python', args: 'main.py' }, connect: ['one'] };
    const answer = await post(JSON.stringify([one, other]));
    expect([answer.status, answer.headers['x-nexe-cached']]).toEqual([200, undefined]);
    const asked = await post(JSON.stringify([...(JSON.parse(mapOf()) as [object]), other]));
    expect([asked.status, asked.body]).toEqual([400, 'Daemon one cannot have connections']);
  });

  test.each([
    ['another device', {}, { devices: [{ name: 'python' }, { name: 'stdout' }, { name: 'stderr' }] }],
    ['fewer devices', {}, { devices: [{ name: 'stdout' }] }],
    ['another program', { path: 'file://python2.7:python' }, {}],
  ])('do not serve nodes with %s', async (_name, exec, node) => {
    const answer = await post(mapOf({ daemon: undefined, ...exec }, node));
    expect([answer.status, answer.headers['x-nexe-cached']]).toEqual([200, undefined]);
  });
});
