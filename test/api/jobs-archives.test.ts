import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { startServer, type TestServer } from '../support/server';
import { tarOf } from '../support/tar';
import { assembleGuest } from '../support/wat';
import { JobClient, python } from './jobs-support';

let server: TestServer;
let client: JobClient;
const tar = { 'content-type': 'application/x-tar' };
const gzip = { 'content-type': 'application/x-gzip' };
/** A job that prints a file of its image. */
const show = (file: string) =>
  JSON.stringify([
    {
      name: 'n',
      exec: { path: 'file://python:python', args: `-c "print(open('${file}').read(),end='')"` },
      devices: [{ name: 'python' }, { name: 'stdout', content_type: 'text/plain' }],
    },
  ]);

beforeAll(async () => {
  server = await startServer({ env: { MAX_INPUT_BYTES: '2000000' } });
  client = new JobClient(server);
  await client.put('data');
});

afterAll(() => server.close());

describe('an archive', () => {
  test.each(['application/x-tar', 'application/x-gtar', 'application/x-ustar; charset=x'])(
    'of type %s is a job by its boot/system.map, and the root of its nodes',
    async (type) => {
      const body = await tarOf({ 'boot/system.map': show('/docs/a.txt'), 'docs/a.txt': 'from the image' });
      const answer = await client.post(body, { 'content-type': type });
      expect([answer.status, answer.body]).toEqual([200, 'from the image']);
    },
  );

  test('may be gzipped', async () => {
    const body = gzipSync(await tarOf({ 'boot/system.map': show('/a.txt'), 'a.txt': 'zipped' }));
    const answer = await client.post(body, gzip);
    expect([answer.status, answer.body]).toEqual([200, 'zipped']);
  });

  test('may be larger than memory should hold, when the map stands at the front', async () => {
    const large = randomBytes(700_000);
    const body = await tarOf({ 'boot/system.map': show('/a.txt'), large, 'a.txt': 'behind' });
    expect((await client.post(body, tar)).body).toBe('behind');
    expect((await client.post(gzipSync(body), gzip)).body).toBe('behind');
  });

  test('prefers its cluster map', async () => {
    const body = await tarOf({
      'boot/system.map': show('/a.txt'),
      'boot/cluster.map': show('/b.txt'),
      'a.txt': 'system',
      'b.txt': 'cluster',
    });
    expect((await client.post(body, tar)).body).toBe('cluster');
  });

  test('brings its own program', async () => {
    const map = JSON.stringify([
      {
        name: 'n',
        exec: { path: 'file://main.wasm' },
        devices: [{ name: 'stdin', path: 'swift://~/data/in' }, { name: 'stdout' }],
      },
    ]);
    await client.put('data/in', 'through the guest');
    const program = Buffer.from(await assembleGuest('cat'));
    const answer = await client.post(await tarOf({ 'boot/system.map': map, 'main.wasm': program }), tar);
    expect([answer.status, answer.body, answer.headers['x-nexe-validation']]).toEqual([200, 'through the guest', '0']);
    const missing = await client.post(await tarOf({ 'boot/system.map': map, 'other.wasm': program }), tar);
    expect([missing.status, missing.body, missing.headers['x-nexe-system']]).toEqual([
      400,
      'No executable found in request',
      'n',
    ]);
  });

  test.each<[string, () => Promise<Buffer> | Buffer, Record<string, string>, number, string]>([
    ['without map', () => tarOf({ a: 'x' }), tar, 400, 'System boot map was not found in request'],
    [
      'with ./ before the name',
      () => tarOf({ './boot/system.map': '[]' }),
      tar,
      400,
      'System boot map was not found in request',
    ],
    [
      'with its map too far behind',
      () => tarOf({ a: randomBytes(140_000), 'boot/system.map': '[]' }),
      tar,
      400,
      'System boot map was not found in request',
    ],
    ['of less than a block', () => Buffer.from('x'), tar, 400, 'System boot map was not found in request'],
    ['of nothing', () => Buffer.alloc(0), tar, 400, 'System boot map was not found in request'],
    ['that is none', () => Buffer.alloc(1024, 'junk'), tar, 422, 'Error reading application/x-tar stream'],
    ['that is no gzip', () => Buffer.alloc(1024, 'junk'), gzip, 422, 'Error reading application/x-gzip stream'],
    ['whose map is no JSON', () => tarOf({ 'boot/system.map': '{' }), tar, 422, 'Could not parse system map'],
    [
      'whose map is no UTF-8',
      () => tarOf({ 'boot/system.map': Buffer.from([0x22, 0xff, 0x22]) }),
      tar,
      422,
      'Could not parse system map',
    ],
    [
      'whose gzip breaks off',
      async () => {
        const whole = gzipSync(await tarOf({ 'boot/system.map': show('/a'), a: randomBytes(200_000) }));
        return whole.subarray(0, whole.length - 20_000);
      },
      gzip,
      422,
      'Failed to inflate gzipped image',
    ],
    [
      'that is too large',
      () => tarOf({ 'boot/system.map': '[]', a: randomBytes(2_000_000) }),
      tar,
      413,
      'RPC request too large',
    ],
    [
      'that inflates to too much',
      async () => gzipSync(await tarOf({ 'boot/system.map': show('/a'), a: Buffer.alloc(5_000_000) })),
      gzip,
      413,
      'RPC request too large',
    ],
  ])('%s is refused', async (_, body, headers, status, sentence) => {
    const answer = await client.post(await body(), headers);
    expect([answer.status, answer.body]).toEqual([status, sentence]);
  });

  test('without Content-Length is refused', async () => {
    const answer = await server.request(client.account, {
      method: 'POST',
      headers: { 'x-zerovm-execute': '1.0', ...tar },
      body: new Blob([await tarOf({ 'boot/system.map': '[]' })]).stream(),
      duplex: 'half',
    } as RequestInit);
    expect([answer.status, await answer.text()]).toEqual([400, 'Must specify Content-Length']);
  });

  test('leaves nothing on the node', async () => {
    const body = await tarOf({ 'boot/system.map': show('/a.txt'), large: randomBytes(200_000), 'a.txt': 'x' });
    const { id } = await server.node.stageBody(
      (async function* () {
        yield body;
      })(),
      { maxBytes: 1e6 },
    );
    await server.node.releaseBody(id);
    expect((await client.post(body, tar)).status).toBe(200);
  });
});

