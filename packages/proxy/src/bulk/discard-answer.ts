import type { SubAnswer } from '../http/subrequest';

/** For who only wants the status of a subrequest. */
export function discardAnswer({ body }: SubAnswer): void {
  if (!Buffer.isBuffer(body)) body.destroy();
}
