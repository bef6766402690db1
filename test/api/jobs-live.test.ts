import http from 'node:http';
import { startServer, type TestServer } from '../support/server';
import { JobClient } from './jobs-support';

interface JobView {
  id: string;
  user: string;
  state: string;
  status?: number;
  step: number;
  nodes: { total: number } & Record<string, number>;
  bytes_read: number;
  bytes_written: number;
  node_list: { index: number; name: string; state: string; report?: string; exit_code?: number; bytes_read: number }[];
  next_offset?: number;
}

let server: TestServer;
let client: JobClient;
let cat: string;
let spin: string;

beforeAll(async () => {
  server = await startServer({
    env: {
      SESSION_TIMEOUT_S: '60',
      MAX_SESSIONS: '2',
      JOB_HISTORY: '3',
      JOB_HISTORY_NODES: '50',
      MAX_JOB_WATCHERS: '2',
      CORS_ALLOW_ORIGINS: 'https://console.example',
    },
  });
  client = new JobClient(server);
  [cat, spin] = [await client.guest('cat'), await client.guest('spin-forever')];
  await client.put('in');
  for (let index = 0; index < 20; index++)
    await client.put(`in/part-${String(index).padStart(2, '0')}`, 'x'.repeat(100));
});

afterAll(() => server.close());

const live = '/jobs/v1/AUTH_test';

async function view<T = JobView>(target: string): Promise<T> {
  const answer = await client.send('GET', target);
  expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/json; charset=utf-8']);
  return JSON.parse(answer.body);
}

const list = async (query = '') => (await view<{ jobs: JobView[] }>(live + query)).jobs;

async function running(): Promise<JobView> {
  for (;;) {
    const [job] = await list('?state=running');
    if (job) return job;
  }
}

const forEver = () => client.job([{ name: 'spin', exec: { path: spin }, devices: [{ name: 'stdout' }] }]);
const mapStep = () =>
  client.job([
    { name: 'map', exec: { path: cat }, devices: [{ name: 'stdin', path: 'swift://~/in/part-*' }, { name: 'stdout' }] },
  ]);

/** Reads events until the stream ends, or `until` has seen enough. */
async function events(target: string, until: (event: string, data: unknown) => boolean, onOpen: () => void = () => {}) {
  const headers = { 'x-auth-token': await server.token(), accept: 'text/event-stream' };
  const seen: { event: string; data: unknown }[] = [];
  await new Promise<void>((resolve, reject) => {
    const request = http.get({ host: server.host, port: server.port, path: target, headers }, (response) => {
      expect([response.statusCode, response.headers['content-type']]).toEqual([200, 'text/event-stream']);
      onOpen();
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => {
        text += chunk;
        for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
          const [, event = '', data = 'null'] = /^event: (.*)\ndata: (.*)$/.exec(text.slice(0, end)) ?? [];
          text = text.slice(end + 2);
          seen.push({ event, data: JSON.parse(data) });
          if (until(event, seen.at(-1)!.data)) {
            request.destroy();
            resolve();
          }
        }
      });
      response.on('end', resolve);
    });
    request.on('error', (error: NodeJS.ErrnoException) => (error.code === 'ECONNRESET' ? resolve() : reject(error)));
  });
  return seen;
}

test('a job is listed under its transaction id while it runs and afterwards', async () => {
  const answer = await mapStep();
  expect(answer.status).toBe(200);
  const id = String(answer.headers['x-trans-id']);
  const [newest] = await list();
  expect(newest).toMatchObject({ id, user: 'test:tester', state: 'done', status: 200, step: 1 });
  expect(newest!.nodes).toEqual({ total: 20, waiting: 0, running: 0, done: 20, failed: 0, stopped: 0 });
  expect([newest!.bytes_read, newest!.bytes_written]).toEqual([2000, 2000]);
  const job = await view(`${live}/${id}`);
  expect(job.node_list).toHaveLength(20);
  expect(job.node_list[19]).toMatchObject({ index: 19, name: 'map-20', state: 'done', report: 'ok', bytes_read: 100 });
});

test('nodes come in pages', async () => {
  const id = String((await mapStep()).headers['x-trans-id']);
  const first = await view(`${live}/${id}?limit=15`);
  expect([first.node_list.length, first.next_offset]).toEqual([15, 15]);
  const second = await view(`${live}/${id}?limit=15&offset=15`);
  expect([second.node_list.length, second.next_offset]).toEqual([5, undefined]);
  expect((await view(`${live}/${id}?state=failed`)).node_list).toEqual([]);
  expect((await client.send('GET', `${live}/${id}?limit=x`)).status).toBe(412);
});

test('a running job can be stopped, and its client is told', async () => {
  const answer = forEver();
  const { id, nodes } = await running();
  expect(nodes.running).toBe(1);
  expect((await client.send('DELETE', `${live}/${id}`)).status).toBe(204);
  expect(await answer).toMatchObject({ status: 409, body: 'The job was stopped by its owner' });
  expect(await view(`${live}/${id}`)).toMatchObject({ state: 'stopped', status: 409, nodes: { stopped: 1 } });
  expect((await client.send('DELETE', `${live}/${id}`)).status).toBe(409);
});

test('a job whose client hung up shows as stopped', async () => {
  const headers = {
    'x-auth-token': await server.token(),
    'x-zerovm-execute': '1.0',
    'content-type': 'application/json',
  };
  const request = http.request({ host: server.host, port: server.port, method: 'POST', path: client.account, headers });
  request.on('error', () => {});
  request.end(JSON.stringify([{ name: 'spin', exec: { path: spin }, devices: [{ name: 'stdout' }] }]));
  const { id } = await running();
  request.destroy();
  let job = await view(`${live}/${id}`);
  while (job.state === 'running') job = await view(`${live}/${id}`);
  expect(job).toMatchObject({ state: 'stopped', nodes: { running: 0, stopped: 1 } });
  expect(job.status).toBeUndefined();
});

