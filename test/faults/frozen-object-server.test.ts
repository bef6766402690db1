import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pass } from 'node:timers/promises';
import {
  killStartedProcesses,
  logIn,
  objectServerMain,
  proxyMain,
  type ServerProcess,
  startProcess,
} from '../support/process';
import { until } from '../support/until';
import { assembleGuest } from '../support/wat';

/**
 * An object server that stands still (SIGSTOP: it takes connections and bytes, as far as the kernel does, and says nothing)
 * in the middle of every kind of request. The client is told, the proxy goes on, and so does everything afterwards.
 */

/** More than the kernel holds between two processes. */
const hugeBytes = 64 * 1024 ** 2;
const nodeTimeoutS = 1;
/** Longer than the proxy waits for a sign of life. */
const longMs = 2_500;

const nodeKey = 'a-key-of-this-test';

let dataDir: string;
let storage: ServerProcess;
let proxy: ServerProcess;
let url: string;
let client: Awaited<ReturnType<typeof logIn>>;

beforeAll(async () => {
  dataDir = await mkdtemp(path.join(os.tmpdir(), 'zerocloud-frozen-'));
  const common = { ZEROCLOUD_PORT: '0', ZEROCLOUD_NODE_KEY: nodeKey, ZEROCLOUD_LOG_LEVEL: 'error' };
  storage = startProcess(objectServerMain, { ...common, ZEROCLOUD_DATA_DIR: dataDir, ZEROCLOUD_MAX_SESSIONS: '2' });
  proxy = startProcess(proxyMain, {
    ...common,
    ZEROCLOUD_NODE_URL: await storage.url(),
    ZEROCLOUD_NODE_TIMEOUT_S: String(nodeTimeoutS),
    ZEROCLOUD_SESSION_TIMEOUT_S: '4',
    // One place: who does not give it back is noticed by the next job.
    ZEROCLOUD_MAX_JOBS: '1',
    ZEROCLOUD_RESERVED_JOBS: '0',
  });
  url = await proxy.url();
  client = await logIn(url);
  await client.request('/c', { method: 'PUT' });
  for (const name of ['hello', 'spin-forever', 'copy-stdin-to-stdout']) {
    await client.request(`/c/${name}`, { method: 'PUT', body: new Uint8Array(await assembleGuest(name)) });
  }
  for (const name of ['huge', 'segment']) {
    await client.request(`/c/${name}`, { method: 'PUT', body: new Uint8Array(hugeBytes) });
  }
  const manifest = JSON.stringify(['segment', 'huge'].map((name) => ({ path: `/c/${name}` })));
  const large = await client.request('/c/large?multipart-manifest=put', { method: 'PUT', body: manifest });
  expect(large.status).toBe(201);
});

afterEach(async () => {
  storage.child.kill('SIGCONT');
  const answer = await runJob([{ name: 'one', exec: program('hello'), devices: [{ name: 'stdout' }] }]);
  expect([answer.status, await answer.text()]).toEqual([200, 'hello\n']);
  expect(proxy.stderr()).not.toContain('nobody waited for');
});

afterAll(async () => {
  storage?.child.kill('SIGCONT');
  await killStartedProcesses();
  await rm(dataDir, { recursive: true, force: true });
});

const program = (name: string) => ({ path: `swift://~/c/${name}` });
const freeze = () => storage.child.kill('SIGSTOP');

function runJob(description: unknown, headers: Record<string, string> = {}): Promise<Response> {
  const all = { 'x-zerovm-execute': '1.0', 'content-type': 'application/json', ...headers };
  return client.request('', { method: 'POST', headers: all, body: JSON.stringify(description) });
}

function send(method: string, target: string, headers: Record<string, string> = {}): http.ClientRequest {
  const all = { 'x-auth-token': client.token, ...headers };
  return http.request(`${url}/v1/AUTH_test${target}`, { method, headers: all, agent: false });
}

async function begin(target: string, headers: Record<string, string> = {}): Promise<http.IncomingMessage> {
  const [response] = await once(send('GET', target, headers).end(), 'response');
  return response;
}

/** Reads on to the end, and says how much there was and whether that was all. */
async function drain(response: http.IncomingMessage): Promise<{ sizeBytes: number; isWhole: boolean }> {
  let sizeBytes = 0;
  response.on('error', () => undefined);
  response.on('data', (chunk: Buffer) => {
    sizeBytes += chunk.length;
  });
  await new Promise((resolve) => response.once('close', resolve));
  return { sizeBytes, isWhole: response.complete };
}

async function hasRunningJob(): Promise<boolean> {
  const answer = await fetch(`${url}/jobs/v1/AUTH_test?state=running`, { headers: { 'x-auth-token': client.token } });
  return ((await answer.json()) as { jobs: unknown[] }).jobs.length > 0;
}

