import { EventEmitter, once } from 'node:events';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { abortUpload, UploadBody } from '@zerocloud/proxy/objects/upload-body';

interface Outcome {
  bytes: string;
  chunkCount: number;
  error?: string;
}

/** Resolves when the body's reader has got so many bytes in all. */
type Arrival = (sizeBytes: number) => Promise<void>;

/** A bare server whose only request is read to its end by an `UploadBody`. */
async function receive(
  send: (socket: net.Socket, arrival: Arrival) => void | Promise<void>,
  timeouts = { clientTimeoutS: 5, maxUploadTimeS: 5 },
): Promise<Outcome> {
  const events = new EventEmitter();
  const received: Buffer[] = [];
  const sizeBytes = () => received.reduce((sum, chunk) => sum + chunk.length, 0);
  const server = http.createServer(async (request, response) => {
    let error: string | undefined;
    try {
      for await (const chunk of new UploadBody(request, timeouts)) {
        received.push(Buffer.from(chunk));
        events.emit('chunk');
      }
    } catch (caught) {
      error = (caught as { code?: string }).code;
    }
    response.writeHead(200, { connection: 'close' }).end();
    events.emit('outcome', { bytes: Buffer.concat(received).toString(), chunkCount: received.length, error });
  });
  server.on('clientError', (error, socket) => {
    if (!abortUpload(socket as net.Socket, error)) socket.destroy();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const socket = net.connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  const outcome = once(events, 'outcome');
  await send(socket, async (wanted) => {
    while (sizeBytes() < wanted) await once(events, 'chunk');
  });
  const [result] = await outcome;
  socket.destroy();
  server.close();
  return result;
}

const chunkedHead = 'PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n';
const head = (length: number) => `PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n`;

test('hands over a body that comes with its head', async () => {
  expect(await receive((socket) => void socket.write(`${head(5)}hello`))).toMatchObject({ bytes: 'hello' });
});

test('an empty body ends at once', async () => {
  expect(await receive((socket) => void socket.write(head(0)))).toEqual({ bytes: '', chunkCount: 0 });
});

test('hands over a body that comes in pieces', async () => {
  const outcome = await receive(async (socket, arrival) => {
    socket.write(head(6));
    for (let i = 1; i <= 3; i++) {
      socket.write('ab');
      await arrival(2 * i);
    }
  });
  expect(outcome).toEqual({ bytes: 'ababab', chunkCount: 3 });
});

test('hands over a chunked body', async () => {
  const outcome = await receive((socket) => void socket.write(`${chunkedHead}3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n`));
  expect(outcome).toMatchObject({ bytes: 'abcde' });
  expect(outcome.error).toBeUndefined();
});

test('a body of many megabytes comes whole', async () => {
  const sizeBytes = 8 * 1024 * 1024;
  const outcome = await receive(
    (socket) => void socket.write(Buffer.concat([Buffer.from(head(sizeBytes)), Buffer.alloc(sizeBytes, 'x')])),
  );
  expect(outcome.error).toBeUndefined();
  expect(outcome.bytes).toHaveLength(sizeBytes);
});

test.each([
  ['a chunk size that is none, with the head', `${chunkedHead}zz\r\nabc\r\n`],
  ['a length that is not met', `${head(10)}abc`],
  ['a chunk that is not met', `${chunkedHead}5\r\nabc`],
  ['no last chunk', `${chunkedHead}3\r\nabc\r\n`],
])('ends with bodyAborted after %s', async (_, bytes) => {
  expect(await receive((socket) => void socket.end(bytes))).toMatchObject({ error: 'bodyAborted' });
});

test('ends with bodyAborted when a bad chunk comes later', async () => {
  const outcome = await receive(async (socket, arrival) => {
    socket.write(`${chunkedHead}3\r\nabc\r\n`);
    await arrival(3);
    socket.write('nonsense\r\n');
  });
  expect(outcome).toEqual({ bytes: 'abc', chunkCount: 1, error: 'bodyAborted' });
});

test('ends with bodyAborted when the client is gone', async () => {
  const outcome = await receive(async (socket, arrival) => {
    socket.write(`${head(10)}abc`);
    await arrival(3);
    socket.resetAndDestroy();
  });
  expect(outcome).toMatchObject({ error: 'bodyAborted' });
});

test('ends with bodyTimeout when no byte comes for long', async () => {
  const outcome = await receive((socket) => void socket.write(`${head(10)}abc`), {
    clientTimeoutS: 0.1,
    maxUploadTimeS: 5,
  });
  expect(outcome).toEqual({ bytes: 'abc', chunkCount: 1, error: 'bodyTimeout' });
});

test('ends with bodyTimeout when all of it takes too long, however busy the client is', async () => {
  let timer: NodeJS.Timeout | undefined;
  const outcome = await receive(
    (socket) => {
      socket.write(head(1000));
      timer = setInterval(() => socket.write('x'), 20);
    },
    { clientTimeoutS: 5, maxUploadTimeS: 0.2 },
  );
  clearInterval(timer);
  expect(outcome.error).toBe('bodyTimeout');
  expect(outcome.bytes.length).toBeGreaterThan(1);
});
