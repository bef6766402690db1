import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import {
  logIn,
  objectServerMain,
  proxyMain,
  type ServerProcess,
  startProcess,
  startScript,
  useDataDir,
} from '../support/process';
import { until } from '../support/until';

const dataDir = useDataDir();

const start = (env: Record<string, string> = {}) =>
  startProcess(proxyMain, { ZEROCLOUD_PORT: '0', ZEROCLOUD_DATA_DIR: dataDir(), ZEROCLOUD_MAX_SESSIONS: '1', ...env });

const script = '#!file://python:python\nprint(6 * 7)\n';
const scriptHeaders = { 'x-zerovm-execute': '1.0', 'content-type': 'text/plain' };

/** A GET of an object that is larger than all buffers on the way, answered but not read yet. */
async function openSlowGet(url: string, target: string, token: string): Promise<http.IncomingMessage> {
  const request = http.get(`${url}/v1/AUTH_test${target}`, { headers: { 'x-auth-token': token }, agent: false });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  return response;
}

async function countBytes(response: http.IncomingMessage): Promise<number> {
  let sizeBytes = 0;
  for await (const chunk of response) sizeBytes += chunk.length;
  return sizeBytes;
}

async function isRefused(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  const socket = net.connect(Number(port), hostname);
  const refused = await once(socket, 'connect').then(
    () => false,
    () => true,
  );
  socket.destroy();
  return refused;
}

/** More than the buffers between a server and a client that does not read. */
const sizeBytes = 64 * 1024 ** 2;

describe('npm start', () => {
  test('prints one line when it is ready, serves, and ends with status 0 on SIGTERM', async () => {
    const server = start();
    const url = await server.url();
    expect((await fetch(`${url}/healthcheck`)).status).toBe(200);
    server.child.kill('SIGTERM');
    expect(await server.ended).toMatchObject({ code: 0, signal: null, stdout: `listening on ${url}\n` });
  });

  test('ends on SIGINT too', async () => {
    const server = start();
    await server.url();
    server.child.kill('SIGINT');
    expect((await server.ended).code).toBe(0);
  });

  test('finishes a running GET after SIGTERM, and takes no new connection', async () => {
    const server = start();
    const url = await server.url();
    const { request, token } = await logIn(url);
    await request('/c', { method: 'PUT' });
    expect((await request('/c/large', { method: 'PUT', body: Buffer.alloc(sizeBytes) })).status).toBe(201);
    const response = await openSlowGet(url, '/c/large', token);
    server.child.kill('SIGTERM');
    await until('new connections are refused', () => isRefused(url));
    expect(server.child.exitCode).toBeNull();
    expect(await countBytes(response)).toBe(sizeBytes);
    expect((await server.ended).code).toBe(0);
  });

  test('is reached by a signal to npm, and by one to the whole group, which comes twice', async () => {
    const env = { ZEROCLOUD_PORT: '0', ZEROCLOUD_DATA_DIR: dataDir(), ZEROCLOUD_MAX_SESSIONS: '1' };
    for (const [signal, isGroup] of [
      ['SIGTERM', false],
      ['SIGINT', true],
    ] as const) {
      const server = startScript('start', env);
      const url = await server.url();
      const { request, token } = await logIn(url);
      await request('/c', { method: 'PUT' });
      await request('/c/large', { method: 'PUT', body: Buffer.alloc(sizeBytes) });
      const response = await openSlowGet(url, '/c/large', token);
      process.kill(isGroup ? -server.child.pid! : server.child.pid!, signal);
      await until('new connections are refused', () => isRefused(url));
      expect(await countBytes(response)).toBe(sizeBytes);
      expect(await server.ended).toMatchObject({ code: 0, signal: null });
    }
  });

  test('exits at once on another signal half a second later', async () => {
    const server = start();
    const url = await server.url();
    const { request, token } = await logIn(url);
    await request('/c', { method: 'PUT' });
    await request('/c/large', { method: 'PUT', body: Buffer.alloc(64 * 1024 ** 2) });
    const response = await openSlowGet(url, '/c/large', token);
    server.child.kill('SIGTERM');
    await until('new connections are refused', () => isRefused(url));
    // Signals that come at once with the first are the first; one of these does not.
    await until('it ends', () => {
      if (server.child.exitCode === null) server.child.kill('SIGTERM');
      return server.child.exitCode !== null;
    });
    expect((await server.ended).code).toBe(1);
    await expect(countBytes(response)).rejects.toThrow();
  });

  test('keeps objects, metadata and tokens over a restart', async () => {
    const first = start();
    const before = await logIn(await first.url());
    await before.request('/c', { method: 'PUT', headers: { 'x-container-meta-color': 'blue' } });
    for (const size of [10, 1_000_000]) {
      const headers = { 'x-object-meta-size': String(size) };
      const answer = await before.request(`/c/o-${size}`, { method: 'PUT', body: Buffer.alloc(size, 'x'), headers });
      expect(answer.status).toBe(201);
    }
    first.child.kill('SIGTERM');
    await first.ended;

    const url = await start().url();
    const headers = { 'x-auth-token': before.token };
    const container = await fetch(`${url}/v1/AUTH_test/c`, { headers });
    expect(container.headers.get('x-container-meta-color')).toBe('blue');
    expect(await container.text()).toBe('o-10\no-1000000\n');
    for (const size of [10, 1_000_000]) {
      const object = await fetch(`${url}/v1/AUTH_test/c/o-${size}`, { headers });
      expect(object.headers.get('x-object-meta-size')).toBe(String(size));
      expect(await object.text()).toBe('x'.repeat(size));
    }
  });

  test('refuses a data directory that another process uses, in one sentence', async () => {
    await start().url();
    const second = await start().ended;
    expect(second).toMatchObject({ code: 1, stdout: '' });
    expect(second.stderr).toMatch(/^[^\n]*in use[^\n]*\n$/);
    expect(second.stderr).toContain(dataDir());
  });

  test('refuses a port that is in use, in one sentence', async () => {
    const blocker = net.createServer().listen(0, '127.0.0.1');
    await once(blocker, 'listening');
    const { port } = blocker.address() as net.AddressInfo;
    const ended = await start({ ZEROCLOUD_PORT: String(port), ZEROCLOUD_LOG_LEVEL: 'warn' }).ended;
    blocker.close();
    expect(ended).toMatchObject({ code: 1, stderr: `Port ${port} of 127.0.0.1 is in use by another process.\n` });
  });

  test('refuses a system image that is not there, in one sentence', async () => {
    const ended = await start({ ZEROCLOUD_SYSTEM_IMAGES: 'lua=/nowhere/lua.tar', ZEROCLOUD_LOG_LEVEL: 'warn' }).ended;
    expect(ended.code).toBe(1);
    expect(ended.stderr).toMatch(/^[^\n]*system image lua[^\n]*\n$/);
  });
});