describe('while the object server stands still', () => {
  test.each([
    ['a look at an object', 'HEAD', '/c/hello', undefined],
    ['a small read', 'GET', '/c/hello', undefined],
    ['a large read', 'GET', '/c/huge', undefined],
    ['a listing', 'GET', '/c?format=json', undefined],
    ['a small upload', 'PUT', '/c/new', 'text'],
    ['metadata', 'POST', '/c/hello', undefined],
    ['a removal', 'DELETE', '/c/none', undefined],
  ])('%s gets 503, and the proxy is well', async (_, method, target, body) => {
    freeze();
    const answer = client.request(target, { method, body });
    expect((await fetch(`${url}/healthcheck`)).status).toBe(200);
    expect((await answer).status).toBe(503);
  });

  test('a copy gets 503', async () => {
    freeze();
    const answer = await client.request('/c/huge', { method: 'COPY', headers: { destination: 'c/copy' } });
    expect(answer.status).toBe(503);
  });
});

describe('when the object server stands still from then on', () => {
  test.each([
    ['an object', '/c/huge', {}],
    ['ranges of an object', '/c/huge', { range: 'bytes=0-40000000,1000-50000000' }],
    ['a large object', '/c/large', {}],
  ])('a download of %s is cut off', async (_, target, headers) => {
    const response = await begin(target, headers as Record<string, string>);
    freeze();
    const { sizeBytes, isWhole } = await drain(response);
    expect(isWhole).toBe(false);
    expect(sizeBytes).toBeLessThan(hugeBytes);
  });

  test('an upload gets 503, whether its client still sends or has sent everything', async () => {
    const uploads = [send('PUT', '/c/half', { 'content-length': String(hugeBytes) }), send('PUT', '/c/all')];
    for (const request of uploads) request.write(Buffer.alloc(100_000));
    await pass(100);
    freeze();
    const answers = uploads.map((request) => once(request, 'response'));
    uploads[0]!.on('error', () => undefined).write(Buffer.alloc(hugeBytes / 2));
    uploads[1]!.end();
    for (const answer of answers) expect((await answer)[0].statusCode).toBe(503);
    for (const request of uploads) request.destroy();
    storage.child.kill('SIGCONT');
    expect((await client.request('/c/half')).status).toBe(404);
  });

  test.each([
    ['a job', [{ name: 'a', exec: program('spin-forever'), devices: [{ name: 'stdout' }] }]],
    [
      'a job of connected nodes',
      [
        {
          name: 'a',
          exec: program('spin-forever'),
          connect: ['b'],
          devices: [{ name: 'stdout', path: 'zvm://b:stdin' }],
        },
        { name: 'b', exec: program('copy-stdin-to-stdout'), devices: [{ name: 'stdout' }] },
      ],
    ],
  ])('%s gets 503', async (_, description) => {
    const answer = runJob(description);
    await until('the job runs', hasRunningJob);
    freeze();
    expect((await answer).status).toBe(503);
    storage.child.kill('SIGCONT');
    expect(await hasRunningJob()).toBe(false);
  });

  test('the output of a job is cut off', async () => {
    const devices = [{ name: 'stdin', path: 'swift://~/c/huge' }, { name: 'stdout' }];
    const body = JSON.stringify([{ name: 'a', exec: program('copy-stdin-to-stdout'), devices }]);
    const request = send('POST', '', {
      'x-zerovm-execute': '1.0',
      'content-type': 'application/json',
      'content-length': String(body.length),
    });
    const [response] = await once(request.end(body), 'response');
    expect(response.statusCode).toBe(200);
    freeze();
    expect((await drain(response)).isWhole).toBe(false);
  });
});

test('a proxy that ends does not wait for an object server that stands still', async () => {
  const other = startProcess(proxyMain, {
    ZEROCLOUD_PORT: '0',
    ZEROCLOUD_NODE_KEY: nodeKey,
    ZEROCLOUD_NODE_URL: await storage.url(),
    ZEROCLOUD_NODE_TIMEOUT_S: '600',
  });
  const { request } = await logIn(await other.url());
  const reading = new AbortController();
  // Its answer has begun: it holds the object open over there.
  await request('/c/huge', { signal: reading.signal });
  freeze();
  reading.abort();
  other.child.kill('SIGTERM');
  expect((await other.ended).code).toBe(0);
});

describe('an object server that is well is given time by', () => {
  test('a program that runs longer than the proxy waits for an answer', async () => {
    const answer = await runJob([{ name: 'a', exec: program('spin-forever'), devices: [{ name: 'stdout' }] }]);
    expect(answer.status).not.toBe(503);
    expect(answer.headers.get('x-nexe-status')).toMatch(/time/i);
  });

  test('a client that reads slowly', async () => {
    const response = await begin('/c/huge');
    await pass(longMs);
    expect(await drain(response)).toEqual({ sizeBytes: hugeBytes, isWhole: true });
  });

  test('a client that sends slowly', async () => {
    const request = send('PUT', '/c/slow');
    request.write(Buffer.alloc(100_000));
    await pass(longMs);
    const [response] = await once(request.end(Buffer.alloc(100_000)), 'response');
    expect(response.statusCode).toBe(201);
    const head = await client.request('/c/slow', { method: 'HEAD' });
    expect(head.headers.get('content-length')).toBe('200000');
  });
});
