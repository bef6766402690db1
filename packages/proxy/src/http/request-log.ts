import type { IncomingMessage, ServerResponse } from 'node:http';
import pino, { type Logger } from 'pino';

export interface LoggedRequest {
  transactionId: string;
  user?: string;
  startedAtMs: number;
  endedAtMs: number;
}

const infoLevel = 30;

/**
 * Writes one line per request at level `info`, in the form and on the stream of the logger, but put together here:
 * through `log.info` the line cost a small GET a sixth of its time.
 */
export function createRequestLog(
  log: Logger,
): (req: IncomingMessage, res: ServerResponse, request: LoggedRequest) => void {
  const stream = (log as unknown as Record<symbol, { write(line: string): unknown }>)[pino.symbols.streamSym]!;
  return (req, res, { transactionId, user, startedAtMs, endedAtMs }) => {
    const status = res.headersSent ? res.statusCode : 499;
    const who = user === undefined ? '' : `,"user":${JSON.stringify(user)}`;
    stream.write(
      `{"level":${infoLevel},"time":${endedAtMs},"txn":"${transactionId}","method":"${req.method}",` +
        `"path":${JSON.stringify(req.url)},"status":${status}${who},"ms":${endedAtMs - startedAtMs}}\n`,
    );
  };
}
