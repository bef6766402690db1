import { startServer, type TestServer } from '../support/server';
import { JobClient } from './jobs-support';

const noon = Date.UTC(2026, 10, 22, 12, 30, 45);

describe.each([
  ['one process', false],
  ['two processes', true],
])('%s', (_, split) => {
  let server: TestServer;
  let client: JobClient;
  let cat: string;

  beforeAll(async () => {
    server = await startServer({ split, now: () => noon, env: { ACCOUNTING: 'yes', MAX_SESSIONS: '2' } });
    client = new JobClient(server);
    cat = await client.guest('cat');
  });

  afterAll(() => server.close());

  const run = (count: number) => client.job([{ name: 'n', count, exec: { path: cat }, devices: [{ name: 'stdout' }] }]);

  async function read(name: string, user = 'admin:admin') {
    const token = await server.token(user);
    return client.send('GET', `/v1/AUTH_userstats/AUTH_test${name}`, { 'x-auth-token': token });
  }

  test('a line for each node is there when the job is answered', async () => {
    const answer = await run(3);
    const log = await read('/2026/11/22.log');
    expect([log.status, log.headers['content-type']]).toEqual([200, 'text/plain']);
    const lines = log.body.trimEnd().split('\n');
    const id = answer.headers['x-trans-id'];
    const cdr = /^\d+\.\d{3}, \d+\.\d\d \d+\.\d\d( \d+){8}$/;
    expect(lines.map((line) => line.replace(/\(.*\)/, '()')).sort()).toEqual(
      [1, 2, 3].map((number) => `2026-11-22 12:30:45 ${id} n-${number} () [200]`),
    );
    for (const line of lines) expect(/\((.*)\)/.exec(line)![1]).toMatch(cdr);
  });

  test('jobs at once lose no line, and a full log is followed by another', async () => {
    const before = (await read('/2026/11/22.log')).body.trimEnd().split('\n').length;
    await Promise.all(Array.from({ length: 8 }, () => run(100)));
    const names = (await read('?prefix=2026/11/22.log')).body.trimEnd().split('\n');
    expect(names.slice(0, 2)).toEqual(['2026/11/22.log', '2026/11/22.log.000001']);
    const logs = await Promise.all(names.map((name) => read(`/${name}`)));
    const lines = logs.flatMap(({ body }) => body.trimEnd().split('\n'));
    expect(new Set(lines.map((line) => line.replace(/\(.*\)/, ''))).size).toBe(before + 800);
    for (const { headers } of logs) expect(Number(headers['content-length'])).toBeLessThanOrEqual(65_536);
  }, 60_000);

  test('only reseller admins read logs', async () => {
    expect((await read('/2026/11/22.log', 'test:tester')).status).toBe(403);
  });
});

test('nothing is stored unless the setting is on', async () => {
  const server = await startServer();
  try {
    const client = new JobClient(server);
    const cat = await client.guest('cat');
    expect((await client.job([{ name: 'n', exec: { path: cat }, devices: [{ name: 'stdout' }] }])).status).toBe(200);
    expect(await server.node.listContainers('AUTH_userstats', { limit: 1 })).toEqual([]);
  } finally {
    await server.close();
  }
});
