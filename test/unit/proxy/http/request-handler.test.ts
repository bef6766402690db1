import { once } from 'node:events';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { PassThrough, Readable } from 'node:stream';
import type { RequestState } from '@zerocloud/proxy/context';
import { requestHandler } from '@zerocloud/proxy/http/request-handler';
import Koa from 'koa';

const servers: http.Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

let stallMs = 60_000;
afterEach(() => {
  stallMs = 60_000;
});

async function serve(...middleware: Koa.Middleware<RequestState>[]): Promise<{ port: number; errors: Error[] }> {
  const app = new Koa<RequestState>();
  const errors: Error[] = [];
  app.on('error', (error) => errors.push(error));
  for (const one of middleware) app.use(one);
  const handle = requestHandler(app, stallMs);
  const server = http.createServer((req, res) => void handle(req, res));
  servers.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { port: (server.address() as AddressInfo).port, errors };
}

const get = (port: number, method = 'GET') => fetch(`http://127.0.0.1:${port}/`, { method });

test('runs the middleware in order and back again', async () => {
  const seen: string[] = [];
  const { port } = await serve(
    async (_ctx, next) => {
      seen.push('a');
      await next();
      seen.push('d');
    },
    (_ctx, next) => {
      seen.push('b');
      return next();
    },
    (ctx) => {
      seen.push('c');
      ctx.body = Buffer.from('done');
    },
  );
  expect(await (await get(port)).text()).toBe('done');
  expect(seen).toEqual(['a', 'b', 'c', 'd']);
});

test('a synchronous exception reaches the middleware before', async () => {
  const { port } = await serve(
    async (ctx, next) => {
      await next().catch(() => {
        ctx.status = 418;
        ctx.body = Buffer.from('caught');
      });
    },
    () => {
      throw new Error('at once');
    },
  );
  const answer = await get(port);
  expect([answer.status, await answer.text()]).toEqual([418, 'caught']);
});

test.each([
  ['bytes', Buffer.from('abc'), 'abc'],
  ['text', 'wört', 'wört'],
  ['an object', { a: 1 }, '{"a":1}'],
  ['a stream', () => Readable.from([Buffer.from('a'), Buffer.from('bc')], { objectMode: false }), 'abc'],
])('answers with %s', async (_, body, expected) => {
  const { port } = await serve((ctx) => {
    ctx.body = typeof body === 'function' ? body() : body;
  });
  expect(await (await get(port)).text()).toBe(expected);
});

test('without a body the answer is an empty 404', async () => {
  const { port } = await serve(() => {});
  const answer = await get(port);
  expect([answer.status, await answer.text()]).toEqual([404, '']);
});

test('204 and 304 keep the type and length they were given', async () => {
  const { port } = await serve((ctx) => {
    ctx.status = 204;
    ctx.res.setHeader('Content-Type', 'text/plain');
    ctx.res.setHeader('Content-Length', 0);
  });
  const { status, headers } = await get(port);
  expect([status, headers.get('content-type'), headers.get('content-length')]).toEqual([204, 'text/plain', '0']);
});

test('a HEAD sends no body and destroys a stream', async () => {
  const stream = new PassThrough();
  const { port } = await serve((ctx) => {
    ctx.body = stream;
  });
  expect((await get(port, 'HEAD')).status).toBe(200);
  expect(stream.destroyed).toBe(true);
});

test('answers that are ready in one turn come in order on their own connections', async () => {
  const { port } = await serve((ctx) => {
    ctx.body = Buffer.from(ctx.url);
  });
  const bodies = await Promise.all(
    Array.from({ length: 50 }, async (_, i) => (await fetch(`http://127.0.0.1:${port}/${i}`)).text()),
  );
  expect(bodies).toEqual(Array.from({ length: 50 }, (_, i) => `/${i}`));
});

test('a stream that fails cuts the connection, and the failure is reported', async () => {
  const { port, errors } = await serve((ctx) => {
    ctx.body = Readable.from(
      (async function* () {
        yield Buffer.from('some');
        throw new Error('disk on fire');
      })(),
    );
    ctx.length = 1000;
  });
  await expect(get(port).then((answer) => answer.text())).rejects.toThrow();
  expect(errors.map(({ message }) => message)).toEqual(['disk on fire']);
});

test('a client that hangs up ends the stream, and nothing is reported', async () => {
  const stream = new Readable({
    read() {
      this.push(Buffer.alloc(100_000));
    },
  });
  const { port, errors } = await serve((ctx) => {
    ctx.body = stream;
  });
  const socket = net.connect(port, '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(socket, 'data');
  socket.resetAndDestroy();
  if (!stream.closed) await once(stream, 'close').catch(() => {});
  expect(stream.destroyed).toBe(true);
  expect(errors).toEqual([]);
});

test.each([
  [true, ['left', 'end of turn']],
  [undefined, ['end of turn', 'left']],
])('an answer that leaves at once (%s) does not wait for the end of the turn', async (leavesAtOnce, expected) => {
  const seen: string[] = [];
  const { port } = await serve((ctx) => {
    ctx.state.leavesAtOnce = leavesAtOnce;
    ctx.body = Buffer.from('done');
    const { res } = ctx;
    const end = res.end.bind(res) as (chunk: Buffer) => typeof res;
    res.end = ((chunk: Buffer) => {
      seen.push('left');
      return end(chunk);
    }) as typeof res.end;
    // Comes before the callback of the handler, which asks later in this turn.
    setImmediate(() => seen.push('end of turn'));
  });
  expect(await (await get(port)).text()).toBe('done');
  expect(seen).toEqual(expected);
});

describe('a client that takes nothing of its answer', () => {
  const many = Buffer.alloc(20_000_000);

  test.each([
    ['a stream', () => Readable.from([many, many])],
    ['bytes', () => many],
    ['text', () => 'x'.repeat(many.length)],
  ])('is cut off: %s', async (_, body) => {
    stallMs = 100;
    const closed: Promise<unknown>[] = [];
    const { port, errors } = await serve((ctx) => {
      closed.push(once(ctx.res, 'close'));
      ctx.body = body();
    });
    const client = net.connect(port, '127.0.0.1');
    client.on('error', () => {}).pause();
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    while (closed.length === 0) await new Promise(setImmediate);
    await closed[0];
    expect(errors).toEqual([]);
    client.destroy();
  });

  test('is told from a server that has nothing to send', async () => {
    stallMs = 20;
    async function* slowly() {
      yield Buffer.from('a');
      await new Promise((resolve) => setTimeout(resolve, 200));
      yield Buffer.from('b');
    }
    const { port } = await serve((ctx) => {
      ctx.body = Readable.from(slowly(), { objectMode: false });
    });
    expect(await (await get(port)).text()).toBe('ab');
    expect(await (await get(port)).text()).toBe('ab');
  });

  test('has the time of every request again on the same connection', async () => {
    stallMs = 50;
    let count = 0;
    const { port } = await serve(async (ctx) => {
      if (++count === 2) await new Promise((resolve) => setTimeout(resolve, 300));
      ctx.body = count === 2 ? 'end' : Buffer.alloc(100_000);
    });
    const client = net.connect(port, '127.0.0.1');
    const request = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
    client.write(request + request);
    let received = '';
    client.on('data', (chunk) => {
      received += chunk.toString('latin1');
      if (received.endsWith('end')) client.end();
    });
    await once(client, 'close');
    expect(received.endsWith('end')).toBe(true);
  });
});
