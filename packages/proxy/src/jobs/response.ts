import { Readable } from 'node:stream';
import type { SwiftContext } from '../context';
import { headerName } from '../http/header-text';
import { setOwnHeader } from '../http/unchecked-header';
import { readWholeBody } from '../http/whole-body';

/** The answer of a job before anybody decided what becomes of it: sent, taken as the next job, or stored. */
export interface JobResponse {
  status: number;
  /** By name as printed; values are bytes as Latin-1 characters. */
  headers: Record<string, string | string[]>;
  body: Buffer | Readable;
  sizeBytes: number;
}

/** A header that came from a program, or one of our own. */
export function findHeader({ headers }: JobResponse, name: string): string | undefined {
  const value = headers[headerName(name)];
  return typeof value === 'string' ? value : value?.at(-1);
}

export function sendResponse(ctx: SwiftContext, { status, headers, body, sizeBytes }: JobResponse): void {
  const { res } = ctx;
  ctx.status = status;
  for (const name in headers) {
    const value = headers[name]!;
    if (name.startsWith(ownPrefix) && typeof value === 'string') setOwnHeader(res, name.toLowerCase(), name, value);
    else if (name !== 'Content-Length') res.setHeader(name, value);
  }
  if (status === 204 || status === 304) {
    discard(body);
    res.removeHeader('Content-Type');
    return;
  }
  ctx.body = body;
  // A program that answers HEAD knows how long its body would have been; for others only the truth counts.
  const claimed = ctx.method === 'HEAD' ? headers['Content-Length'] : undefined;
  const isLength = typeof claimed === 'string' && /^\d{1,15}$/.test(claimed);
  res.setHeader('Content-Length', isLength ? claimed : String(sizeBytes));
}

/** Made of plain texts here, and no program can say it. */
const ownPrefix = 'X-Nexe-';

export function discard(body: Buffer | Readable): void {
  if (body instanceof Readable) body.destroy();
}

/** The whole body of a response that is known to be small. */
export function readResponseBody({ body }: JobResponse): Promise<Buffer> {
  return readWholeBody(body);
}
