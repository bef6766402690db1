import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import type { Readable } from 'node:stream';
import { RemoteNode } from '@zerocloud/object-server/remote-node';
import { Secret } from '@zerocloud/object-server/settings';
import { inChunks, md5, someBytes } from '../contract/object-store';
import { openRemoteTestNode, type RemoteTestNode } from '../support/storage-node';
import { until } from '../support/until';

const timestamp = '1700000001.00000';
const home = { account: 'AUTH_test', container: 'c' };
const at = (object: string) => ({ ...home, object });
const options = { timestamp, contentType: 'a/b', metadata: {}, maxBytes: 2 ** 40 };

let opened: RemoteTestNode;

beforeEach(async () => {
  opened = await openRemoteTestNode({ now: Date.now, programs: false });
  await opened.node.putContainer(home, { timestamp, metadata: {} });
});
afterEach(() => opened.dispose());

const call = (path: string, init: RequestInit = {}) =>
  fetch(`${opened.url}${path}`, {
    ...init,
    headers: { authorization: `Bearer ${opened.key.reveal()}`, ...(init.headers as Record<string, string>) },
  });

describe('the key', () => {
  test.each([undefined, 'Bearer wrong', 'Bearer ', 'key-of-a-test-node'])(
    'is asked for: %s gets 401',
    async (given) => {
      const headers = given === undefined ? undefined : { authorization: given };
      const answer = await fetch(`${opened.url}/v1/accounts/AUTH_test`, { headers });
      expect(answer.status).toBe(401);
      expect(await answer.json()).toEqual({ code: 'unauthorized', message: 'The node key is wrong.' });
    },
  );

  test('is not asked for on the health page', async () => {
    expect(await (await fetch(`${opened.url}/healthcheck`)).text()).toBe('OK');
  });

  test('that is wrong is a fault of the proxy, not a missing object', async () => {
    const stranger = new RemoteNode({ url: opened.url, key: new Secret('not-the-right-one'), timeoutMs: 5_000 });
    await expect(stranger.findObject(at('o'))).rejects.toThrow('the storage node answered 401: The node key is wrong.');
    await stranger.close();
  });
});

describe('a request that does not keep to the protocol is refused', () => {
  test.each<[string, string, RequestInit, number]>([
    ['no such resource', '/v1/nothing', {}, 404],
    ['another version', '/v2/node', {}, 404],
    ['no JSON', '/v1/containers/a/c', { method: 'PUT', body: '{' }, 400],
    ['no body', '/v1/containers/a/c', { method: 'PUT' }, 400],
    ['a missing field', '/v1/containers/a/c', { method: 'PUT', body: '{"metadata":{}}' }, 400],
    [
      'an unknown field',
      '/v1/containers/a/c',
      { method: 'PUT', body: '{"metadata":{},"timestamp":"1700000001.00000","more":1}' },
      400,
    ],
    [
      'a timestamp of another form',
      '/v1/containers/a/c',
      { method: 'PUT', body: '{"metadata":{},"timestamp":"17"}' },
      400,
    ],
    [
      'metadata that are no texts',
      '/v1/containers/a/c',
      { method: 'PUT', body: '{"metadata":{"a":1},"timestamp":"1700000001.00000"}' },
      400,
    ],
    ['a listing without a query', '/v1/containers/AUTH_test/c/objects', {}, 400],
    ['an upload without options', '/v1/objects/AUTH_test/c/o', { method: 'PUT', body: 'x' }, 400],
    ['a lease without a range', '/v1/leases/x', {}, 503],
    ['a session that is none', '/v1/sessions', { method: 'POST', body: '{}' }, 400],
  ])('%s', async (_, path, init, status) => {
    const answer = await call(path, init);
    const body = (await answer.json()) as Record<string, string>;
    expect([answer.status, typeof body.code, typeof body.message]).toEqual([status, 'string', 'string']);
    expect((await call('/v1/accounts/AUTH_test')).status).toBe(200);
  });

  test('and a range outside the object', async () => {
    const lease = opened.leases.grant((await opened.local.openObject(at('o'))) ?? (await openStored()));
    for (const range of ['bytes=0-100000', 'bytes=5-4', 'bytes=-5', '']) {
      expect((await call(`/v1/leases/${lease}`, { headers: { range } })).status).toBe(400);
    }
  });

  async function openStored() {
    await opened.local.putObject(at('o'), inChunks(someBytes(100_000)), options);
    return (await opened.local.openObject(at('o')))!;
  }
});

