import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { createLogLines, infoLevel, quoted } from './log-lines';

export interface LoggedRequest {
  transactionId: string;
  user?: string;
  startedAtMs: number;
  endedAtMs: number;
}

/**
 * Writes one line per request at level `info`, in the form and on the stream of the logger, but put together here:
 * through `log.info` the line cost a small GET a sixth of its time.
 */
export function createRequestLog(
  log: Logger,
): (req: IncomingMessage, res: ServerResponse, request: LoggedRequest) => void {
  const write = createLogLines(log);
  return (req, res, { transactionId, user, startedAtMs, endedAtMs }) => {
    const status = res.headersSent ? res.statusCode : 499;
    const who = user === undefined ? '' : `,"user":${quoted(user)}`;
    write(
      `{"level":${infoLevel},"time":${endedAtMs},"txn":"${transactionId}","method":"${req.method}",` +
        `"path":${quoted(withoutSecrets(req.url!))},"status":${status}${who},"ms":${endedAtMs - startedAtMs}}\n`,
    );
  };
}

const signature = /([?&](?:X-Amz-Signature|Signature|temp_url_sig)=)[^&]+/g;

/** A signed URL is a key to its object until it expires, and logs are read by many. */
export function withoutSecrets(url: string): string {
  return url.includes('?') ? url.replace(signature, '$1***') : url;
}
