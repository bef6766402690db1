import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';

/** A connected pair of sockets; the first is written to. */
export async function socketPair(): Promise<[writer: net.Socket, reader: net.Socket]> {
  const server = net.createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const accepted = once(server, 'connection');
  const reader = net.connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [writer] = await accepted;
  server.close();
  return [writer, reader];
}

export async function readAll(readable: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of readable) chunks.push(chunk);
  return Buffer.concat(chunks);
}
