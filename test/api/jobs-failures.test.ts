import { createHash } from 'node:crypto';
import { startServer } from '../support/server';
import { tarOf } from '../support/tar';
import { JobClient, python, useJobs } from './jobs-support';

const client = useJobs({
  env: { SESSION_TIMEOUT_S: '1', MAX_JOBS: '2', MAX_QUEUED_JOBS: '1', MAX_SESSIONS: '2' },
});
let cat: string;

beforeAll(async () => {
  cat = await client.guest('cat');
  await client.put('data');
  await client.put('data/in', 'input');
});

const notRun = {
  'x-nexe-system': 'n',
  'x-nexe-status': 'ZeroVM did not run',
  'x-nexe-retcode': '0',
  'x-nexe-validation': '0',
  'x-nexe-cdr-line': '0.0 0.0 0 0 0 0 0 0 0 0',
  'x-nexe-colocated': '0',
};

describe('what cannot start answers with its one error', () => {
  test.each<[string, object[], string]>([
    ['program', [], 'Error 404 Not Found while fetching /AUTH_test/bin/gone'],
    [
      'input',
      [{ name: 'stdin', path: 'swift://~/data/gone' }],
      'Error 404 Not Found while fetching /AUTH_test/data/gone',
    ],
    ['container of the input', [{ name: 'stdin', path: 'swift://~/gone/o' }], 'Error while fetching /AUTH_test/gone/o'],
    [
      'container of the local output',
      [{ name: 'stdout', path: 'swift://~/gone/o' }],
      'Error while fetching /AUTH_test/gone/o',
    ],
  ])('missing %s', async (_, devices, sentence) => {
    const path = devices.length === 0 ? 'swift://~/bin/gone' : cat;
    const { status, body, headers } = await client.job([{ name: 'n', exec: { path }, devices }]);
    expect([status, body]).toEqual([404, sentence]);
    expect(headers).toMatchObject({ ...notRun, 'x-nexe-error': sentence });
  });

  test('and nothing of a job of several nodes ran, when a named object of any is missing', async () => {
    const node = (name: string, object: string) => ({
      name,
      exec: { path: cat },
      devices: [
        { name: 'stdin', path: `swift://~/data/${object}` },
        { name: 'stdout', path: `swift://~/data/of-${name}` },
      ],
    });
    const { status, headers } = await client.job([node('a', 'in'), node('b', 'gone')]);
    expect([status, headers['x-nexe-system']]).toEqual([404, 'b']);
    expect((await client.get('data/of-a')).status).toBe(404);
  });
});

