import { tarOf } from '../support/tar';
import { useJobs } from './jobs-support';

const client = useJobs({ env: { CHAIN_TIMEOUT_S: '2' } });
let cat: string;

beforeAll(async () => {
  cat = await client.guest('cat');
  await client.put('data');
  await client.put('data/in', 'input');
});

const executes = 'X-Zerovm-Execute: 1.0';

/** Posts an archive whose program, in Python, prints a CGI message. */
async function run(code: string, target = client.account, headers: Record<string, string> = {}) {
  return client.post(await archive(code), { 'content-type': 'application/x-tar', ...headers }, target);
}

function archive(code: string, devices: object[] = []) {
  const map = JSON.stringify([
    {
      name: 'first',
      exec: { path: 'file://python:python', args: 'main.py' },
      devices: [{ name: 'python' }, ...devices, { name: 'stdout', content_type: 'message/cgi' }],
    },
  ]);
  return tarOf({ 'boot/system.map': map, 'main.py': `import json, os, sys\n${code}` });
}

/** Python that answers with a job. */
const answerWith = (job: unknown, head = `Content-Type: application/json\\n${executes}`) =>
  `sys.stdout.write("${head}\\n\\n" + json.dumps(json.loads(${JSON.stringify(JSON.stringify(job))})))`;

const second = {
  name: 'second',
  exec: { path: 'swift://~/bin/cat' },
  devices: [
    { name: 'stdin', path: 'swift://~/data/in' },
    { name: 'stdout', content_type: 'text/x-second' },
  ],
};

describe('a job whose answer is a job', () => {
  test('is answered with what that one says', async () => {
    const answer = await run(answerWith([second]));
    expect([answer.status, answer.body, answer.headers['content-type']]).toEqual([200, 'input', 'text/x-second']);
    expect(answer.headers['x-nexe-system']).toBe('second');
    expect(answer.headers['x-zerovm-execute']).toBeUndefined();
    expect(Number(answer.headers['x-chain-total-time'])).toBeGreaterThan(0);
  });

  test('may have fewer nodes after more, and each step is shown with its own nodes', async () => {
    const map = (names: string[]) =>
      JSON.stringify(
        names.map((name) => ({
          name,
          exec: { path: 'file://python:python', args: 'main.py' },
          devices: [{ name: 'python' }, { name: 'stdout', content_type: 'message/cgi' }],
        })),
      );
    const body = `import json, os, sys\nif os.environ["SCRIPT_NAME"] == "c":\n ${answerWith([second])}`;
    const archive = await tarOf({ 'boot/system.map': map(['a', 'b', 'c']), 'main.py': body });
    const answer = await client.post(archive, { 'content-type': 'application/x-tar' });
    expect([answer.status, answer.body]).toEqual([200, 'input']);
    const job = JSON.parse((await client.send('GET', `/jobs/v1/AUTH_test/${answer.headers['x-trans-id']}`)).body);
    expect(job).toMatchObject({ state: 'done', step: 2, nodes: { total: 1, waiting: 0, running: 0, done: 1 } });
  });

  test('is followed whatever its own status is', async () => {
    const answer = await run(answerWith([second], `Status: 500 Odd\\nContent-Type: application/json\\n${executes}`));
    expect([answer.status, answer.body]).toEqual([200, 'input']);
  });

  test.each([
    ['without the header', 'Content-Type: application/json'],
    ['with another type', `Content-Type: application/json; charset=utf-8\\n${executes}`],
    ['with an empty header', 'Content-Type: application/json\\nX-Zerovm-Execute:'],
  ])('is an ordinary answer %s', async (_, head) => {
    const answer = await run(answerWith([second], head));
    expect([JSON.parse(answer.body), answer.headers['x-nexe-system']]).toEqual([[second], 'first']);
  });

  test('is an ordinary answer when it is longer than a description may be', async () => {
    const long = [{ ...second, comment: 'x'.repeat(70_000) }];
    const answer = await run(answerWith(long));
    expect([answer.headers['x-nexe-system'], answer.headers['x-zerovm-execute']]).toEqual(['first', '1.0']);
    expect(JSON.parse(answer.body)).toEqual(long);
  });

  test('answers with the faults of the second job', async () => {
    const missing = { ...second, devices: [{ name: 'stdin', path: 'swift://~/data/gone' }] };
    const answer = await run(answerWith([missing]));
    expect([answer.status, answer.body]).toEqual([404, 'Error 404 Not Found while fetching /AUTH_test/data/gone']);
    expect(answer.headers['x-chain-total-time']).toMatch(/^\d+\.\d{3}$/);
    expect((await run(answerWith({ no: 'list' }))).body).toBe('Config parser internal error');
    const noJson = await run(`sys.stdout.write("Content-Type: application/json\\n${executes}\\n\\n{")`);
    expect([noJson.status, noJson.body]).toEqual([422, 'Could not parse system map']);
  });

  test('shows the second job a POST to the account, with the query, and none of the client’s other headers', async () => {
    const code = `
names = ["REQUEST_METHOD", "REQUEST_URI", "PATH_INFO", "QUERY_STRING", "REMOTE_USER", "HTTP_HOST", "HTTP_ORIGIN", "HTTP_ACCEPT",
    "HTTP_X_OWN", "HTTP_X_ZEROVM_EXECUTE", "HTTP_X_ZEROVM_SOURCE", "HTTP_X_TRANS_ID", "GREETING"]
if "GREETING" in os.environ:
    sys.stdout.write("Content-Type: text/plain\\n\\n" + json.dumps([os.environ.get(n) for n in names]))
else:
    job = [{"name": "next", "exec": {"path": "file://python:python", "args": "main.py", "env": {"GREETING": "hello"}},
        "devices": [{"name": "python"}, {"name": "image", "path": "swift://~/data/app"},
            {"name": "stdout", "content_type": "message/cgi"}]}]
    sys.stdout.write("Content-Type: application/json\\n${executes}\\n\\n" + json.dumps(job))
`;
    await client.put('data/app', await archive(code), { 'content-type': 'application/x-tar' });
    const answer = await client.send('PUT', '/open/AUTH_test/data/app?q=1', {
      accept: 'text/x-wanted',
      'x-own': 'mine',
      origin: 'http://elsewhere.example',
    });
    expect(JSON.parse(answer.body)).toEqual([
      'POST',
      '/v1/AUTH_test?q=1',
      '/AUTH_test',
      'q=1',
      'test,test:tester,AUTH_test,SERVICE_test',
      `${client.server.host}:${client.server.port}`,
      'http://elsewhere.example',
      null,
      null,
      '1.0',
      null,
      answer.headers['x-trans-id'],
      'hello',
    ]);
  });
});

