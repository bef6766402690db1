import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { logIn, proxyMain, startProcess, useDataDir } from '../support/process';
import { descendantPids, isAlive } from '../support/sandbox';
import { until } from '../support/until';
import { assembleGuest } from '../support/wat';

/** kill -9 of a server whose connected jobs run: as groups, and in parts with what lies on disk between them. */

const dataDir = useDataDir();

async function startServer(places: string) {
  const server = startProcess(proxyMain, {
    ZEROCLOUD_PORT: '0',
    ZEROCLOUD_DATA_DIR: dataDir(),
    ZEROCLOUD_LOG_LEVEL: 'error',
    ZEROCLOUD_CONNECTED_SESSIONS: places,
    ZEROCLOUD_SESSION_TIMEOUT_S: '60',
  });
  const { request } = await logIn(await server.url());
  await request('/c', { method: 'PUT' });
  for (const name of ['flood-stdout', 'copy-stdin-to-stdout', 'spin-forever']) {
    expect(
      (await request(`/c/${name}`, { method: 'PUT', body: new Uint8Array(await assembleGuest(name)) })).status,
    ).toBe(201);
  }
  return { server, request };
}

type Request = Awaited<ReturnType<typeof logIn>>['request'];

const program = (name: string) => ({ path: `swift://~/c/${name}` });

function post(request: Request, description: unknown): Promise<Response> {
  const headers = { 'x-zerovm-execute': '1.0', 'content-type': 'application/json' };
  return request('', { method: 'POST', headers, body: JSON.stringify(description) });
}

/** Bytes of session outputs and of staged bodies in the data directory. */
function filesOfJobs(): string[] {
  const entries = readdirSync(dataDir(), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  return files.filter((file) => /\/(slots|staging)\//.test(file));
}

describe.each([
  ['running together', '16'],
  ['running in parts', '2'],
])('nodes %s, when their server is killed', (_, places) => {
  test('end with it, leave no half object, and nothing on disk after the next start', async () => {
    const { server, request } = await startServer(places);
    // Whatever runs first writes for ever; the reader stores what comes.
    const job = post(request, [
      {
        name: 'write',
        count: 3,
        exec: program('flood-stdout'),
        connect: ['read'],
        devices: [{ name: 'stderr', path: 'swift://~/c/*.err' }],
      },
      { name: 'spin', exec: program('spin-forever'), connect: ['read'] },
      {
        name: 'read',
        exec: program('copy-stdin-to-stdout'),
        devices: [{ name: 'stdout', path: 'swift://~/c/result' }],
      },
    ]).catch(() => 'lost');
    const jobs = '/jobs/v1/AUTH_test';
    const base = await server.url();
    const { headers } = await fetch(`${base}/auth/v1.0`, {
      headers: { 'x-auth-user': 'test:tester', 'x-auth-key': 'testing' },
    });
    const token = headers.get('x-auth-token')!;
    for (;;) {
      const answer = await fetch(base + jobs, { headers: { 'x-auth-token': token } });
      const found = ((await answer.json()) as { jobs: { state: string; nodes: { running: number } }[] }).jobs[0];
      if (found?.state === 'running' && found.nodes.running > 0) break;
    }
    const pids = descendantPids(server.child.pid!);
    expect(pids.length).toBeGreaterThan(0);
    server.child.kill('SIGKILL');
    await server.ended;
    expect(await job).toBe('lost');
    await until('no process is left', () => !pids.some(isAlive));

    const next = await startServer(places);
    expect((await next.request('/c/result')).status).toBe(404);
    const leftovers = filesOfJobs().filter((file) => !/slot-\d+\/|snapshots/.test(file));
    expect(leftovers.filter((file) => existsSync(file))).toEqual([]);
    next.server.child.kill('SIGTERM');
    await next.server.ended;
  });
});
