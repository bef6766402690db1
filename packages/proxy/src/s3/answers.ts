import type { SwiftContext } from '../context';

const noBytes = Buffer.alloc(0);

export function answerXml(ctx: SwiftContext, body: Buffer): void {
  ctx.status = 200;
  ctx.res.setHeader('Content-Type', 'application/xml');
  ctx.body = body;
}

/** An answer of a head only. */
export function answerEmpty(ctx: SwiftContext, status: number, headers: Record<string, string> = {}): void {
  ctx.status = status;
  for (const name in headers) ctx.res.setHeader(name, headers[name]!);
  if (status === 204) return;
  ctx.body = noBytes;
  ctx.res.setHeader('Content-Length', 0);
}