describe('a request body', () => {
  const json = { 'content-type': 'application/json' };

  test('that is no JSON is refused', async () => {
    for (const body of ['', '{', '[}', Buffer.from([0x5b, 0x22, 0xff, 0x22, 0x5d])]) {
      const answer = await client.post(body, json);
      expect([answer.status, answer.body]).toEqual([422, 'Could not parse system map']);
    }
  });

  test('that is too long is refused, announced or not', async () => {
    expect((await client.post(' '.repeat(65_537), json)).status).toBe(413);
    const chunked = await client.server.request(client.account, {
      method: 'POST',
      headers: { 'x-zerovm-execute': '1.0', ...json },
      body: new Blob([' '.repeat(65_537)]).stream(),
      duplex: 'half',
    } as RequestInit);
    expect(chunked.status).toBe(413);
  });

  test('must have the md5 that its ETag says', async () => {
    const body = JSON.stringify([{ name: 'n', exec: { path: cat } }]);
    const etag = createHash('md5').update(body).digest('hex');
    expect((await client.post(body, { ...json, etag })).status).toBe(200);
    expect((await client.post(body, { ...json, etag: etag.replace(/./, 'x') })).status).toBe(422);
  });

  test('that ends early is refused', async () => {
    const token = await client.server.token();
    const answer = await client.server.raw(
      `POST /v1/AUTH_test HTTP/1.1\r\nHost: x\r\nX-Auth-Token: ${token}\r\nX-Zerovm-Execute: 1.0\r\n` +
        'Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 499 .*application\/json POST unfinished$/s);
  });
});

describe('requests that are no job submission', () => {
  test.each<[string, string, Record<string, string>, number, string | undefined]>([
    ['GET', '/v1/AUTH_test', { 'x-zerovm-execute': '1.0' }, 501, undefined],
    ['HEAD', '/v1/AUTH_test', { 'x-zerovm-execute': '1.0' }, 501, undefined],
    ['PUT', '/v1/AUTH_test/data/o', { 'x-zerovm-execute': '1.0' }, 501, undefined],
    ['DELETE', '/v1/AUTH_test/data/in', { 'x-zerovm-execute': '' }, 501, undefined],
    ['PATCH', '/v1/AUTH_test', { 'x-zerovm-execute': '1.0' }, 412, 'Bad HTTP method'],
    ['GET', '/v1/AUTH_test', { 'x-zerovm-execute': 'open/1.0' }, 412, 'Bad URL'],
    ['GET', '/open/AUTH_test/data', {}, 412, 'Bad URL'],
    ['GET', '/api/AUTH_test', {}, 412, 'Bad URL'],
    ['GET', '/open/AUTH_test/data/in/gone', {}, 404, 'Error 404 Not Found while fetching /AUTH_test/data/in/gone'],
    ['PATCH', '/api/AUTH_test/data', {}, 412, 'Bad HTTP method'],
    ['PUT', '/api/AUTH_test/data', {}, 404, 'No API endpoint configured for container data'],
    [
      'POST',
      '/v1/AUTH_test',
      { 'x-zerovm-execute': '1.0', 'x-zerovm-deferred': 'sometimes' },
      400,
      'X-Zerovm-Deferred must be never, always or auto',
    ],
  ])('%s %s %j: %s', async (method, target, headers, status, sentence) => {
    const answer = await client.send(method, target, headers);
    expect(answer.status).toBe(status);
    if (sentence !== undefined) expect(answer.body).toBe(sentence);
    expect((await client.get('data/in')).body).toBe('input');
  });

  test('may say that they are not to be deferred, and may name any version', async () => {
    const description = [{ name: 'n', exec: { path: cat } }];
    expect((await client.job(description, { 'x-zerovm-deferred': 'Never' })).status).toBe(200);
    expect((await client.job(description, { 'x-zerovm-execute': 'whatever' })).status).toBe(200);
  });
});

describe('a session that fails', () => {
  test.each([
    ['spin-forever', 'session timeout', ''],
    ['write-then-spin', 'session timeout', 'before'],
    ['hit-unreachable', expect.stringMatching(/trap|Signal/), ''],
  ])('(%s) is a 500 with a report and what it wrote', async (guest, state, output) => {
    const path = await client.guest(guest);
    const answer = await client.job([{ name: 'n', exec: { path }, devices: [{ name: 'stdout' }] }]);
    expect([answer.status, answer.body]).toEqual([500, output]);
    expect(answer.headers).toMatchObject({ 'x-nexe-status': state, 'x-nexe-error': 'bad return code' });
  });

  test('still has its output stored', async () => {
    const path = await client.guest('write-then-spin');
    const devices = [{ name: 'stdout', path: 'swift://~/data/partial' }];
    expect((await client.job([{ name: 'n', exec: { path }, devices }])).status).toBe(500);
    expect((await client.get('data/partial')).body).toBe('before');
  });

  test('of a program that is none says so', async () => {
    await client.put('bin/text', 'this is no module');
    const answer = await client.job([
      { name: 'n', exec: { path: 'swift://~/bin/text' }, devices: [{ name: 'stdout' }] },
    ]);
    expect([answer.status, answer.body]).toEqual([500, '']);
    expect(answer.headers).toMatchObject({
      'x-nexe-status': 'validation failed',
      'x-nexe-validation': '1',
      'x-nexe-error': 'bad return code',
      'x-nexe-detail': expect.any(String),
    });
  });

  test('leaves its neighbours alone, and the highest status counts', async () => {
    const trap = await client.guest('hit-unreachable');
    const answer = await client.job([
      {
        name: 'good',
        exec: { path: cat },
        devices: [{ name: 'stdin', path: 'swift://~/data/in' }, { name: 'stdout' }],
      },
      { name: 'bad', exec: { path: trap }, devices: [{ name: 'stdout' }] },
    ]);
    expect([answer.status, answer.body]).toEqual([500, 'input']);
    expect(answer.headers['x-nexe-status']).toMatch(/^ok,.+/);
    expect(answer.headers['x-nexe-error']).toBe('bad return code');
  });

  test('because its output may not be stored says where', async () => {
    const answer = await client.job([
      {
        name: 'n',
        exec: { path: cat },
        devices: [
          { name: 'stdin', path: 'swift://~/data/in' },
          { name: 'stdout', path: 'swift://~/gone/o' },
          { name: 'stderr', path: 'swift://~/data/later' },
        ],
      },
    ]);
    expect([answer.status, answer.headers['x-nexe-error'], answer.headers['x-nexe-status']]).toEqual([
      404,
      'Status 404 Not Found when putting /AUTH_test/gone/o',
      'ok',
    ]);
    expect((await client.get('data/later')).status).toBe(404);
  });
});

describe('a server with two places for jobs and one in the queue', () => {
  const spin = async () => {
    const path = await client.guest('spin-forever');
    return [{ name: 'n', exec: { path } }];
  };

  test('refuses the fourth job at once and runs the other three', async () => {
    const description = await spin();
    const answers = await Promise.all([1, 2, 3, 4].map(() => client.job(description)));
    expect(answers.map(({ status }) => status).sort()).toEqual([500, 500, 500, 503]);
    expect(answers.find(({ status }) => status === 503)!.body).toBe('Slot not available');
  });

  test('ends guests whose clients hang up, long before their time is over', async () => {
    const patient = await startServer({ env: { MAX_JOBS: '1', MAX_QUEUED_JOBS: '0' } });
    const other = new JobClient(patient);
    const path = await other.guest('spin-forever');
    await other.put('data');
    const devices = [{ name: 'stdout', path: 'swift://~/data/never' }];
    const description = JSON.stringify([{ name: 'n', exec: { path }, devices }]);
    const socket = await patient.connect();
    socket.write(
      `POST /v1/AUTH_test HTTP/1.1\r\nHost: x\r\nX-Auth-Token: ${await patient.token()}\r\nX-Zerovm-Execute: 1.0\r\n` +
        `Content-Type: application/json\r\nContent-Length: ${description.length}\r\n\r\n${description}`,
    );
    const quick = [{ name: 'n', exec: { path: await other.guest('exit-code') } }];
    const status = async () => (await other.job(quick)).status;
    while ((await status()) !== 503);
    const hungUpAt = performance.now();
    socket.destroy();
    while ((await status()) !== 200);
    expect(performance.now() - hungUpAt).toBeLessThan(5000);
    expect((await other.get('data/never')).status).toBe(404);
    await patient.close();
  });
});

test('the server keeps serving after all this', async () => {
  const answer = await client.script(python('print("still here")'));
  expect([answer.status, answer.body]).toEqual([200, 'still here\n']);
  const archive = await tarOf({ 'boot/system.map': JSON.stringify([{ name: 'n', exec: { path: cat } }]) });
  expect((await client.post(archive, { 'content-type': 'application/x-tar' })).status).toBe(200);
});
