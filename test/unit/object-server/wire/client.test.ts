import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as pass } from 'node:timers/promises';
import { NodeClient } from '@zerocloud/object-server/wire/client';
import { someBytes } from '../../../contract/object-store';

/** Short, but long for a server of the same process. */
const limitMs = 400;
const unavailable = expect.objectContaining({ name: 'StorageError', code: 'unavailable' });

let server: http.Server;
let client: NodeClient;
let answer: (req: http.IncomingMessage, res: http.ServerResponse) => void;

beforeEach(async () => {
  const handle = (req: http.IncomingMessage, res: http.ServerResponse) => answer(req, res);
  server = http.createServer(handle).on('checkContinue', handle).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  client = new NodeClient({ url: `http://127.0.0.1:${port}`, timeoutMs: limitMs });
});
afterEach(async () => {
  client.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

describe('a server that gives no sign of life', () => {
  const silence = () => undefined;
  const halfAnswer = (_req: http.IncomingMessage, res: http.ServerResponse) => {
    res.writeHead(200, { 'content-length': 1000 });
    res.write('half');
  };

  test.each([
    ['before its answer', silence],
    ['in the middle of its answer', halfAnswer],
  ])('%s is unavailable', async (_, behaviour) => {
    answer = behaviour;
    await expect(client.json('GET', '/v1/x')).rejects.toEqual(unavailable);
    await expect(client.json('POST', '/v1/x', { body: '{}', patient: true })).rejects.toEqual(unavailable);
  });

  test('in the middle of a refusal is unavailable', async () => {
    answer = (_req, res) => {
      res.writeHead(409, { 'content-length': 1000 });
      res.write('{');
    };
    await expect(client.json('GET', '/v1/x')).rejects.toEqual(unavailable);
  });

  test('is unavailable to who reads a stream of it', async () => {
    answer = halfAnswer;
    const body = await client.request('GET', '/v1/x');
    await expect(buffer(body)).rejects.toEqual(unavailable);
  });

  test.each([
    ['before it asks for a body', silence],
    ['while it takes one', (_req: http.IncomingMessage, res: http.ServerResponse) => res.writeContinue()],
  ])('%s is unavailable', async (_, behaviour) => {
    answer = behaviour;
    async function* endless() {
      for (;;) yield someBytes(65_536);
    }
    await expect(client.upload('PUT', '/v1/x', {}, endless())).rejects.toEqual(unavailable);
  });

  test('when it has all of a body is unavailable', async () => {
    answer = (req, res) => {
      res.writeContinue();
      req.resume();
    };
    await expect(client.upload('PUT', '/v1/x', {}, single('x'))).rejects.toEqual(unavailable);
  });
});

test('a connection that ends within an answer makes the server unavailable, to who reads by then and to who reads later', async () => {
  answer = (_req, res) => {
    res.writeHead(200, { 'content-length': 1000 });
    res.write('half', () => res.destroy());
  };
  await expect(client.json('GET', '/v1/x')).rejects.toEqual(unavailable);
  const unread = await client.request('GET', '/v1/x');
  await new Promise((resolve) => unread.once('close', resolve));
  await expect(buffer(unread)).rejects.toEqual(unavailable);
});

describe('what takes longer than the limit', () => {
  test('is waited for as long as there are signs of life', async () => {
    let everyMs = 0;
    answer = (req, res) => {
      everyMs = Number(req.headers['x-zerocloud-heartbeat']);
      const beats = setInterval(() => res.writeProcessing(), everyMs);
      setTimeout(() => {
        clearInterval(beats);
        res.end('"done"');
      }, 3 * limitMs);
    };
    await expect(client.json('POST', '/v1/x', { body: '{}', patient: true })).resolves.toBe('done');
    expect(everyMs).toBeLessThanOrEqual(limitMs / 3);
  });

  test('is waited for as long as there are bytes', async () => {
    answer = (_req, res) => {
      const bytes = setInterval(() => res.write(' '), limitMs / 4);
      setTimeout(() => {
        clearInterval(bytes);
        res.end('"done"');
      }, 3 * limitMs);
    };
    await expect(client.json('GET', '/v1/x')).resolves.toBe('done');
  });

  test('may be the reader', async () => {
    const bytes = someBytes(3_000_000);
    answer = (_req, res) => res.end(bytes);
    const body = await client.request('GET', '/v1/x');
    const chunks: Buffer[] = [];
    for await (const chunk of body) {
      if (chunks.length < 2) await pass(1.5 * limitMs);
      chunks.push(chunk);
    }
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
  });

  test('may be the sender of a body', async () => {
    answer = (req, res) => {
      res.writeContinue();
      void buffer(req).then(({ length }) => res.end(String(length)));
    };
    async function* slow() {
      yield someBytes(1000);
      await pass(2.5 * limitMs);
      yield someBytes(1000);
    }
    await expect(client.upload('PUT', '/v1/x', {}, slow())).resolves.toBe(2000);
  });
});

async function* single(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
