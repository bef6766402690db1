import type { ServerResponse } from 'node:http';

/**
 * Cuts the connection of a client that takes no byte of its answer for so long, as Swift's proxy does: it would keep the
 * object's file open, and the answer in memory, for as long as it likes. A server that has nothing to send is no reason.
 */
export function cutWhenStalled(res: ServerResponse, stallMs: number): void {
  res.setTimeout(stallMs, () => {
    if (res.socket && res.socket.writableLength > 0) res.destroy();
  });
  // Before Node sets what holds between two requests: a pipelined one must not inherit this.
  res.prependOnceListener('finish', () => res.socket?.setTimeout(0));
}