describe('npm run start:split', () => {
  const startSplit = () =>
    startProcess('scripts/start-split.mjs', {
      ZEROCLOUD_PORT: '0',
      ZEROCLOUD_DATA_DIR: dataDir(),
      ZEROCLOUD_MAX_SESSIONS: '1',
    });

  const objectServerUrl = ({ stderr }: ServerProcess) => /^object server listening on (http:\S+)$/m.exec(stderr())![1]!;

  test('serves objects and jobs with two processes, and ends both on SIGTERM', async () => {
    const system = startSplit();
    const url = await system.url();
    const { request } = await logIn(url);
    await request('/c', { method: 'PUT' });
    const body = Buffer.alloc(3_000_000, 'abc');
    expect((await request('/c/o', { method: 'PUT', body })).status).toBe(201);
    expect(Buffer.from(await (await request('/c/o')).arrayBuffer()).equals(body)).toBe(true);
    const job = await request('', { method: 'POST', headers: scriptHeaders, body: script });
    expect([job.status, await job.text()]).toEqual([200, '42\n']);

    const storage = objectServerUrl(system);
    expect((await fetch(`${storage}/healthcheck`)).status).toBe(200);
    expect((await fetch(`${storage}/v1/node`)).status).toBe(401);
    system.child.kill('SIGTERM');
    expect(await system.ended).toMatchObject({ code: 0, stdout: `listening on ${url}\n` });
    expect(await isRefused(storage)).toBe(true);
    expect(await isRefused(url)).toBe(true);
  });

  test('ends both when one dies', async () => {
    const system = startSplit();
    const url = await system.url();
    const { request } = await logIn(url);
    expect((await request('/c', { method: 'PUT' })).status).toBe(201);
    const [pid] = await childrenOf(system.child.pid!);
    process.kill(pid!, 'SIGKILL');
    expect((await system.ended).code).not.toBe(0);
    expect(await isRefused(url)).toBe(true);
  });
});

describe('a proxy and an object server', () => {
  const key = 'a-key-of-this-test';

  test('find each other in either order, and again after a restart of the object server', async () => {
    const storageEnv = { ZEROCLOUD_DATA_DIR: dataDir(), ZEROCLOUD_NODE_KEY: key, ZEROCLOUD_MAX_SESSIONS: '1' };
    const port = await freePort();
    const proxy = startProcess(proxyMain, {
      ZEROCLOUD_PORT: '0',
      ZEROCLOUD_NODE_URL: `http://127.0.0.1:${port}`,
      ZEROCLOUD_NODE_KEY: key,
    });
    const url = await proxy.url();
    const early = await fetch(`${url}/auth/v1.0`, {
      headers: { 'x-auth-user': 'test:tester', 'x-auth-key': 'testing' },
    });
    expect(early.status).toBe(503);
    for (const round of ['first', 'second']) {
      const storage = startProcess(objectServerMain, { ...storageEnv, ZEROCLOUD_PORT: String(port) });
      await storage.url();
      const { request } = await logIn(url);
      expect((await request('/c', { method: 'PUT' })).ok).toBe(true);
      expect((await request(`/c/${round}`, { method: 'PUT', body: round })).status).toBe(201);
      storage.child.kill('SIGTERM');
      expect((await storage.ended).code).toBe(0);
      expect((await request('/c')).status).toBe(503);
    }
  });

  test('do not work together with two keys', async () => {
    const storage = startProcess(objectServerMain, {
      ZEROCLOUD_PORT: '0',
      ZEROCLOUD_DATA_DIR: dataDir(),
      ZEROCLOUD_NODE_KEY: key,
      ZEROCLOUD_MAX_SESSIONS: '1',
    });
    const proxy = startProcess(proxyMain, {
      ZEROCLOUD_PORT: '0',
      ZEROCLOUD_NODE_URL: await storage.url(),
      ZEROCLOUD_NODE_KEY: 'another-key-than-that',
    });
    const { code, stderr } = await proxy.ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/^The object server at http:\S+ refuses this proxy: .*key.*\n$/);
  });
});

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.trim().split(' ').map(Number);
}
