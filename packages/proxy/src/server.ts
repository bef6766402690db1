import http from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type Koa from 'koa';
import type { ProxyConfig } from './config';
import type { RequestState } from './context';
import { HttpError } from './errors';
import { answerBadRequest } from './http/bad-request';
import { noteMessageEnd, restoreHeaderNames, retryBeyondAscii } from './http/beyond-ascii';
import { requestHandler } from './http/request-handler';
import { abortUpload } from './objects/upload-body';

/** Bounds of a connection; generous for people, tight for floods. */
const maxHeadBytes = 64 * 1024;
/** Swift's MAX_HEADER_COUNT: 90 metadata and 36 others. One more is read, to be refused. */
const maxHeaderCount = 126;
const headersTimeoutMs = 60_000;
const keepAliveTimeoutMs = 75_000;

/** An HTTP server around the app, with limits on everything a client can stretch. Does not listen yet. */
export function createServer(app: Koa<RequestState>, config: ProxyConfig): http.Server {
  const handle = requestHandler(app, config.timeouts.clientTimeoutS * 1000);
  const requestTimeoutMs = config.timeouts.maxUploadTimeS * 1000;
  const server = http.createServer({
    maxHeaderSize: maxHeadBytes,
    headersTimeout: Math.min(headersTimeoutMs, requestTimeoutMs),
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    noDelay: true,
  });
  // Node drops what exceeds this without a word, so the first superfluous one must still be seen.
  server.maxHeadersCount = maxHeaderCount + 1;

  const onRequest = (req: http.IncomingMessage, res: http.ServerResponse) => {
    if (restoreHeaderNames(req)) res.shouldKeepAlive = false;
    if (req.rawHeaders.length > maxHeaderCount * 2) {
      refuse(res, new HttpError(400, 'Too many headers'));
      return;
    }
    void handle(req, res).then(() => noteMessageEnd(req.socket));
  };
  server.on('request', onRequest);
  server.on('checkContinue', (req: http.IncomingMessage, res: http.ServerResponse) => {
    continueOnFirstRead(req, res);
    onRequest(req, res);
  });
  server.on('checkExpectation', (_req, res: http.ServerResponse) => refuse(res, new HttpError(417)));
  const takenOver = new WeakSet<Duplex>();
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    // The parser of a connection that was taken over still speaks up when its own message seems overdue.
    if (takenOver.has(socket)) return;
    if (retryBeyondAscii(server, error, socket as Socket)) takenOver.add(socket);
    else if (!abortUpload(socket as Socket, error)) answerBadRequest(error, socket as Socket);
  });
  return server;
}

/**
 * `Expect: 100-continue`: the client is asked for its body when somebody reads it, so a refused upload never travels.
 * Whoever answers before that leaves a client that may or may not send: the connection ends with that answer.
 */
function continueOnFirstRead(req: http.IncomingMessage, res: http.ServerResponse): void {
  const read = req._read;
  let isAsked = false;
  req._read = (size) => {
    req._read = read;
    if (!res.headersSent && !isAsked) {
      isAsked = true;
      res.writeContinue();
    }
    read.call(req, size);
  };
  const writeHead = res.writeHead;
  res.writeHead = function (this: http.ServerResponse, ...args: Parameters<typeof writeHead>) {
    if (!isAsked) this.setHeader('Connection', 'close');
    return writeHead.apply(this, args);
  } as typeof writeHead;
}

function refuse(res: http.ServerResponse, error: HttpError): void {
  const body = Buffer.from(error.body);
  res.writeHead(error.status, error.reason, { ...error.headers, 'content-length': body.length, connection: 'close' });
  res.end(body);
}
