import { createHash } from 'node:crypto';
import { tarOf } from '../support/tar';
import { useJobs } from './jobs-support';

/** Programs say in a message (`message/http`, `message/cgi`) what status, headers and type their output has. */
describe.each([
  ['in one process', {}],
  ['split in proxy and object server', { split: true }],
])('an output that is an HTTP message, %s', (_, options) => {
  const client = useJobs(options);

  beforeAll(async () => {
    await client.put('out');
  });

  /** Runs Python code as a job of one node with this device as its only output. */
  async function run(code: string, device: object, more: object = {}) {
    const map = JSON.stringify([
      {
        name: 'n',
        exec: { path: 'file://python:python', args: 'main.py' },
        devices: [{ name: 'python' }, { name: 'stdout', ...device }],
        ...more,
      },
    ]);
    const archive = await tarOf({ 'boot/system.map': map, 'main.py': `import sys\nw = sys.stdout.write\n${code}\n` });
    return client.post(archive, { 'content-type': 'application/x-tar' });
  }
  const http = { content_type: 'message/http' };
  const cgi = { content_type: 'message/cgi' };

  test('gives the answer its status, headers, type and body', async () => {
    const answer = await run(
      `w("HTTP/1.1 201 Made it\\r\\nContent-Type: text/x-made\\nX-Color: blue\\r\\nX-Object-Meta-Key: v\\r\\n\\nbody")`,
      http,
    );
    expect([answer.status, answer.body]).toEqual([201, 'body']);
    expect(answer.headers).toMatchObject({
      'content-type': 'text/x-made',
      'content-length': '4',
      'x-color': 'blue',
      'x-object-meta-key': 'v',
      'x-nexe-status': 'ok',
    });
  });

  test.each([
    ['Status: 404 Not Found', 404],
    ['Status: 404', 404],
    ['status:201 Created', 201],
    ['X-Other: 1', 200],
  ])('of a CGI program has the status of its Status header: %s', async (line, status) => {
    const answer = await run(`w("${line}\\n\\nrest")`, { content_type: 'message/cgi; charset=utf-8' });
    expect([answer.status, answer.body, answer.headers['content-type']]).toEqual([status, 'rest', 'text/html']);
    expect(answer.headers.status).toBeUndefined();
  });

  test.each<[string, object]>([
    ['hello world', http],
    ['HTTP/1.1 200 OK\\nX: y\\n', http],
    ['HTTP/1.1 99 Odd\\n\\nbody', http],
    ['HTTP/1.1 200 OK\\nno header\\n\\nbody', http],
    ['Status: nothing\\n\\nbody', cgi],
    ['Bad header: x\\n\\nbody', cgi],
  ])('is used as it is when it is none: %j', async (text, device) => {
    const answer = await run(`w("${text}")`, device);
    expect([answer.status, answer.body]).toEqual([200, text.replaceAll('\\n', '\n')]);
    expect(answer.headers['content-type']).toBe(Object.values(device)[0]);
  });

  test('is none when its head is longer than 64 KiB', async () => {
    const answer = await run(`w("X-Long: " + "x" * 70000 + "\\n\\nbody")`, cgi);
    expect([answer.body.length, answer.headers['content-type']]).toEqual([70014, 'message/cgi']);
  });

  test('cannot speak for the server', async () => {
    const answer = await run(
      `w("X-Nexe-Status: fine\\nX-Nexe-Retcode: 7\\nX-Nexe-New: 1\\nContent-Length: 2\\nTransfer-Encoding: chunked\\n" +
  "__proto__: a\\n__proto__: b\\nConnection: close\\nX-Trans-Id: mine\\nX-Account-Sysmeta-A: b\\nmtime: 1\\nX-Zerovm-Device: d\\nX-Mine: 1\\n\\nwhole")
sys.exit(3)`,
      cgi,
    );
    expect(answer.body).toBe('whole');
    expect(answer.headers).toMatchObject({
      'x-nexe-status': 'ok',
      'x-nexe-retcode': '3',
      'content-length': '5',
      'x-zerovm-device': 'stdout',
      'x-mine': '1',
      'x-trans-id': expect.stringMatching(/^tx/),
    });
    for (const name of ['x-nexe-new', 'transfer-encoding', 'x-account-sysmeta-a', 'mtime']) {
      expect(answer.headers[name]).toBeUndefined();
    }
  });

  test('may repeat a header, and may be UTF-8', async () => {
    const answer = await run(`w("Set-Cookie: a=1\\nSet-Cookie: b=2\\nX-Name: blå\\n\\n")`, cgi);
    expect(answer.headers['set-cookie']).toEqual(['a=1', 'b=2']);
    expect(Buffer.from(answer.headers['x-name'] as string, 'latin1').toString()).toBe('blå');
  });

  test('sets the status even when its session failed', async () => {
    const trap = `w("Status: 202 Accepted\\n\\npart")\nsys.stdout.flush()\nimport os\nos.abort()`;
    const answer = await run(trap, cgi);
    expect([answer.status, answer.body, answer.headers['x-nexe-error']]).toEqual([202, 'part', 'bad return code']);
  });

  test('has no body when its status allows none', async () => {
    const answer = await run(`w("Status: 204 No Content\\n\\nlost")`, cgi);
    expect([answer.status, answer.body]).toEqual([204, '']);
  });

  test.each([
    ['small', 5],
    ['large', 300_000],
  ])('loses its head when it is stored: a %s body', async (size, length) => {
    const answer = await run(
      `w("HTTP/1.1 404 Ignored\\nContent-Type: text/x-kept\\nX-Object-Meta-Own: ja\\nX-Ignored: 1\\n\\n" + "b" * ${length})`,
      { ...http, path: `swift://~/out/${size}`, meta: { Declared: 'yes', own: 'nein' } },
    );
    expect([answer.status, answer.headers['x-nexe-error']]).toEqual([200, undefined]);
    const stored = await client.get(`out/${size}`);
    const body = 'b'.repeat(length);
    expect([stored.status, stored.body === body]).toEqual([200, true]);
    expect(stored.headers).toMatchObject({
      'content-type': 'text/x-kept',
      'x-object-meta-declared': 'yes',
      'x-object-meta-own': 'ja',
      etag: createHash('md5').update(body).digest('hex'),
    });
    expect(stored.headers['x-ignored']).toBeUndefined();
  });

  test('is stored with the default type when its head names none', async () => {
    await run(`w("X-A: b\\n\\nx")`, { ...cgi, path: 'swift://~/out/untyped' });
    expect((await client.get('out/untyped')).headers['content-type']).toBe('application/octet-stream');
    await run(`w("no message")`, { ...cgi, path: 'swift://~/out/plain' });
    const plain = await client.get('out/plain');
    expect([plain.body, plain.headers['content-type']]).toEqual(['no message', 'message/cgi']);
  });

  test('is not stored with a type that is longer than a header of a request may be', async () => {
    const device = { ...cgi, path: 'swift://~/out/long-type' };
    const answer = await run(`w("Content-Type: a/" + "x" * 8191 + "\\n\\nx")`, device);
    const sentence = 'Status 400 Bad Request when putting /AUTH_test/out/long-type';
    expect([answer.status, answer.headers['x-nexe-error']]).toEqual([400, sentence]);
  });

  test('is not stored with metadata that a PUT would refuse', async () => {
    const answer = await run(`w("X-Object-Meta-Long: " + "x" * 300 + "\\n\\nx")`, {
      ...cgi,
      path: 'swift://~/out/bad',
    });
    expect([answer.status, answer.headers['x-nexe-error']]).toEqual([
      400,
      'Status 400 Bad Request when putting /AUTH_test/out/bad',
    ]);
    expect((await client.get('out/bad')).status).toBe(404);
  });

  test('has the size of its body for min_size', async () => {
    const tooSmall = { ...cgi, min_size: 5 };
    expect((await run(`w("X-Long-Header: 1\\n\\n1234")`, tooSmall)).body).toBe('');
    expect((await run(`w("X-Long-Header: 1\\n\\n12345")`, tooSmall)).body).toBe('12345');
    await run(`w("X-Long-Header: 1\\n\\n1234")`, { ...tooSmall, path: 'swift://~/out/dropped' });
    expect((await client.get('out/dropped')).status).toBe(404);
  });

  test('of several nodes: the highest status, and the headers of the last that sets them', async () => {
    const answer = await run(
      `import os
n = os.environ["SCRIPT_NAME"][-1]
w("Status: 20%s Fine\\nX-Node: %s\\nX-Only-%s: 1\\n\\n%s" % (n, n, n, n))`,
      cgi,
      { count: 2 },
    );
    expect([answer.status, answer.body, answer.headers['x-node']]).toEqual([202, '12', '2']);
    expect([answer.headers['x-only-1'], answer.headers['x-only-2']]).toEqual(['1', '1']);
  });

  test('of many nodes have 64 KiB of headers together', async () => {
    const answer = await run(`import os\nw("X-%s: " % os.environ["SCRIPT_NAME"] + "x" * 15000 + "\\n\\n.")`, cgi, {
      count: 6,
    });
    expect([answer.status, answer.body]).toEqual([500, '......']);
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('x-n-'))).toHaveLength(4);
    expect(answer.headers['x-nexe-error']).toBe(
      'Headers of all nodes longer than 65536,Headers of all nodes longer than 65536',
    );
  });
});