describe('the payload of a chain', () => {
  const storing = {
    name: 'store',
    exec: { path: 'swift://~/bin/cat' },
    devices: [{ name: 'stdin' }, { name: 'stdout', path: 'swift://~/data/stored', content_type: 'text/x-payload' }],
  };

  test.each([
    ['small', 7],
    ['large', 200_000],
  ])('goes to the first job that wants it: %s', async (_, length) => {
    await client.put('data/router', await archive(answerWith([storing])), { 'content-type': 'application/x-tar' });
    const payload = 'p'.repeat(length);
    const answer = await client.send('PUT', '/open/AUTH_test/data/router', {}, payload);
    expect(answer.status).toBe(200);
    const stored = await client.get('data/stored');
    expect([stored.body === payload, stored.headers['content-type']]).toEqual([true, 'text/x-payload']);
  });

  test('is gone once a job has read it', async () => {
    const last = { ...storing, devices: [{ name: 'stdin' }, { name: 'stdout' }] };
    const reader = await archive(`sys.stdin.read()\n${answerWith([last])}`, [{ name: 'stdin' }]);
    await client.put('data/reader', reader, { 'content-type': 'application/x-tar' });
    const answer = await client.send('POST', '/open/AUTH_test/data/reader', {}, 'payload');
    expect([answer.status, answer.headers['x-nexe-system'], answer.body]).toEqual([200, 'store', '']);
  });
});

describe('a chain without end', () => {
  beforeAll(async () => {
    // Every step asks for the next one.
    const code = `
n = int(os.environ.get("STEP", "0")) + 1
job = [{"name": "step", "exec": {"path": "file://python:python", "args": "main.py", "env": {"STEP": str(n)}},
    "devices": [{"name": "python"}, {"name": "image", "path": "swift://~/data/endless"},
        {"name": "stdout", "content_type": "message/cgi"}]}]
sys.stdout.write("Content-Type: application/json\\n${executes}\\n\\n" + json.dumps(job))
`;
    await client.put('data/endless', await archive(code), { 'content-type': 'application/x-tar' });
  });

  test('ends when its time is over, with the job that was not run any more', async () => {
    const answer = await client.send('GET', '/open/AUTH_test/data/endless');
    expect([answer.status, answer.headers['content-type'], answer.headers['x-zerovm-execute']]).toEqual([
      200,
      'application/json',
      '1.0',
    ]);
    const [{ exec }] = JSON.parse(answer.body) as [{ exec: { env: { STEP: string } } }];
    expect(Number(exec.env.STEP)).toBeGreaterThan(2);
    expect(Number(answer.headers['x-chain-total-time'])).toBeGreaterThanOrEqual(2);
  });
});

test('every job says how long it took', async () => {
  expect((await client.job([{ name: 'n', exec: { path: cat } }])).headers['x-chain-total-time']).toMatch(
    /^\d+\.\d{3}$/,
  );
  expect((await client.job([{}])).headers['x-chain-total-time']).toMatch(/^\d+\.\d{3}$/);
});