describe('an image of an object', () => {
  const description = (object: string) => [
    {
      name: 'n',
      exec: { path: 'file://main.wasm' },
      devices: [{ name: 'image', path: `swift://~/data/${object}` }, { name: 'stdout' }],
    },
  ];

  test('is mounted and holds the program, gzipped or not', async () => {
    const body = await tarOf({ 'main.wasm': Buffer.from(await assembleGuest('hello')) });
    await client.put('data/app.tar', body, tar);
    await client.put('data/app.tgz', gzipSync(body), gzip);
    const plain = await client.job(description('app.tar'));
    const zipped = await client.job(description('app.tgz'));
    expect([plain.status, zipped.status, zipped.body]).toEqual([200, 200, plain.body]);
    expect(plain.body.toLowerCase()).toContain('hello');
  });

  test('is refused when it is damaged or not there', async () => {
    await client.put('data/bad.tgz', 'junk', gzip);
    await client.put('data/bad.tar', 'junk'.repeat(1000), tar);
    const inflated = await client.job(description('bad.tgz'));
    expect([inflated.status, inflated.body]).toEqual([422, 'Failed to inflate gzipped image']);
    expect((await client.job(description('bad.tar'))).status).toBe(422);
    const missing = await client.job(description('gone.tar'));
    expect([missing.status, missing.body]).toEqual([
      404,
      'Error 404 Not Found while fetching /AUTH_test/data/gone.tar',
    ]);
  });
});

describe('a script', () => {
  test('passes the arguments of its first line, quotes and all', async () => {
    const answer = await client.script('#! \t file://python2.7:python -S -c "import sys; print(sys.argv)" "a b"\r\n');
    expect([answer.status, answer.body]).toEqual([200, "['-c', 'a b', 'script']\n"]);
  });

  test('may be long', async () => {
    const text = python(`print(len(open('/script').read()))\n#${'x'.repeat(300_000)}`);
    const answer = await client.script(text);
    expect([answer.status, answer.body]).toEqual([200, `${text.length}\n`]);
  });

  test('may be interpreted by a program in an object', async () => {
    const cat = await client.guest('print-arguments');
    const answer = await client.script(`#!${cat} one two\nignored`);
    expect(answer.body.split('\0').slice(0, 4)).toEqual(['script', 'one', 'two', 'script']);
  });

  test.each<[string, string, number, string]>([
    ['without #!', 'print(1)\n', 400, 'Unsupported Content-Type'],
    ['that is empty', '', 400, 'Unsupported Content-Type'],
    ['without line end', '#!file://python:python', 400, 'Cannot find shebang (#!) in script'],
    [
      'with no line end for long',
      `#!file://python:python ${'x'.repeat(200_000)}\n`,
      400,
      'Cannot find shebang (#!) in script',
    ],
    ['with an interpreter that is no URL', '#! aaa/bbb\n', 400, 'Bad interpreter aaa/bbb'],
    ['without interpreter', '#!\n', 400, 'Bad interpreter '],
    ['without image name', '#!file://python\n', 400, 'Must supply image name in shebang url file://python'],
    ['with an unknown image', '#!file://perl:perl\n', 400, 'Could not resolve channel path "" for device: perl'],
    ['with an unknown program', '#!file://python:perl\n', 400, 'No executable found in request'],
    [
      'with a missing interpreter object',
      '#!swift://~/data/gone\n',
      404,
      'Error 404 Not Found while fetching /AUTH_test/data/gone',
    ],
  ])('%s is refused', async (_, text, status, sentence) => {
    const answer = await client.script(text);
    expect([answer.status, answer.body]).toEqual([status, sentence]);
  });

  test('posted to an object with a star in its name reads that one only', async () => {
    await client.put('data/a*', 'star');
    await client.put('data/ab', 'other');
    const answer = await client.script(python('import sys; print(sys.stdin.read())'), `${client.account}/data/a*`);
    expect([answer.body, answer.headers['x-nexe-system']]).toEqual(['star\n', 'script']);
  });

  test('posted to an object that is not there is refused', async () => {
    const answer = await client.script(python('print(1)'), `${client.account}/data/gone`);
    expect([answer.status, answer.body]).toEqual([404, 'Error 404 Not Found while fetching /AUTH_test/data/gone']);
  });
});
