import { startServer, type TestServer } from '../support/server';
import { JobClient } from './jobs-support';

describe.each([
  ['in one process', {}],
  ['split in proxy and object server', { split: true }],
])('jobs that read large objects, %s', (_, options) => {
  let server: TestServer;
  let client: JobClient;
  let cat: string;

  const putManifest = (name: string, items: object[], headers: Record<string, string> = {}) =>
    client.send('PUT', `${client.account}/${name}?multipart-manifest=put`, headers, JSON.stringify(items));

  beforeAll(async () => {
    server = await startServer({ ...options, env: { MAX_INPUT_BYTES: '1000000' } });
    client = new JobClient(server);
    cat = await client.guest('cat');
    for (const name of ['seg', 'large']) await client.put(name);
    await client.put('seg/p1', 'one ');
    await client.put('seg/p2', 'two ');
    await client.put('seg/block', Buffer.alloc(600_000, 'x'));
    await putManifest('large/static', [
      { path: 'seg/p1' },
      { data: Buffer.from('and ').toString('base64') },
      { path: 'seg/p2', range: '0-2' },
    ]);
    await client.put('large/dynamic', 'own body', { 'x-object-manifest': 'seg/p', 'x-object-meta-color': 'red' });
    await client.put('large/link', '', { 'x-symlink-target': 'large/static' });
    const other = { 'x-auth-token': await server.token('test2:tester2') };
    await client.send('PUT', '/v1/AUTH_test2/half-open', { ...other, 'x-container-read': 'test:tester' });
    await client.send('PUT', '/v1/AUTH_test2/closed', other);
    await client.send('PUT', '/v1/AUTH_test2/closed/segment', other, 'secret');
    const theirs = '/v1/AUTH_test2/half-open/o?multipart-manifest=put';
    await client.send('PUT', theirs, other, JSON.stringify([{ path: 'closed/segment' }]));
  });
  afterAll(() => server.close());

  const read = (path: string, exec = cat) =>
    client.job([
      {
        name: 'reader',
        exec: { path: exec },
        devices: [{ name: 'stdin', path: `swift://${path}` }, { name: 'stdout' }],
      },
    ]);

  test('get the whole content, also through a symlink', async () => {
    expect(await read('~/large/static')).toMatchObject({ status: 200, body: 'one and two' });
    expect(await read('~/large/dynamic')).toMatchObject({ status: 200, body: 'one two ' });
    expect(await read('~/large/link')).toMatchObject({ status: 200, body: 'one and two' });
  });

  test('are told what a HEAD would tell of a co-located one', async () => {
    const seen = await client.send('HEAD', `${client.account}/large/dynamic`);
    const showEnvironment = "import os\nprint({k: v for k, v in os.environ.items() if k.startswith('LOCAL_')})";
    const answer = await client.job([
      {
        name: 'reader',
        exec: {
          path: 'file://python:python',
          args: `-c "${showEnvironment.replaceAll('\n', ';').replaceAll('"', '')}"`,
        },
        devices: [{ name: 'python' }, { name: 'stdin', path: 'swift://~/large/dynamic' }, { name: 'stdout' }],
      },
    ]);
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body.replaceAll("'", '"'))).toMatchObject({
      LOCAL_PATH_INFO: '/AUTH_test/large/dynamic',
      LOCAL_CONTENT_LENGTH: '8',
      LOCAL_CONTENT_TYPE: seen.headers['content-type'],
      LOCAL_HTTP_ETAG: String(seen.headers.etag).replaceAll('"', ''),
      LOCAL_HTTP_X_OBJECT_META_COLOR: 'red',
    });
  });

  test('may be large objects themselves', async () => {
    const program = await readProgram();
    await client.put('seg/x-program1', program.subarray(0, 100));
    await client.put('seg/x-program2', program.subarray(100));
    await putManifest('large/program', [{ path: 'seg/x-program1' }, { path: 'seg/x-program2' }]);
    expect(await read('~/large/static', 'swift://~/large/program')).toMatchObject({ status: 200, body: 'one and two' });
  });

  test('need the right to read the segments', async () => {
    expect(await read('AUTH_test2/half-open/o')).toMatchObject({ status: 409 });
  });

  test('are refused what is gone, and what is too large', async () => {
    await client.put('seg/gone', 'x');
    await putManifest('large/broken', [{ path: 'seg/p1' }, { path: 'seg/gone' }]);
    await client.send('DELETE', `${client.account}/seg/gone`);
    expect(await read('~/large/broken')).toMatchObject({ status: 409 });
    await putManifest('large/huge', [{ path: 'seg/block' }, { path: 'seg/block' }]);
    expect(await read('~/large/huge')).toMatchObject({
      status: 413,
      body: expect.stringContaining('Data object too large'),
    });
  });

  test('do not take one for an application', async () => {
    const headers = { 'x-zerovm-source': 'swift://AUTH_test/large/static' };
    expect(await client.post('', headers)).toMatchObject({
      status: 409,
      body: expect.stringContaining('large object'),
    });
  });

  async function readProgram(): Promise<Buffer> {
    const { request } = server;
    const answer = await request(cat.replace('swift://~', client.account));
    return Buffer.from(await answer.arrayBuffer());
  }
});
