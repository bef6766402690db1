import type { ServerResponse } from 'node:http';
import type { RouterContext } from '@koa/router';
import { StorageError } from '../errors';
import type { ContainerPath, ObjectPath } from '../store/object-store';
import { heartbeatHeader, minHeartbeatMs } from '../wire/protocol';

/** A named segment of the path, decoded. */
export function param(ctx: RouterContext, name: string): string {
  return ctx.params[name]!;
}

export function containerPath(ctx: RouterContext): ContainerPath {
  return { account: param(ctx, 'account'), container: param(ctx, 'container') };
}

export function objectPath(ctx: RouterContext): ObjectPath {
  const path = { ...containerPath(ctx), object: param(ctx, 'object') };
  const { version } = ctx.query;
  return typeof version === 'string' ? { ...path, versionId: version } : path;
}

/** The JSON of a listing's query. */
export function queryOf(ctx: RouterContext): string | undefined {
  const { query } = ctx.query;
  return typeof query === 'string' ? query : undefined;
}

/**
 * The body of a request; it is asked for (`100 Continue`) when somebody begins to read it. One whose sender hung up
 * throws `bodyAborted` instead of ending. A reader that stops early leaves the connection as it is, so that the sender
 * still gets its answer.
 */
export async function* receiveBody({ req, res }: RouterContext): AsyncGenerator<Uint8Array> {
  if (req.headers.expect !== undefined) {
    res.writeContinue();
  }
  try {
    yield* req.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  } catch (cause) {
    throw new StorageError('bodyAborted', 'The body broke off before its end.', { cause });
  }
}

/** Aborts when the other side closes the connection before it has its answer. */
export function hangUpSignal(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) {
      controller.abort(new StorageError('bodyAborted', 'The proxy hung up.'));
    }
  });
  return controller.signal;
}

/** Waits for work that may take long. Until it is done, the other side hears `102 Processing` as often as it asked for. */
export async function staysAlive<T>(ctx: RouterContext, work: Promise<T>): Promise<T> {
  const everyMs = Number(ctx.get(heartbeatHeader));
  if (!(everyMs > 0)) return work;
  const timer = setInterval(() => ctx.res.writeProcessing(), Math.max(minHeartbeatMs, everyMs));
  try {
    return await work;
  } finally {
    clearInterval(timer);
  }
}
