import type { SwiftContext } from '../context';

export function answerXml(ctx: SwiftContext, body: Buffer): void {
  ctx.status = 200;
  ctx.res.setHeader('Content-Type', 'application/xml');
  ctx.body = body;
}
