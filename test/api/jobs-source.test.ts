import { gzipSync } from 'node:zlib';
import { tarOf } from '../support/tar';
import { python, useJobs } from './jobs-support';

/** `X-Zerovm-Source` names the object that holds the job; the request's body is data then. */
describe.each([
  ['in one process', {}],
  ['split in proxy and object server', { split: true }],
])('a job named by X-Zerovm-Source, %s', (_, options) => {
  const client = useJobs({ ...options, env: { MAX_INPUT_BYTES: '1000000' } });
  let cat: string;

  beforeAll(async () => {
    cat = await client.guest('cat');
    await client.put('jobs');
    await client.put('data');
    await client.put('data/in', 'from the store');
  });

  const reader = (devices: object[], more: object = {}) =>
    JSON.stringify([{ name: 'n', exec: { path: cat }, devices: [...devices, { name: 'stdout' }], ...more }]);

  const run = (source: string, body?: string | Buffer, headers: Record<string, string> = {}, target?: string) =>
    client.send(
      'POST',
      target ?? client.account,
      { 'x-zerovm-execute': '1.0', 'x-zerovm-source': source, ...headers },
      body,
    );

  test('is a description', async () => {
    await client.put('jobs/map', reader([{ name: 'stdin', path: 'swift://~/data/in' }]), {
      'content-type': 'application/json; charset=utf-8',
    });
    for (const source of ['swift://~/jobs/map', 'swift://AUTH_test/jobs/map', 'swift://./jobs/m%61p']) {
      const answer = await run(source);
      expect([source, answer.status, answer.body]).toEqual([source, 200, 'from the store']);
    }
  });

  test.each(['application/x-tar', 'application/x-gzip'])('is an archive of type %s', async (type) => {
    const map = JSON.stringify([
      {
        name: 'n',
        exec: { path: 'file://python:python', args: 'main.py' },
        devices: [{ name: 'python' }, { name: 'stdin' }, { name: 'stdout' }],
      },
    ]);
    const tar = await tarOf({ 'boot/system.map': map, 'main.py': 'print(input().upper())' });
    await client.put('jobs/app', type === 'application/x-gzip' ? gzipSync(tar) : tar, { 'content-type': type });
    for (let time = 0; time < 2; time++) {
      const answer = await run('swift://~/jobs/app', 'data');
      expect([answer.status, answer.body]).toEqual([200, 'DATA\n']);
    }
  });

  test('is a script, which reads the payload, or the object of the URL', async () => {
    await client.put('jobs/script', python('print(input())'), { 'content-type': 'text/x-python' });
    expect((await run('swift://~/jobs/script', 'payload\n')).body).toBe('payload\n');
    const ofUrl = await run('swift://~/jobs/script', 'payload\n', {}, `${client.account}/data/in`);
    expect(ofUrl.body).toBe('from the store\n');
  });

  test('is a script of any length', async () => {
    await client.put('jobs/long', `${python('print(input())')}#${'x'.repeat(200_000)}\n`);
    expect((await run('swift://~/jobs/long', 'payload\n')).body).toBe('payload\n');
  });

  test('is what the object holds now', async () => {
    const put = async (text: string) => {
      const map = JSON.stringify([
        { name: 'n', exec: { path: cat }, devices: [{ name: 'stdout', content_type: text }] },
      ]);
      await client.put('jobs/changing', await tarOf({ 'boot/system.map': map }), {
        'content-type': 'application/x-tar',
      });
      return (await run('swift://~/jobs/changing')).headers['content-type'];
    };
    expect([await put('text/one'), await put('text/two')]).toEqual(['text/one', 'text/two']);
  });

  test.each(['stdin', 'input', 'script'])('gives its payload to %s without path, whatever its size', async (device) => {
    const code = `import sys; d = open("/dev/${device}", "rb").read(); print(len(d), d[-1:])`;
    const map = JSON.stringify([
      {
        name: 'n',
        exec: { path: 'file://python:python', args: 'main.py' },
        devices: [{ name: 'python' }, { name: device }, { name: 'stdout' }],
      },
    ]);
    await client.put('jobs/sizes', await tarOf({ 'boot/system.map': map, 'main.py': code }), {
      'content-type': 'application/x-tar',
    });
    for (const sizeBytes of [1, 70_000, 700_000]) {
      const answer = await run('swift://~/jobs/sizes', `${'x'.repeat(sizeBytes - 1)}y`);
      expect(answer.body).toBe(`${sizeBytes} b'y'\n`);
    }
  });

  test('gives its payload to several nodes in full', async () => {
    await client.put('jobs/several', reader([{ name: 'stdin' }], { count: 3 }), { 'content-type': 'application/json' });
    expect((await run('swift://~/jobs/several', 'abc')).body).toBe('abcabcabc');
    const large = 'x'.repeat(100_000);
    expect((await run('swift://~/jobs/several', large)).body.length).toBe(300_000);
    expect((await run('swift://~/jobs/several', large, { 'transfer-encoding': 'chunked' })).body.length).toBe(300_000);
  });

  test('has an empty standard input without a payload, and no other input', async () => {
    await client.put('jobs/stdin', reader([{ name: 'stdin' }]), { 'content-type': 'application/json' });
    expect(await run('swift://~/jobs/stdin')).toMatchObject({ status: 200, body: '' });
    await client.put('jobs/input', reader([{ name: 'input' }]), { 'content-type': 'application/json' });
    expect(await run('swift://~/jobs/input', '', { 'content-length': '0' })).toMatchObject({ status: 200, body: '' });
    const bare = await client.server.raw(
      `POST /v1/AUTH_test HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Auth-Token: ${await client.server.token()}\r\n` +
        'X-Zerovm-Execute: 1.0\r\nX-Zerovm-Source: swift://~/jobs/input\r\n\r\n',
    );
    expect(bare).toMatch(/^HTTP\/1\.1 400 .*Could not resolve channel path "" for device: input$/s);
  });

  test('refuses a payload beyond the limit of inputs with 413', async () => {
    const answer = await run('swift://~/jobs/several', 'x'.repeat(1_000_001));
    expect([answer.status, answer.body]).toEqual([413, 'RPC request too large']);
  });

  test('shows its source to the program', async () => {
    await client.put('jobs/env', python('import os; print(os.environ["HTTP_X_ZEROVM_SOURCE"])'));
    expect((await run('swift://~/jobs/env')).body).toBe('swift://~/jobs/env\n');
  });

  test.each<[string, number, string]>([
    ['jobs/app', 412, 'X-Zerovm-Source format is swift://account/container/object'],
    ['swift://~/jobs', 412, 'X-Zerovm-Source format is swift://account/container/object'],
    ['swift:///jobs/app', 412, 'X-Zerovm-Source format is swift://account/container/object'],
    ['swift://~/jobs/a%00', 412, 'X-Zerovm-Source format is swift://account/container/object'],
    ['swift://~/jobs/%ff', 412, 'X-Zerovm-Source format is swift://account/container/object'],
    ['file://python:python', 412, 'X-Zerovm-Source format is swift://account/container/object'],
    ['swift://~/jobs/gone', 404, 'Error 404 Not Found while fetching /AUTH_test/jobs/gone'],
    ['swift://~/gone/gone', 404, 'Error 404 Not Found while fetching /AUTH_test/gone/gone'],
    ['swift://~/data/in', 400, 'Unsupported Content-Type'],
  ])('refuses %s with %i', async (source, status, sentence) => {
    const answer = await run(source, 'body');
    expect([answer.status, answer.body]).toEqual([status, sentence]);
  });

  test.each<[string, string, string | Buffer, number, string]>([
    ['a description that is too long', 'application/json', ' '.repeat(70_000), 413, ''],
    ['a description that is none', 'application/json', '{', 422, 'Could not parse system map'],
    ['an archive without description', 'application/x-tar', '', 400, 'System boot map was not found in request'],
    ['a damaged archive', 'application/x-tar', 'x'.repeat(600), 422, 'Error reading application/x-tar stream'],
    ['a damaged gzip', 'application/x-gzip', 'junk', 422, 'Error reading application/x-gzip stream'],
  ])('refuses %s', async (_what, type, body, status, sentence) => {
    await client.put('jobs/bad', body, { 'content-type': type });
    const answer = await run('swift://~/jobs/bad');
    expect(answer.status).toBe(status);
    if (sentence) expect(answer.body).toBe(sentence);
  });

  test('needs the right to read its object', async () => {
    const other = { 'x-auth-token': await client.server.token('test2:tester2') };
    const secret = reader([]);
    await client.send('PUT', '/v1/AUTH_test2/apps', other);
    await client.send('PUT', '/v1/AUTH_test2/apps/map', { ...other, 'content-type': 'application/json' }, secret);
    expect((await run('swift://AUTH_test2/apps/map')).status).toBe(403);
    expect((await run('swift://AUTH_test2/apps/map', undefined, { 'x-auth-token': '' })).status).toBe(401);
    await client.send('POST', '/v1/AUTH_test2/apps', { ...other, 'x-container-read': 'test:tester' });
    expect((await run('swift://AUTH_test2/apps/map')).status).toBe(200);
  });
});