test('a sender that hangs up leaves nothing', async () => {
  const { hostname, port } = new URL(opened.url);
  const socket = net.connect(Number(port), hostname);
  await once(socket, 'connect');
  socket.write(
    `PUT /v1/objects/AUTH_test/c/half HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${opened.key.reveal()}\r\n` +
      `x-zerocloud-options: ${JSON.stringify(options)}\r\ntransfer-encoding: chunked\r\n\r\n`,
  );
  const [request] = (await once(opened.server, 'request')) as [http.IncomingMessage];
  socket.write(`20000\r\n${'x'.repeat(0x20000)}\r\n`);
  await until('the server has read something', () => request.readableDidRead);
  const closed = new Promise((resolve) => request.once('close', resolve));
  socket.destroy();
  await closed;
  expect(await opened.node.findObject(at('half'))).toBeUndefined();
  expect(await opened.node.findContainer(home)).toMatchObject({ objectCount: 0, bytesUsed: 0 });
});

test('names with slashes, dots, percent signs and any letters arrive as they are', async () => {
  for (const object of ['a/b//c/', '..', '.', '%2F%', 'ü 漢 🙂', '?query#hash', 'a\nb\u0001', ' ']) {
    await opened.node.putObject(at(object), inChunks(Buffer.from(object)), { ...options, metadata: { m: object } });
    expect(await opened.local.findObject(at(object))).toMatchObject({ metadata: { m: object } });
    const found = (await opened.node.openObject(at(object)))!;
    expect(String(await found.read())).toBe(object);
    expect(found.record).toEqual(await opened.node.findObject(at(object)));
    found.close();
  }
});

describe('an opened object', () => {
  test('that is small comes in one round trip and takes no lease', async () => {
    await opened.node.putObject(at('small'), inChunks(someBytes(65_536)), options);
    let requestCount = 0;
    opened.server.on('request', () => requestCount++);
    const found = (await opened.node.openObject(at('small')))!;
    expect(md5((await found.read()) as Buffer)).toBe(md5(someBytes(65_536)));
    expect(String(await found.read({ start: 3, end: 9 }))).toBe(String(someBytes(65_536).subarray(3, 10)));
    found.close();
    expect([requestCount, opened.leases.size]).toEqual([1, 0]);
  });

  test('that is large holds a lease until it is closed', async () => {
    await opened.node.putObject(at('large'), inChunks(someBytes(65_537)), options);
    const found = (await opened.node.openObject(at('large')))!;
    expect(opened.leases.size).toBe(1);
    found.close();
    found.close();
    await until('the lease is released', () => opened.leases.size === 0);
  });

  test('whose reader goes away ends the stream on the other side', async () => {
    await opened.node.putObject(at('large'), inChunks(Buffer.alloc(20_000_000)), options);
    const found = (await opened.node.openObject(at('large')))!;
    const answered = once(opened.server, 'request') as Promise<[http.IncomingMessage, http.ServerResponse]>;
    const body = (await found.read()) as Readable;
    const [, response] = await answered;
    const closed = once(response, 'close');
    body.destroy();
    await closed;
    found.close();
  });

  test('fails in its reader when the server dies halfway, instead of ending short', async () => {
    await opened.node.putObject(at('large'), inChunks(Buffer.alloc(20_000_000)), options);
    const found = (await opened.node.openObject(at('large')))!;
    const body = (await found.read()) as Readable;
    const reading = (async () => {
      for await (const chunk of body) {
        expect(chunk.length).toBeGreaterThan(0);
        opened.server.closeAllConnections();
      }
    })();
    await expect(reading).rejects.toThrow();
    found.close();
  });
});

