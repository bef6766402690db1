import { once } from 'node:events';
import http from 'node:http';
import { text } from 'node:stream/consumers';
import { startServer, type TestServer } from '../support/server';
import { tarOf } from '../support/tar';
import { type JobAnswer, JobClient, python } from './jobs-support';

describe.each([
  ['in one process', {}],
  ['split in proxy and object server', { split: true }],
])('a deferred job, %s', (_, options) => {
  let server: TestServer;
  let client: JobClient;
  let cat: string;

  beforeAll(async () => {
    server = await startServer({
      ...options,
      env: { INTERACTIVE_TIMEOUT_S: '0', MAX_JOBS: '2', RESERVED_JOBS: '0', MAX_QUEUED_JOBS: '1' },
    });
    client = new JobClient(server);
    cat = await client.guest('cat');
    await client.put('data');
    await client.put('data/in', 'input');
  });

  afterAll(() => server.close());

  const always = { 'x-zerovm-deferred': 'Always' };
  const auto = { 'x-zerovm-deferred': 'auto' };
  const copy = (path = 'swift://~/data/in') => [
    {
      name: 'n',
      exec: { path: cat },
      devices: [
        { name: 'stdin', path },
        { name: 'stdout', content_type: 'text/x-r' },
      ],
    },
  ];
  const slow = (seconds: number) => python(`import time\ntime.sleep(${seconds})\nprint("slept")`);

  /** Waits for the object that an answer names. */
  async function resultOf(
    answer: JobAnswer,
    isResult = true,
  ): Promise<{ result: JobAnswer; headers: Record<string, string> }> {
    expect(answer.status).toBe(200);
    const name = /^swift:\/\/AUTH_test\/(.+)$/.exec(answer.body)?.[1];
    expect(name).toBeDefined();
    const deadline = Date.now() + 15_000;
    for (;;) {
      const result = await client.get(name!);
      if (result.status === 200) {
        return { result, headers: isResult ? JSON.parse((await client.get(`${name}.headers`)).body) : {} };
      }
      expect([result.status, Date.now() < deadline]).toEqual([404, true]);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  test('is answered with the name of its result', async () => {
    const answer = await client.job(copy(), always);
    expect(answer.body).toMatch(/^swift:\/\/AUTH_test\/\.zvm\/job-[0-9a-f-]{36}$/);
    const { result, headers } = await resultOf(answer);
    expect([result.body, result.headers['content-type']]).toEqual(['input', 'text/x-r']);
    expect(headers).toMatchObject({
      Status: '200',
      'Content-Type': 'text/x-r',
      'X-Nexe-System': 'n',
      'X-Nexe-Status': 'ok',
      'X-Chain-Total-Time': expect.stringMatching(/^\d+\.\d{3}$/),
    });
  });

  test('becomes the object of its URL, in a container that is made if need be', async () => {
    const answer = await client.job(copy(), always, `${client.account}/results/mine/1`);
    expect(answer.body).toBe('swift://AUTH_test/results/mine/1');
    expect((await resultOf(answer)).result.body).toBe('input');
  });

  test('does not write over the input of its script', async () => {
    const headers = { 'content-type': 'text/plain', ...always };
    const answer = await client.post(python('print(input())'), headers, `${client.account}/data/in`);
    expect(answer.body).toMatch(/\/\.zvm\/job-/);
    expect((await resultOf(answer)).result.body).toBe('input\n');
    expect((await client.get('data/in')).body).toBe('input');
  });

  test('answers what is wrong with it at once', async () => {
    expect((await client.job([{}], always)).body).toBe('Must specify node name');
    expect((await client.job(copy(), { ...always, 'x-auth-token': '' })).status).toBe(401);
    const long = await client.job(copy(), always, `${client.account}/results/${'%C3%A9'.repeat(1020)}`);
    expect([long.status, long.body]).toEqual([400, 'Object name length of 1020 longer than 1016']);
  });

  test('keeps what went wrong later as its result', async () => {
    const { result, headers } = await resultOf(await client.job(copy('swift://~/data/gone'), always));
    expect(result.body).toBe('Error 404 Not Found while fetching /AUTH_test/data/gone');
    expect(headers).toMatchObject({ Status: '404', 'X-Nexe-Status': 'ZeroVM did not run' });
  });

  test('reads its payload before it is answered', async () => {
    const map = [{ name: 'n', exec: { path: cat }, devices: [{ name: 'stdin' }, { name: 'stdout' }] }];
    const archive = await tarOf({ 'boot/system.map': JSON.stringify(map) });
    await client.put('data/app', archive, { 'content-type': 'application/x-tar' });
    const payload = 'p'.repeat(200_000);
    const answer = await client.send('POST', '/open/AUTH_test/data/app', always, payload);
    expect(answer.body).toMatch(/\/\.zvm\/job-/);
    expect((await resultOf(answer)).result.body === payload).toBe(true);
    expect((await client.get('data/app')).headers['content-type']).toBe('application/x-tar');
  });

  test('with auto, is not answered before a slow client has sent its payload', async () => {
    const map = [{ name: 'n', exec: { path: cat }, devices: [{ name: 'stdin' }, { name: 'stdout' }] }];
    await client.put('data/app', await tarOf({ 'boot/system.map': JSON.stringify(map) }), {
      'content-type': 'application/x-tar',
    });
    const { host, port } = server;
    const headers = { 'x-auth-token': await server.token(), ...auto, 'content-length': '10' };
    const request = http.request({ host, port, method: 'POST', path: '/open/AUTH_test/data/app', headers });
    const answered = once(request, 'response');
    request.write('first');
    // Longer than an answer is waited for.
    await new Promise((resolve) => setTimeout(resolve, 1300));
    request.end('later');
    const [response] = await answered;
    const body = await text(response);
    const answer = { status: response.statusCode, headers: response.headers, body };
    const result = body.startsWith('swift:') ? (await resultOf(answer)).result.body : body;
    expect(result).toBe('firstlater');
  });

  test('with auto, is answered as ever when it is quick enough, else with the name of its result', async () => {
    const quick = await client.job(copy(), auto);
    expect([quick.body, quick.headers['x-nexe-status']]).toEqual(['input', 'ok']);
    const answer = await client.post(slow(1.5), { 'content-type': 'text/plain', ...auto });
    expect((await resultOf(answer)).result.body).toBe('slept\n');
  });

  test('keeps to the quotas of the container that its result goes to', async () => {
    await client.put('data/k', 'x'.repeat(1000));
    await client.put('full', '', { 'x-container-meta-quota-bytes': '0' });
    const refused = await client.job(copy(), always, `${client.account}/full/result`);
    expect([refused.status, refused.body]).toEqual([413, 'Upload exceeds quota.']);
    await client.put('few', '', { 'x-container-meta-quota-bytes': '999' });
    const answer = await client.job(copy('swift://~/data/k'), always, `${client.account}/few/result`);
    const { result, headers } = await resultOf(answer);
    expect([result.body, headers.Status]).toEqual(['Upload exceeds quota.', '413']);
  });

  test('goes on when its client hangs up', async () => {
    const request = http.request({
      host: server.host,
      port: server.port,
      method: 'POST',
      path: `${client.account}/results/left`,
      headers: {
        'x-auth-token': await server.token(),
        'x-zerovm-execute': '1.0',
        'content-type': 'application/json',
        'x-zerovm-deferred': 'auto',
      },
    });
    const sleeper = JSON.stringify([
      {
        name: 'first',
        exec: { path: cat },
        devices: [{ name: 'stdout', path: 'swift://~/data/started' }],
      },
      {
        name: 'second',
        exec: { path: 'file://python:python', args: '-c import\\x20time;time.sleep(1.5);print("slept")' },
        devices: [{ name: 'python' }, { name: 'stdout', path: 'swift://~/data/written' }],
      },
    ]);
    request.on('error', () => {});
    request.end(sleeper);
    await resultOf({ status: 200, headers: {}, body: 'swift://AUTH_test/data/started' }, false);
    request.destroy();
    expect((await client.get('data/written')).status).toBe(404);
    const { headers } = await resultOf({ status: 200, headers: {}, body: 'swift://AUTH_test/results/left' });
    expect(headers).toMatchObject({ Status: '200', 'X-Nexe-Status': 'ok,ok' });
    expect((await client.get('data/written')).status).toBe(200);
  });

  test('finds a place like every other, or is refused with 503', async () => {
    const post = () => client.post(slow(1), { 'content-type': 'text/plain', ...always });
    const answers = await Promise.all([post(), post(), post(), post(), post()]);
    const accepted = answers.filter(({ status }) => status === 200);
    expect([accepted.length, answers.filter(({ status }) => status === 503).length]).toEqual([3, 2]);
    for (const answer of accepted) expect((await resultOf(answer)).result.body).toBe('slept\n');
  });
});