test('events tell the life of one job to its end', async () => {
  const answer = forEver();
  const { id } = await running();
  const seen = events(`${live}/${id}`, (event) => {
    if (event === 'nodes') void client.send('DELETE', `${live}/${id}`);
    return event === 'end';
  });
  expect((await answer).status).toBe(409);
  const names = (await seen).map(({ event }) => event);
  expect([names[0], names[1], names.at(-1)]).toEqual(['job', 'nodes', 'end']);
  const last = (await seen).at(-1)!.data as JobView;
  expect(last).toMatchObject({ id, state: 'stopped' });
  const nodes = (await seen)
    .filter(({ event }) => event === 'nodes')
    .flatMap(({ data }) => data as { state: string }[]);
  expect(nodes.map(({ state }) => state)).toEqual(['running', 'stopped']);
});

test('events of an account tell of every job, and too many streams are refused', async () => {
  const told: JobView[] = [];
  let opened = 0;
  const watch = () =>
    events(
      live,
      (_, data) => {
        told.push(data as JobView);
        return (data as JobView).status === 200 && told.filter(({ state }) => state === 'running').length > 0;
      },
      () => opened++,
    );
  const both = [watch(), watch()];
  while (opened < 2) await new Promise(setImmediate);
  const refused = await client.send('GET', live, { accept: 'text/event-stream' });
  expect([refused.status, refused.body]).toEqual([503, 'Too many event streams']);
  const answer = forEver();
  const { id } = await running();
  while (!told.some((job) => job.id === id && job.state === 'running')) await new Promise(setImmediate);
  await client.send('DELETE', `${live}/${id}`);
  await answer;
  await mapStep();
  await Promise.all(both);
  expect(told.filter((job) => job.id === id).at(-1)).toMatchObject({ state: 'stopped' });
});

test('jobs come in pages', async () => {
  await mapStep();
  await mapStep();
  const [first, second] = await list();
  expect((await list('?limit=1')).map(({ id }) => id)).toEqual([first!.id]);
  expect((await list(`?limit=1&marker=${first!.id}`)).map(({ id }) => id)).toEqual([second!.id]);
  expect(await list('?marker=forgotten')).toEqual([]);
  expect(await list('?state=failed')).toEqual([]);
});

test('a deferred job can be stopped, and its result says so', async () => {
  await client.put('results');
  const job = [{ name: 'spin', exec: { path: spin }, devices: [{ name: 'stdout' }] }];
  const target = `${client.account}/results/job`;
  expect((await client.job(job, { 'x-zerovm-deferred': 'always' }, target)).status).toBe(200);
  const { id } = await running();
  expect((await client.send('DELETE', `${live}/${id}`)).status).toBe(204);
  let result = await client.get('results/job');
  while (result.status === 404) result = await client.get('results/job');
  expect(result.body).toBe('The job was stopped by its owner');
});

test('history is bounded', async () => {
  for (let index = 0; index < 5; index++) await mapStep();
  // Three jobs of an account, but no more than fifty nodes, which is two of twenty.
  expect(await list()).toHaveLength(2);
});

test('only owners see jobs', async () => {
  for (const user of ['test2:tester2', 'test:tester3']) {
    const token = await server.token(user);
    expect((await client.send('GET', live, { 'x-auth-token': token })).status).toBe(403);
  }
  expect((await client.send('GET', live, { 'x-auth-token': '' })).status).toBe(401);
});

test('a console of a trusted origin may ask, and follow the events', async () => {
  const origin = 'https://console.example';
  const preflight = {
    origin,
    'access-control-request-method': 'DELETE',
    'access-control-request-headers': 'x-auth-token',
  };
  const allowed = await client.send('OPTIONS', `${live}/tx`, { 'x-auth-token': '', ...preflight });
  expect([allowed.status, allowed.headers['access-control-allow-methods']]).toEqual([200, 'GET, DELETE, OPTIONS']);
  const stranger = { ...preflight, 'x-auth-token': '', origin: 'https://stranger.example' };
  expect((await client.send('OPTIONS', `${live}/tx`, stranger)).headers['access-control-allow-origin']).toBeUndefined();
  const id = String((await mapStep()).headers['x-trans-id']);
  for (const accept of ['text/event-stream', 'application/json']) {
    const answer = await client.send('GET', `${live}/${id}`, { origin, accept });
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([200, origin]);
  }
});

test('what is not there is refused', async () => {
  expect((await client.send('GET', `${live}/tx-none`)).status).toBe(404);
  expect((await client.send('DELETE', `${live}/tx-none`)).status).toBe(404);
  expect((await client.send('GET', '/jobs/v2/AUTH_test')).status).toBe(404);
  expect((await client.send('GET', '/jobs/v1')).status).toBe(404);
  expect((await client.send('POST', live)).status).toBe(405);
  expect((await client.send('DELETE', live)).status).toBe(405);
});

test('a server that stops ends the streams', async () => {
  const other = await startServer();
  const headers = { 'x-auth-token': await other.token(), accept: 'text/event-stream' };
  const ended = new Promise<void>((resolve) => {
    http.get({ host: other.host, port: other.port, path: live, headers }, (response) => {
      response.resume().on('end', resolve);
      void other.close();
    });
  });
  await ended;
});