describe('a server that is not there', () => {
  test('is unavailable', async () => {
    const { port } = new URL(opened.url);
    const node = new RemoteNode({ url: `http://127.0.0.1:${port}`, key: opened.key, timeoutMs: 5_000 });
    opened.server.close();
    opened.server.closeAllConnections();
    const refused = expect.objectContaining({ name: 'StorageError', code: 'unavailable' });
    await expect(node.findAccount('a')).rejects.toEqual(refused);
    await expect(node.putObject(at('o'), inChunks(Buffer.from('x')), options)).rejects.toEqual(refused);
    await expect(node.deleteContainer(home)).rejects.toEqual(refused);
    await node.close();
  });

  test('or does not answer in time is unavailable', async () => {
    const mute = net.createServer(() => undefined).listen(0, '127.0.0.1');
    await once(mute, 'listening');
    const { port } = mute.address() as net.AddressInfo;
    const node = new RemoteNode({ url: `http://127.0.0.1:${port}`, timeoutMs: 100 });
    const refused = expect.objectContaining({ name: 'StorageError', code: 'unavailable' });
    await expect(node.findAccount('a')).rejects.toEqual(refused);
    await expect(node.putObject(at('o'), inChunks(Buffer.from('x')), options)).rejects.toEqual(refused);
    await node.close();
    mute.close();
  });
});

test('a server that stops taking a body in time is unavailable', async () => {
  const paused: net.Socket[] = [];
  const server = net.createServer((socket) => {
    paused.push(socket.on('error', () => undefined));
    socket.once('data', () => socket.pause().write('HTTP/1.1 100 Continue\r\n\r\n'));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as net.AddressInfo;
  const node = new RemoteNode({ url: `http://127.0.0.1:${port}`, timeoutMs: 200 });
  async function* endless() {
    for (;;) yield Buffer.alloc(1_000_000);
  }
  const refused = expect.objectContaining({ name: 'StorageError', code: 'unavailable' });
  await expect(node.putObject(at('o'), endless(), options)).rejects.toEqual(refused);
  await node.close();
  for (const socket of paused) socket.destroy();
  server.close();
});

describe('a kept-alive connection that the server has dropped', () => {
  /** A server that answers the first request on a connection and resets the connection at the second one. */
  async function startForgetful() {
    const methods: string[] = [];
    const server = http.createServer((request, response) => {
      methods.push(request.method!);
      const { socket } = request as { socket: net.Socket & { isUsed?: boolean } };
      if (socket.isUsed) {
        socket.resetAndDestroy();
        return;
      }
      socket.isUsed = true;
      response.setHeader('content-type', 'application/json').end('{"objectCount":1}');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as net.AddressInfo;
    const node = new RemoteNode({ url: `http://127.0.0.1:${port}`, timeoutMs: 5_000 });
    const close = async () => {
      await node.close();
      server.closeAllConnections();
      server.close();
    };
    return { node, methods, close };
  }

  test('is replaced for a read', async () => {
    const { node, methods, close } = await startForgetful();
    expect(await node.findAccount('a')).toEqual({ objectCount: 1 });
    expect(await node.findAccount('a')).toEqual({ objectCount: 1 });
    expect(methods).toEqual(['GET', 'GET', 'GET']);
    await close();
  });

  test('makes a write fail, which is never sent twice', async () => {
    const { node, methods, close } = await startForgetful();
    await node.findAccount('a');
    await expect(node.deleteAccount('a')).rejects.toMatchObject({ code: 'unavailable' });
    expect(methods).toEqual(['GET', 'DELETE']);
    await close();
  });
});
