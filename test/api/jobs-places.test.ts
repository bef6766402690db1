import { readdirSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { descendantPids, signalAll } from '../support/sandbox';
import { startServer, type TestServer } from '../support/server';
import { type JobAnswer, JobClient } from './jobs-support';

/** Connected jobs and the places there are for their nodes: on a server in one process, and on a proxy with an object server. */

const runner = { path: 'file://python:python', args: String.raw`-c "import\x20os;exec(os.environ['CODE'])"` };
const stdout = { name: 'stdout', content_type: 'text/plain' };

function group(name: string, code: string, changes: Record<string, unknown> = {}) {
  return { name, exec: { ...runner, env: { CODE: code } }, devices: [stdout], ...changes };
}

const send = (text: string) => `
import os
for peer in os.listdir('/dev/out'):
    with open('/dev/out/' + peer, 'w') as pipe: pipe.write(${text})`;
const sendName = send(`os.environ['SCRIPT_NAME'] + '\\n'`);
const readAll = `
import os
for peer in sorted(os.listdir('/dev/in'), key=lambda name: (len(name), name)): print(open('/dev/in/' + peer).read(), end='')`;

describe.each([
  ['in one process', false],
  ['as proxy and object server', true],
])('a server %s with three places for connected nodes', (_, split) => {
  let server: TestServer;
  let jobs: JobClient;
  let spin: string;
  let cat: string;

  beforeAll(async () => {
    server = await startServer({
      split,
      env: {
        MAX_SESSIONS: '2',
        CONNECTED_SESSIONS: '3',
        SESSION_TIMEOUT_S: '20',
        SESSION_MEMORY_BYTES: String(128 * 1024 ** 2),
        MAX_SPILL_BYTES: String(2_000_000),
        ACCOUNTING: 'yes',
      },
    });
    jobs = new JobClient(server);
    await jobs.put('data');
    [spin, cat] = [await jobs.guest('spin-forever'), await jobs.guest('cat')];
  });
  afterAll(() => server.close());

  /** Nothing of a job is left when it is over: no file of a session, no body of a pipe. */
  afterEach(async () => {
    const left = () => {
      const entries = readdirSync(server.dataDir, { recursive: true, withFileTypes: true });
      return entries
        .filter((entry) => entry.isFile() && /staging|\/in$|outputs/.test(entry.parentPath))
        .map((entry) => path.join(entry.parentPath, entry.name));
    };
    for (const end = Date.now() + 5_000; left().length > 0 && Date.now() < end; ) await new Promise(setImmediate);
    expect(left()).toEqual([]);
  });

  const endless = (count: number) => [{ name: 'n', count, exec: { path: spin }, connect: ['n'], devices: [stdout] }];
  const view = async (): Promise<{ id: string; state: string; nodes: Record<string, number> }[]> => {
    return JSON.parse((await jobs.send('GET', '/jobs/v1/AUTH_test')).body).jobs;
  };
  const running = async () => {
    for (;;) {
      const found = (await view()).find(({ state }) => state === 'running');
      if (found) return found;
    }
  };

  test('finishes a map-reduce of more nodes than that, and passes on all that was written', async () => {
    const answer = await jobs.job([
      group('map', sendName, { count: 11, connect: ['reduce'], devices: [] }),
      group('reduce', readAll),
    ]);
    const names = Array.from({ length: 11 }, (_, index) => `map-${index + 1}\n`);
    expect(answer).toMatchObject({ status: 200, body: names.join('') });
    expect(answer.headers['x-nexe-status']).toBe(Array(12).fill('ok').join(','));
  });

  test('finishes a chain of more nodes than that, of which each waits for the one before', async () => {
    const nodes = Array.from({ length: 6 }, (_, index) => ({
      name: `n${index}`,
      exec: { path: cat },
      devices: [
        ...(index === 0 ? [{ name: 'stdin', path: 'swift://~/data/long' }] : []),
        index === 5 ? stdout : { name: 'stdout', path: `zvm://n${index + 1}:stdin` },
      ],
    }));
    const text = 'line\n'.repeat(60_000);
    await jobs.put('data/long', text);
    const answer = await jobs.job(nodes);
    expect([answer.status, answer.body === text]).toEqual([200, true]);
  });

  test('runs a circle within a larger job at once, and the rest before and after', async () => {
    const pass = `
import os
name = os.environ['SCRIPT_NAME']
own = open('/dev/in/start').read().strip()
peer = 'a' if name == 'b' else 'b'
with open('/dev/out/' + peer, 'w') as pipe: pipe.write(name + own)
with open('/dev/out/end', 'w') as pipe: pipe.write(open('/dev/in/' + peer).read() + '\\n')`;
    const answer = await jobs.job([
      group('start', sendName, { connect: ['a', 'b'], devices: [] }),
      group('a', pass, { connect: ['b', 'end'], devices: [] }),
      group('b', pass, { connect: ['a', 'end'], devices: [] }),
      group('end', readAll),
    ]);
    expect(answer).toMatchObject({ status: 200, body: 'bstart\nastart\n' });
  });

  test('refuses a circle of more, with 503 and why; nothing runs', async () => {
    const answer = await jobs.job([
      group('n', `print('ran')\n${sendName}`, {
        count: 4,
        connect: ['n'],
        devices: [{ name: 'stdout', path: 'swift://~/data/*' }],
      }),
    ]);
    expect(answer).toMatchObject({
      status: 503,
      body: 'Cluster slot not available: 4 nodes of the job wait for each other in a circle and must run at once, but at most 3 can',
    });
    expect((await jobs.get('data/n-1')).status).toBe(404);
  });

  test('runs groups of several jobs one after the other, none of which waits for the other', async () => {
    const pair = () => jobs.job([group('a', sendName, { connect: ['b'], devices: [] }), group('b', readAll)]);
    for (const answer of await Promise.all(Array.from({ length: 6 }, pair))) {
      expect(answer).toMatchObject({ status: 200, body: 'a\n' });
    }
  });

  test('passes on what a node wrote before it died, in parts as well', async () => {
    const die = `${sendName}\nif os.environ['SCRIPT_NAME'] == 'map-2': os.abort()`;
    const answer = await jobs.job([
      group('map', die, { count: 5, connect: ['reduce'], devices: [] }),
      group('reduce', readAll),
    ]);
    expect(answer).toMatchObject({ status: 500, body: 'map-1\nmap-2\nmap-3\nmap-4\nmap-5\n' });
    expect(
      String(answer.headers['x-nexe-status'])
        .split(',')
        .filter((state) => state !== 'ok'),
    ).toHaveLength(1);
  });

  test('limits what lies on disk between nodes: who writes more gets an error, as at any quota', async () => {
    const flood = `
import os
written = 0
try:
    with open('/dev/out/reduce', 'wb', buffering=0) as pipe:
        while True: written += pipe.write(b'x' * 100_000)
except OSError as error: print(written, error.errno)`;
    const answer = await jobs.job([
      group('map', flood, { count: 4, connect: ['reduce'] }),
      group('reduce', 'import os\nprint(sum(len(open("/dev/in/" + peer).read()) for peer in os.listdir("/dev/in")))'),
    ]);
    expect(answer.status).toBe(200);
    const lines = answer.body.trimEnd().split('\n');
    const written = lines.slice(0, 4).map((line) => Number(line.split(' ')[0]));
    expect(lines.slice(0, 4).every((line) => line.endsWith(' 19'))).toBe(true);
    // Three nodes run at the same time and share all there is. To the fourth nothing is left, but a pipe takes one byte.
    expect(written).toEqual([666_666, 666_667, 666_667, 1]);
    expect(Number(lines[4])).toBe(2_000_001);
  });

  test('answers the whole job when an input of one node is not there; no other ran', async () => {
    const input = (name: string) => ({ name: 'stdin', path: `swift://~/data/${name}` });
    await jobs.put('data/gone');
    const description = [
      group('a', sendName, { connect: ['b'], devices: [{ name: 'stdout', path: 'swift://~/data/written' }] }),
      group('b', readAll, { devices: [input('nothing'), stdout] }),
    ];
    const answer = await jobs.job(description);
    expect(answer).toMatchObject({
      status: 404,
      headers: { 'x-nexe-system': 'b', 'x-nexe-status': 'ZeroVM did not run' },
      body: 'Error 404 Not Found while fetching /AUTH_test/data/nothing',
    });
    expect((await jobs.get('data/written')).status).toBe(404);
  });

  test('returns large outputs of many connected nodes, in the order of the nodes', async () => {
    const print = `print(os.environ['SCRIPT_NAME'][-1] * 300_000)`;
    const one = await jobs.job([group('n', print, { count: 3, connect: ['n'] })]);
    expect(one.status).toBe(200);
    expect(one.body === [1, 2, 3].map((digit) => `${String(digit).repeat(300_000)}\n`).join('')).toBe(true);
    const pairs = Array.from({ length: 20 }, (_, index) => [
      group(`a${index}`, print, { connect: [`b${index}`] }),
      group(`b${index}`, `print('b' * 300_000)`),
    ]).flat();
    const many = await jobs.job(pairs);
    expect([many.status, many.body.length]).toEqual([200, 40 * 300_001]);
  });

  test('ends all nodes at once when the client hangs up', async () => {
    const controller = new AbortController();
    const { host, port } = server;
    const headers = {
      'x-auth-token': await server.token(),
      'x-zerovm-execute': '1.0',
      'content-type': 'application/json',
    };
    const request = http.request({
      host,
      port,
      method: 'POST',
      path: jobs.account,
      headers,
      signal: controller.signal,
    });
    const failed = new Promise((resolve) => request.on('error', resolve));
    request.end(JSON.stringify(endless(3)));
    expect((await running()).nodes).toMatchObject({ total: 3, running: 3 });
    controller.abort();
    await failed;
    const next = await jobs.job([group('a', sendName, { connect: ['b'], devices: [] }), group('b', readAll)]);
    expect(next).toMatchObject({ status: 200, body: 'a\n' });
    expect((await view()).map(({ state }) => state)).not.toContain('running');
  });

  test('ends all nodes when the job is stopped, and tells its client', async () => {
    const answer = jobs.job(endless(3));
    const { id } = await running();
    expect((await jobs.send('DELETE', `/jobs/v1/AUTH_test/${id}`)).status).toBe(204);
    expect(await answer).toMatchObject({ status: 409, body: 'The job was stopped by its owner' });
    const job = JSON.parse((await jobs.send('GET', `/jobs/v1/AUTH_test/${id}`)).body);
    expect(job.node_list.map(({ state }: { state: string }) => state)).toEqual(Array(3).fill('stopped'));
  });

  test('stops a job in parts as well, and lets go of what lay on disk', async () => {
    const map = `${send(`'x' * 500_000`)}\nif os.environ['SCRIPT_NAME'] == 'map-3':\n  while True: pass`;
    const answer = jobs.job([
      group('map', map, { count: 4, connect: ['reduce'], devices: [] }),
      group('reduce', readAll),
    ]);
    const { id } = await running();
    for (;;) {
      const job = JSON.parse((await jobs.send('GET', `/jobs/v1/AUTH_test/${id}`)).body);
      if (job.nodes.done >= 3) break;
    }
    await jobs.send('DELETE', `/jobs/v1/AUTH_test/${id}`);
    expect((await answer).status).toBe(409);
  });

  test('goes on without the process of a group: every node is reported, and the next job runs', async () => {
    await jobs.put('data/kept-n-1', 'as it was');
    const [spinning] = endless(3);
    const answer = jobs.job([{ ...spinning, devices: [{ name: 'stdout', path: 'swift://~/data/kept-*' }] }]);
    await running();
    signalAll(descendantPids(), 'SIGKILL');
    const { status, headers } = await answer;
    // It may have died before it had begun.
    expect([status, String(headers['x-nexe-status'])]).toEqual([
      500,
      expect.stringMatching(/^(sandbox process died,?){3}$|^(ZeroVM runtime error,?){3}$/),
    ]);
    expect((await jobs.get('data/kept-n-1')).body).toBe('as it was');
    expect((await jobs.job([group('a', sendName, { connect: ['b'], devices: [] }), group('b', readAll)])).body).toBe(
      'a\n',
    );
  });

  test('gives an account its turn while another one’s jobs fill all places', async () => {
    const others = [jobs.job(endless(3))];
    const first = await running();
    others.push(jobs.job(endless(3)), jobs.job(endless(3)));
    while ((await view()).filter(({ state }) => state === 'running').length < 3);
    const token = await server.token('test2:tester2');
    const mine = jobs.job(
      [group('a', sendName, { connect: ['b'], devices: [] }), group('b', readAll)],
      { 'x-auth-token': token },
      '/v1/AUTH_test2',
    );
    const waiting = async () => {
      const answer = await jobs.send('GET', '/jobs/v1/AUTH_test2', { 'x-auth-token': token });
      return JSON.parse(answer.body).jobs.length > 0;
    };
    while (!(await waiting()));
    await jobs.send('DELETE', `/jobs/v1/AUTH_test/${first.id}`);
    // Its turn comes before the second of the other one's.
    expect(await mine).toMatchObject({ status: 200, body: 'a\n' });
    for (const { id, state } of await view()) {
      if (state === 'running' || state === 'waiting') await jobs.send('DELETE', `/jobs/v1/AUTH_test/${id}`);
    }
    expect((await Promise.all(others)).map(({ status }: JobAnswer) => status)).toEqual([409, 409, 409]);
  });

  test('defers, chains and accounts for connected jobs as for others', async () => {
    const description = [group('a', sendName, { connect: ['b'], devices: [] }), group('b', readAll)];
    const deferred = await jobs.job(description, { 'x-zerovm-deferred': 'always' }, `${jobs.account}/data/later`);
    expect([deferred.status, deferred.body]).toEqual([200, 'swift://AUTH_test/data/later']);
    let result: JobAnswer;
    do result = await jobs.get('data/later');
    while (result.status === 404);
    expect(result.body).toBe('a\n');
    const chained = await jobs.job([
      group('first', send(`r'''${JSON.stringify(description)}'''`), { connect: ['last'], devices: [] }),
      group('last', `print('Content-Type: application/json\\nX-Zerovm-Execute: 1.0\\n')\n${readAll}`, {
        devices: [{ name: 'stdout', content_type: 'message/cgi' }],
      }),
    ]);
    expect(chained).toMatchObject({ status: 200, body: 'a\n', headers: { 'x-nexe-system': 'a,b' } });
    const admin = { 'x-auth-token': await server.token('admin:admin') };
    const day = new Date().toISOString().slice(0, 10).replaceAll('-', '/');
    const log = await jobs.send('GET', `/v1/AUTH_userstats/AUTH_test/${day}.log`, admin);
    const line = log.body.split('\n').findLast((text) => text.includes(` ${chained.headers['x-trans-id']} b `));
    expect(line).toMatch(/ 2 0 0\) \[200\]$/);
  });
});
