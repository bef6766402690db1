import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { listen } from '@zerocloud/object-server/listen';

async function connect(port: number): Promise<net.Socket> {
  const socket = net.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

describe('a server that closes', () => {
  test('does not wait for a connection that never asked for anything', async () => {
    const { port, close } = await listen(http.createServer(), { host: '127.0.0.1', port: 0 });
    const silent = await connect(port);
    const closed = once(silent.resume(), 'close');
    // The grace is longer than a test may take.
    await close(100_000);
    await closed;
  });

  test('lets the request of another one finish', async () => {
    const server = http.createServer((_req, res) => setTimeout(() => res.end('done'), 200));
    const { port, close } = await listen(server, { host: '127.0.0.1', port: 0 });
    const busy = await connect(port);
    const asked = once(server, 'request');
    busy.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await asked;
    const closed = close(100_000);
    let answer = '';
    for await (const chunk of busy) answer += chunk;
    expect(answer).toMatch(/^HTTP\/1.1 200 OK.*done$/s);
    await closed;
  });
});
