import { createHash } from 'node:crypto';
import { python, useJobs } from './jobs-support';

describe.each([
  ['in one process', {}],
  ['split in proxy and object server', { split: true }],
])('a job, %s', (_, options) => {
  const client = useJobs(options);
  let cat: string;

  beforeAll(async () => {
    cat = await client.guest('cat');
    await client.put('data');
    await client.put('data/hello', 'hello world', { 'content-type': 'text/x-hello', 'x-object-meta-color': 'blue' });
  });

  test('answers with the output of its program and says how it went', async () => {
    const { status, headers, body } = await client.job([
      {
        name: 'reader',
        exec: { path: cat },
        devices: [
          { name: 'stdin', path: 'swift://~/data/hello' },
          { name: 'stdout', content_type: 'text/x-answer' },
        ],
      },
    ]);
    expect([status, body]).toEqual([200, 'hello world']);
    const md5 = createHash('md5').update('hello world').digest('hex');
    expect(headers).toMatchObject({
      'content-type': 'text/x-answer',
      'content-length': '11',
      'x-nexe-system': 'reader',
      'x-nexe-status': 'ok',
      'x-nexe-retcode': '0',
      'x-nexe-etag': `/dev/stdout ${md5}`,
      'x-nexe-validation': '0',
      'x-nexe-policy': 'Policy-0',
      'x-nexe-colocated': '0',
      'x-zerovm-device': 'stdout',
      'x-trans-id': expect.stringMatching(/^tx/),
      'x-timestamp': expect.stringMatching(/^\d+\.\d{5}$/),
      etag: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    expect(headers['x-nexe-cdr-line']).toMatch(/^\d+\.\d{3}, \d+\.\d{3}, \d+\.\d\d \d+\.\d\d \d+ 11 \d+ 11 0 0 0 0$/);
    expect(headers['x-nexe-error']).toBeUndefined();
  });

  test('returns text/html for want of a content type, and never the same Etag twice', async () => {
    const description = [{ name: 'n', exec: { path: cat }, devices: [{ name: 'stdout' }] }];
    const first = await client.job(description);
    const second = await client.job(description);
    expect([first.status, first.headers['content-type'], first.body]).toEqual([200, 'text/html', '']);
    expect(second.headers.etag).not.toBe(first.headers.etag);
  });

  test('stores outputs with their type and metadata, replacing what was there', async () => {
    await client.put('data/out', 'old', { 'x-object-meta-old': '1', 'x-delete-after': '1000' });
    const { status, headers, body } = await client.job([
      {
        name: 'n',
        exec: { path: cat },
        devices: [
          { name: 'stdin', path: 'swift://~/data/hello' },
          {
            name: 'stdout',
            path: 'swift://~/data/out',
            content_type: 'text/x-copy',
            meta: { My_Key: 'blå' },
          },
        ],
      },
    ]);
    expect([status, body, headers['content-length'], headers['x-nexe-etag']]).toEqual([200, '', '0', 'disabled']);
    const stored = await client.get('data/out');
    expect([stored.status, stored.body, stored.headers['content-type']]).toEqual([200, 'hello world', 'text/x-copy']);
    expect(Buffer.from(stored.headers['x-object-meta-my-key'] as string, 'latin1').toString()).toBe('blå');
    expect([stored.headers['x-object-meta-old'], stored.headers['x-delete-at']]).toEqual([undefined, undefined]);
    const untyped = { name: 'n', exec: { path: cat }, devices: [{ name: 'stdout', path: 'swift://~/data/out2' }] };
    await client.job([untyped]);
    expect((await client.get('data/out2')).headers['content-type']).toBe('application/octet-stream');
  });

  test('stores empty outputs unless min_size is more', async () => {
    const devices = (minSize: number, name: string) => [
      { name: 'stdin', path: 'swift://~/data/hello' },
      { name: 'stderr', path: `swift://~/data/${name}`, min_size: minSize },
      { name: 'stdout', min_size: minSize && 12 },
    ];
    const kept = await client.job([{ name: 'n', exec: { path: cat }, devices: devices(0, 'empty') }]);
    const dropped = await client.job([{ name: 'n', exec: { path: cat }, devices: devices(1, 'dropped') }]);
    expect([kept.body, dropped.body]).toEqual(['hello world', '']);
    expect((await client.get('data/empty')).status).toBe(200);
    expect((await client.get('data/dropped')).status).toBe(404);
  });

  test('keeps the order of its nodes in body and headers, and counts all bytes', async () => {
    await client.put('data/longer', 'x'.repeat(300));
    const node = (name: string, object: string) => ({
      name,
      exec: { path: cat },
      devices: [{ name: 'stdin', path: `swift://~/data/${object}` }, { name: 'stdout' }],
    });
    const answer = await client.job([node('first', 'longer'), node('second', 'hello'), node('third', 'longer')]);
    expect(answer.body).toBe(`${'x'.repeat(300)}hello world${'x'.repeat(300)}`);
    expect(answer.headers['content-length']).toBe('611');
    expect(answer.headers['x-nexe-system']).toBe('first,second,third');
    expect(answer.headers['x-nexe-status']).toBe('ok,ok,ok');
    expect(answer.headers['x-nexe-cdr-line']!.toString().split(',')).toHaveLength(1 + 3 * 2);
  });

  test('runs `count` nodes, with stars of outputs filled by their names', async () => {
    const answer = await client.job([
      {
        name: 'sort',
        exec: { path: cat },
        count: 2,
        devices: [
          { name: 'stdin', path: 'swift://~/data/hello' },
          { name: 'stdout', path: 'swift://~/data/wout.*' },
        ],
      },
    ]);
    expect([answer.status, answer.headers['x-nexe-system']]).toEqual([200, 'sort-1,sort-2']);
    expect((await client.get('data/wout.sort-2')).body).toBe('hello world');
  });

  test('runs a node for every match of a wildcard and names outputs by what the stars took', async () => {
    for (const container of ['in1', 'in2']) {
      await client.put(container);
      for (const name of ['input1', 'input2', 'junk', 'input3/']) {
        await client.put(`${container}/${name}`, `${container} ${name}\n`);
      }
    }
    await client.put('out1');
    await client.put('out2');
    const devices = [{ name: 'stdin', path: 'swift://~/in*/input*' }];
    const read = await client.job([{ name: 'map', exec: { path: cat }, devices: [...devices, { name: 'stdout' }] }]);
    expect(read.body).toBe('in1 input1\nin1 input2\nin2 input1\nin2 input2\n');
    expect(read.headers['x-nexe-system']).toBe('map-1,map-2,map-3,map-4');
    const output = { name: 'stdout', path: 'swift://~/out*/o.*' };
    const stored = await client.job([{ name: 'map', exec: { path: cat }, devices: [...devices, output] }]);
    expect([stored.status, stored.headers['x-nexe-error']]).toEqual([200, undefined]);
    expect((await client.get('out2/o.1')).body).toBe('in2 input1\n');
  });

  test('gives its program arguments, environment, CGI variables and facts about the local object', async () => {
    const guest = await client.guest('print-arguments');
    const { status, body } = await client.job(
      [
        {
          name: 'n',
          exec: { path: guest, name: 'me', args: 'one "two words" three\\x2c', env: { MINE: 'a,b\n\\x41', EMPTY: '' } },
          devices: [{ name: 'stdin', path: 'swift://~/data/hello' }, { name: 'stdout' }],
        },
      ],
      { 'x-custom-header': 'seen', cookie: 'secret=1', accept: 'text/plain' },
      `${client.account}?q=1&r=%20`,
    );
    expect(status).toBe(200);
    const items = body.split('\0').slice(0, -1);
    expect(items.slice(0, 4)).toEqual(['me', 'one', 'two words', 'three,']);
    const env = Object.fromEntries(
      items.slice(4).map((item) => [item.slice(0, item.indexOf('=')), item.slice(item.indexOf('=') + 1)]),
    );
    expect(env).toEqual({
      MINE: 'a,b\n\\x41',
      GATEWAY_INTERFACE: 'CGI/1.1',
      SERVER_SOFTWARE: 'zerocloud',
      SERVER_PROTOCOL: 'HTTP/1.1',
      SERVER_NAME: '127.0.0.1',
      SERVER_PORT: String(client.server.port),
      REMOTE_USER: 'test,test:tester,AUTH_test,SERVICE_test',
      REQUEST_METHOD: 'POST',
      REQUEST_URI: '/v1/AUTH_test?q=1&r=%20',
      PATH_INFO: '/AUTH_test',
      QUERY_STRING: 'q=1&r=%20',
      SCRIPT_NAME: 'me',
      SCRIPT_FILENAME: 'swift://AUTH_test/bin/print-arguments',
      HTTP_HOST: `127.0.0.1:${client.server.port}`,
      HTTP_CONNECTION: expect.any(String),
      HTTP_ACCEPT: 'text/plain',
      HTTP_X_CUSTOM_HEADER: 'seen',
      HTTP_X_ZEROVM_EXECUTE: '1.0',
      HTTP_X_ZEROVM_TIMEOUT: '10',
      HTTP_X_ZEROCLOUD_ID: expect.stringMatching(/^[0-9a-f]{16}$/),
      HTTP_X_TRANS_ID: expect.stringMatching(/^tx/),
      LOCAL_OBJECT: 'on',
      LOCAL_PATH_INFO: '/AUTH_test/data/hello',
      LOCAL_DOCUMENT_ROOT: '/dev/stdin',
      LOCAL_CONTENT_TYPE: 'text/x-hello',
      LOCAL_CONTENT_LENGTH: '11',
      LOCAL_HTTP_ETAG: createHash('md5').update('hello world').digest('hex'),
      LOCAL_HTTP_X_TIMESTAMP: expect.stringMatching(/^\d+\.\d{5}$/),
      LOCAL_HTTP_X_OBJECT_META_COLOR: 'blue',
    });
  });

  test('reports the program’s exit code without calling it a failure', async () => {
    const { status, headers } = await client.job([{ name: 'n', exec: { path: await client.guest('exit-code') } }]);
    expect([status, headers['x-nexe-retcode'], headers['x-nexe-status']]).toEqual([200, '42', 'ok']);
  });

  test('returns outputs that are too large to hold, whole', async () => {
    const large = 'abcdefghij'.repeat(50_000);
    await client.put('data/large', large);
    const devices = [{ name: 'stdin', path: 'swift://~/data/large' }, { name: 'stdout' }];
    const answer = await client.job([
      { name: 'a', exec: { path: cat }, devices },
      { name: 'b', exec: { path: cat }, devices },
    ]);
    expect(answer.headers['content-length']).toBe('1000000');
    expect(answer.body === large + large).toBe(true);
  });

  test('runs a script, with the object of the URL as its input', async () => {
    const answer = await client.script(
      python('import sys\nprint(sys.argv, sys.stdin.read())'),
      `${client.account}/data/hello`,
    );
    expect([answer.status, answer.headers['content-type'], answer.headers['x-nexe-system']]).toEqual([
      200,
      'text/plain',
      'script',
    ]);
    expect(answer.body).toBe("['script'] hello world\n");
    expect(answer.headers['x-nexe-validation']).toBe('2');
  });

  test('reads and writes through the other devices', async () => {
    await client.put('data/code.py', 'import sys\nopen("/dev/output", "w").write(open("/dev/input").read().upper())');
    const answer = await client.job([
      {
        name: 'n',
        exec: { path: 'file://python2.7:python', args: '/dev/script' },
        devices: [
          { name: 'python2.7' },
          { name: 'script', path: 'swift://~/data/code.py' },
          { name: 'input', path: 'swift://~/data/hello' },
          { name: 'output', path: 'swift://~/data/upper' },
          { name: 'stderr' },
        ],
      },
    ]);
    expect([answer.status, answer.body, answer.headers['x-nexe-retcode']]).toEqual([200, '', '0']);
    expect((await client.get('data/upper')).body).toBe('HELLO WORLD');
  });
});
