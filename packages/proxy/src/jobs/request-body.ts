import { isStorageError, type NodeSource } from '@zerocloud/object-server';
import type { Deps, SwiftContext } from '../context';
import { HttpError } from '../errors';
import { readWholeBody } from '../http/whole-body';
import { UploadBody } from '../objects/upload-body';
import { headBytes } from './archive';
import { badJob } from './errors';

/** Plain bodies up to this size go along with each session; larger ones are staged on the storage node. */
export const maxInlineBytes = 64 * 1024;

/** Bytes with a known length, read once: whole, or by pieces. */
export interface JobBody {
  sizeBytes: number;
  whole(): Promise<Buffer>;
  chunks(): AsyncIterable<Uint8Array>;
}

/** The request's body, which must say its length. `unfinished` is the sentence for one that ends early. */
export function requestBody(ctx: SwiftContext, deps: Deps, unfinished: string): JobBody {
  const sizeBytes = declaredLength(ctx, deps);
  return {
    sizeBytes,
    whole: () => readWhole(ctx, deps, sizeBytes, unfinished),
    chunks: () => new UploadBody(ctx.req, deps.config.timeouts),
  };
}

/** Content-Length of a body that needs one. */
function declaredLength(ctx: SwiftContext, deps: Deps): number {
  const text = ctx.req.headers['content-length'];
  if (text === undefined) throw badJob('Must specify Content-Length');
  const sizeBytes = Number(text);
  if (sizeBytes > deps.config.jobs.maxInputBytes) throw new HttpError(413, 'RPC request too large');
  return sizeBytes;
}

/** All of the request's body; 413 beyond `maxBytes`, 499 with `unfinished` when the client ends it early. */
export async function readWhole(ctx: SwiftContext, deps: Deps, maxBytes: number, unfinished: string): Promise<Buffer> {
  const declaredBytes = Number(ctx.req.headers['content-length'] ?? Number.NaN);
  // A small body has mostly come with its head; then no timers and listeners are needed to wait for it.
  const ready = declaredBytes > 0 && ctx.req.readableLength >= declaredBytes && ctx.req.read(declaredBytes);
  if (ready) return ready;
  const body = new UploadBody(ctx.req, deps.config.timeouts);
  try {
    return await readWholeBody(body, { maxBytes, tooLarge: () => new HttpError(413) });
  } catch (error) {
    throw nameUnfinished(error, unfinished);
  }
}

export interface StagedSource {
  source: NodeSource;
  /** To be released after the job. */
  stagedId: string;
}

/** Keeps the body on the storage node for the sessions of a job. What the body throws reaches the client as it is. */
export async function stage(
  body: AsyncIterable<Uint8Array>,
  { node, config }: Deps,
  { inflate = false, unfinished }: { inflate?: boolean; unfinished: string },
): Promise<StagedSource> {
  // Whatever a storage node makes of the body's own failure on the way, this is what counts.
  let failure: unknown;
  async function* watched(): AsyncGenerator<Uint8Array> {
    try {
      yield* body;
    } catch (error) {
      failure = error;
      throw error;
    }
  }
  try {
    const { id } = await node.stageBody(watched(), { maxBytes: config.jobs.maxInputBytes + headBytes, inflate });
    return { source: { kind: 'staged', id }, stagedId: id };
  } catch (thrown) {
    const error = failure ?? thrown;
    if (isStorageError(error, 'badArchive')) throw new HttpError(422, 'Failed to inflate gzipped image');
    if (isStorageError(error, 'objectTooLarge')) throw new HttpError(413, 'RPC request too large');
    throw nameUnfinished(error, unfinished);
  }
}

function nameUnfinished(error: unknown, sentence: string): unknown {
  return isStorageError(error, 'bodyAborted') ? new HttpError(499, sentence, { cause: error }) : error;
}
