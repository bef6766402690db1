import { isUtf8 } from 'node:buffer';
import type { SwiftContext } from '../context';
import { HttpError } from '../errors';
import { quoteBytes } from '../http/percent';
import type { Subrequests } from '../http/subrequest';
import { discardAnswer } from './discard-answer';
import { type BulkError, statusText } from './report';

/** Something to be deleted: `container/object` or `container`, after percent-decoding. */
export interface DeleteTarget {
  name: Buffer;
  versionId?: string;
  /** It is not even tried. */
  error?: { status: number; message: string };
}

export interface DeleteOutcome {
  deletedCount: number;
  notFoundCount: number;
  errors: BulkError[];
  /** Some deletion failed by the server's fault. */
  isServerError: boolean;
}

/** Deletions at a time; they share the commits of the store. */
const width = 16;

/**
 * Deletes objects, then containers, in the account of the request's path: `handle_delete_iter` of
 * swift/common/middleware/bulk.py. Every deletion is a request of the caller, with his rights. Throws an `HttpError`
 * when `maxFailed` of them failed. Targets come as they are needed, so that their number costs no memory.
 */
export async function deleteAll(
  ctx: SwiftContext,
  subrequests: Subrequests,
  targets: AsyncIterable<DeleteTarget> | Iterable<DeleteTarget>,
  { maxFailed }: { maxFailed: number },
): Promise<DeleteOutcome> {
  const outcome: DeleteOutcome = { deletedCount: 0, notFoundCount: 0, errors: [], isServerError: false };
  const containers: DeleteTarget[] = [];
  async function* objects() {
    for await (const target of targets) {
      if (isObjectName(target.name)) yield target;
      else if (trimSlashes(target.name).length > 0) containers.push(target);
    }
  }
  await inOrder(objects(), (target) => deleteOne(ctx, subrequests, target), note);
  await inOrder(containers, (target) => deleteOne(ctx, subrequests, target), note);
  return outcome;

  function note({ name }: DeleteTarget, result: Result): void {
    if (result.status < 300) outcome.deletedCount++;
    else if (result.status === 404) outcome.notFoundCount++;
    else {
      outcome.isServerError ||= result.status >= 500 && result.message === undefined;
      outcome.errors.push([quoteBytes(name), result.message ?? statusText(result.status)]);
      if (outcome.errors.length >= maxFailed) throw new TooManyFailures(outcome);
    }
  }
}

/** The run ended early; `outcome` is what had happened by then. */
export class TooManyFailures extends HttpError {
  constructor(readonly outcome: DeleteOutcome) {
    super(400, 'Max delete failures exceeded');
  }
}

interface Result {
  status: number;
  message?: string;
}

async function deleteOne(
  ctx: SwiftContext,
  subrequests: Subrequests,
  { name, versionId, error }: DeleteTarget,
): Promise<Result> {
  ctx.state.signal.throwIfAborted();
  if (error) return error;
  if (!isUtf8(name) || name.includes(0)) return { status: 412 };
  const { version, account } = ctx.state.path;
  const path = quoteBytes(name).replace(/^\/+/, '');
  const query = versionId === undefined ? '' : `?version-id=${encodeURIComponent(versionId)}`;
  const url = `/${version}/${quoteBytes(Buffer.from(account))}/${path}${query}`;
  const answer = await subrequests.send(ctx, { method: 'DELETE', url });
  discardAnswer(answer);
  return { status: answer.status };
}

/** Up to `width` calls at a time, their results noted in the order of the items. The first error ends it. */
async function inOrder<T, R>(
  items: AsyncIterable<T> | Iterable<T>,
  call: (item: T) => Promise<R>,
  note: (item: T, result: R) => void,
): Promise<void> {
  const running: { item: T; result: Promise<R> }[] = [];
  const settle = async () => {
    const { item, result } = running.shift()!;
    note(item, await result);
  };
  try {
    for await (const item of items) {
      const result = call(item);
      result.catch(() => undefined);
      running.push({ item, result });
      if (running.length === width) await settle();
    }
    while (running.length > 0) await settle();
  } finally {
    // What is under way ends before anything is answered.
    await Promise.allSettled(running.map(({ result }) => result));
  }
}

const slash = '/'.charCodeAt(0);

function isObjectName(name: Buffer): boolean {
  return trimSlashes(name).includes(slash);
}

function trimSlashes(name: Buffer): Buffer {
  let [start, end] = [0, name.length];
  while (start < end && name[start] === slash) start++;
  while (end > start && name[end - 1] === slash) end--;
  return name.subarray(start, end);
}
