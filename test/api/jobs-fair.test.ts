import { until } from '../support/until';
import { useJobs } from './jobs-support';

const client = useJobs({
  env: {
    MAX_SESSIONS: '1',
    RESERVED_SESSIONS: '1',
    MAX_JOBS: '1',
    RESERVED_JOBS: '1',
    MAX_QUEUED_JOBS: '2',
    SESSION_TIMEOUT_S: '60',
  },
});
let cat: string;
let spin: string;
let otherToken: string;

beforeAll(async () => {
  [cat, spin] = [await client.guest('cat'), await client.guest('spin-forever')];
  otherToken = await client.server.token('test2:tester2');
  await client.send('POST', `${client.account}/bin`, { 'x-container-read': '.r:*' });
});

const stdout = [{ name: 'stdout' }];

async function states(): Promise<string[]> {
  const answer = await client.send('GET', '/jobs/v1/AUTH_test');
  return (JSON.parse(answer.body).jobs as { state: string }[]).map(({ state }) => state);
}

async function stopAll(): Promise<void> {
  const { jobs } = JSON.parse((await client.send('GET', '/jobs/v1/AUTH_test')).body) as {
    jobs: { id: string; state: string }[];
  };
  for (const { id, state } of jobs) {
    if (state === 'running' || state === 'waiting') await client.send('DELETE', `/jobs/v1/AUTH_test/${id}`);
  }
}

test('a job of one account starts at once while another’s fill every place and wait for more', async () => {
  const endless = [{ name: 'spin', count: 50, exec: { path: spin }, devices: stdout }];
  const running = [client.job(endless), client.job(endless), client.job(endless)];
  await until('the live view has three jobs', async () => (await states()).length === 3);
  expect((await states()).sort()).toEqual(['running', 'waiting', 'waiting']);
  const refused = await client.job(endless);
  expect([refused.status, refused.body]).toEqual([503, 'Slot not available']);
  const tiny = [{ name: 'tiny', exec: { path: cat.replace('~', 'AUTH_test') }, devices: stdout }];
  for (let time = 0; time < 3; time++) {
    const answer = await client.job(tiny, { 'x-auth-token': otherToken }, '/v1/AUTH_test2');
    expect([answer.status, answer.headers['x-nexe-status']]).toEqual([200, 'ok']);
  }
  expect((await states()).filter((state) => state === 'running')).toHaveLength(1);
  await stopAll();
  expect((await Promise.all(running)).map(({ status }) => status)).toEqual([409, 409, 409]);
});

test('a job of many nodes of the other account gets its turns', async () => {
  const one = client.job([{ name: 'a', count: 40, exec: { path: cat }, devices: stdout }]);
  const two = client.job(
    [{ name: 'b', count: 40, exec: { path: cat.replace('~', 'AUTH_test') }, devices: stdout }],
    { 'x-auth-token': otherToken },
    '/v1/AUTH_test2',
  );
  for (const { status, headers } of await Promise.all([one, two])) {
    expect([status, String(headers['x-nexe-status']).split(',')]).toEqual([200, Array(40).fill('ok')]);
  }
});
