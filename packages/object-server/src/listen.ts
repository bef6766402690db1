import type { Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** A server that listens. */
export interface Listening {
  /** `http://host:port`, as it is to be called. */
  url: string;
  port: number;
  /** Takes no new connection, lets the running requests finish (at most `graceMs`, then cuts them off). */
  close(graceMs?: number): Promise<void>;
}

/** While a server closes, how often it looks for kept-alive connections that have become idle. */
const idleCheckMs = 50;

/** How long running requests may take to finish when their server closes. */
const defaultGraceMs = 30_000;

/** Listens on host and port (0: any free one); rejects with one clear sentence. */
export async function listen(server: Server, { host, port }: { host: string; port: number }): Promise<Listening> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(new Error(sentence(cause, host, port), { cause })));
    server.listen({ host, port }, resolve);
  });
  const { address, family, port: actual } = server.address() as AddressInfo;
  const name = family === 'IPv6' ? `[${address}]` : address;
  return {
    url: `http://${name}:${actual}`,
    port: actual,
    close: (graceMs = defaultGraceMs) => close(server, sockets, graceMs),
  };
}

/**
 * `Server.close` alone waits for clients that keep a connection open after their last answer, so idle connections are
 * closed again and again until none is left; so are those that were opened in reserve, as browsers do, and never said
 * anything, which Node takes for busy.
 */
async function close(server: Server, sockets: ReadonlySet<Socket>, graceMs: number): Promise<void> {
  const timer = setInterval(() => {
    server.closeIdleConnections();
    for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
  }, idleCheckMs);
  const cutOff = setTimeout(() => server.closeAllConnections(), graceMs);
  try {
    await new Promise<void>((resolve) => server.close(() => resolve()));
  } finally {
    clearInterval(timer);
    clearTimeout(cutOff);
  }
}

function sentence({ code, message }: NodeJS.ErrnoException, host: string, port: number): string {
  switch (code) {
    case 'EADDRINUSE':
      return `Port ${port} of ${host} is in use by another process.`;
    case 'EACCES':
      return `Listening on port ${port} is not allowed to this user.`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `This machine has no address ${host} to listen on.`;
    default:
      return `Listening on ${host}:${port} failed: ${message}`;
  }
}
