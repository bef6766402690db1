import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { StorageError } from '@zerocloud/object-server';
import { readServerConfig } from '@zerocloud/proxy/config';
import { type Deps, grantAll, type SwiftContext } from '@zerocloud/proxy/context';
import { RequestScope } from '@zerocloud/proxy/http/request-scope';
import { type SubAnswer, Subrequests } from '@zerocloud/proxy/http/subrequest';
import { createTimestamps } from '@zerocloud/proxy/http/timestamp';
import { errors } from '@zerocloud/proxy/middleware/errors';
import { swiftPath } from '@zerocloud/proxy/middleware/swift-path';
import { objectRoute } from '@zerocloud/proxy/routes/object';
import Koa from 'koa';
import pino from 'pino';
import { startServer, type TestServer } from '../../../support/server';

let server: TestServer;
let subrequests: Subrequests;

beforeAll(async () => {
  server = await startServer();
  const deps: Deps = {
    node: server.node,
    config: readServerConfig({ ZEROCLOUD_USERS: 'test:tester=testing .admin' }).proxy,
    log: pino({ level: 'silent' }),
    now: Date.now,
  };
  subrequests = new Subrequests(new Koa());
  const object = objectRoute(deps);
  subrequests.use([errors(deps), swiftPath(), (ctx) => object(ctx)]);
  await server.node.putContainer({ account: 'AUTH_test', container: 'c' }, { timestamp: '1.00000', metadata: {} });
});
afterAll(() => server.close());

test('an object put by a subrequest is read by another', async () => {
  const put = await send({
    method: 'PUT',
    url: '/v1/AUTH_test/c/a%20b',
    headers: { 'x-object-meta-k': 'v' },
    body: chunks('one', 'two'),
  });
  expect(put.status).toBe(201);
  const got = await send({ method: 'GET', url: '/v1/AUTH_test/c/a%20b' });
  expect(got.status).toBe(200);
  expect(got.headers['x-object-meta-k']).toBe('v');
  expect(await textOf(got)).toBe('onetwo');
});

test('a large object comes as a stream, and the store has it back when the stream is destroyed', async () => {
  const block = Buffer.alloc(1 << 20, 1);
  await send({ method: 'PUT', url: '/v1/AUTH_test/c/large', body: chunks(block, block, block) });
  const got = await send({ method: 'GET', url: '/v1/AUTH_test/c/large' });
  expect(got.headers['content-length']).toBe(String(3 << 20));
  const body = got.body as Readable;
  const closed = new Promise((resolve) => body.once('close', resolve));
  body.destroy();
  await closed;
  expect((await send({ method: 'DELETE', url: '/v1/AUTH_test/c/large' })).status).toBe(204);
});

test('a refusal is an answer, and leaves the body alone', async () => {
  let isRead = false;
  async function* body() {
    isRead = true;
    yield Buffer.from('x');
  }
  const answer = await send({ method: 'PUT', url: '/v1/AUTH_test/none/o', body: body() });
  expect(answer.status).toBe(404);
  expect(await textOf(answer)).toContain('Not Found');
  expect(isRead).toBe(false);
});

test('a body that fails keeps its own reason, and stores nothing', async () => {
  async function* body() {
    yield Buffer.from('x');
    throw new StorageError('bodyTimeout', 'The upload stalled.');
  }
  expect((await send({ method: 'PUT', url: '/v1/AUTH_test/c/half', body: body() })).status).toBe(408);
  expect((await send({ method: 'HEAD', url: '/v1/AUTH_test/c/half' })).status).toBe(404);
});

test('a grant takes the place of the rights of the caller', async () => {
  await send({ method: 'PUT', url: '/v1/AUTH_test/c/o', body: chunks('x') });
  const readsOnly = (access: string) => access === 'read';
  expect((await send({ method: 'GET', url: '/v1/AUTH_test/c/o', grant: readsOnly })).status).toBe(200);
  expect((await send({ method: 'DELETE', url: '/v1/AUTH_test/c/o', grant: readsOnly })).status).toBe(401);
  expect((await send({ method: 'GET', url: '/v1/AUTH_test/c/o', grant: () => false })).status).toBe(401);
});

test('system metadata of a subrequest are kept, and not answered to clients', async () => {
  const headers = { 'x-object-sysmeta-note': 'ours' };
  await send({ method: 'PUT', url: '/v1/AUTH_test/c/noted', headers, body: chunks('x') });
  const record = await server.node.findObject({ account: 'AUTH_test', container: 'c', object: 'noted' });
  expect(record?.metadata['x-object-sysmeta-note']).toBe('ours');
  const inside = await send({ method: 'HEAD', url: '/v1/AUTH_test/c/noted' });
  expect(inside.headers['x-object-sysmeta-note']).toBe('ours');
  const seen = await server.request(`${server.storageUrl()}/c/noted`);
  expect(seen.headers.get('x-object-sysmeta-note')).toBeNull();
  await seen.text();
});

/** By default as the server itself. */
function send(request: Parameters<Subrequests['send']>[1]): Promise<SubAnswer> {
  const response = new ServerResponse(new IncomingMessage(new Socket()));
  const state = new RequestScope('tx1', response, createTimestamps(Date.now));
  return subrequests.send({ state } as unknown as SwiftContext, { grant: grantAll, ...request });
}

async function* chunks(...parts: (string | Buffer)[]): AsyncGenerator<Buffer> {
  for (const part of parts) yield Buffer.from(part);
}

async function textOf({ body }: SubAnswer): Promise<string> {
  if (Buffer.isBuffer(body)) return body.toString();
  const parts: Buffer[] = [];
  for await (const part of body) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}
