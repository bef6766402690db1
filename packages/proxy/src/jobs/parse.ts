import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { isStorageError, type NodeSource } from '@zerocloud/object-server';
import type { Deps, SwiftContext } from '../context';
import { HttpError } from '../errors';
import { UploadBody } from '../objects/upload-body';
import { findBootMap, headBytes, inflateHead, tarHeader, tarTrailer } from './archive';
import { badJob } from './errors';
import { describeScript, scriptName } from './script';

/** A request body as a job: its description, and what it brought along for every node's `image`. */
export interface ParsedJob {
  description: unknown;
  image?: NodeSource;
  /** Id of the staged body behind `image`, to be released after the job. */
  stagedId?: string;
}

const archiveTypes = new Set(['application/x-tar', 'application/x-gtar', 'application/x-ustar', 'application/x-gzip']);
const gzipType = 'application/x-gzip';

/** Plain bodies up to this size go along with each session; larger ones are staged on the storage node. */
const maxInlineBytes = 64 * 1024;

/** Reads the body by its kind. The caller releases `stagedId`. */
export function parseJob(ctx: SwiftContext, deps: Deps): Promise<ParsedJob> {
  const contentType = (ctx.req.headers['content-type'] ?? 'text/plain').split(';', 1)[0]!.trim().toLowerCase();
  if (contentType === 'application/json') return readDescription(ctx, deps);
  return archiveTypes.has(contentType) ? readArchive(ctx, deps, contentType) : readScript(ctx, deps);
}

async function readDescription(ctx: SwiftContext, deps: Deps): Promise<ParsedJob> {
  const { maxConfigBytes } = deps.config.jobs;
  if (Number(ctx.req.headers['content-length'] ?? 0) > maxConfigBytes) throw new HttpError(413);
  const body = await readWhole(ctx, deps, maxConfigBytes, 'application/json POST unfinished');
  const etag = ctx.req.headers.etag as string | undefined;
  if (etag && etag.replace(/^"|"$/g, '').toLowerCase() !== createHash('md5').update(body).digest('hex')) {
    throw new HttpError(422);
  }
  return { description: parseMap(body) };
}

function parseMap(bytes: Uint8Array): unknown {
  try {
    if (!isUtf8(bytes)) throw new SyntaxError('not UTF-8');
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString());
  } catch (error) {
    throw new HttpError(422, 'Could not parse system map', { cause: error });
  }
}

async function readArchive(ctx: SwiftContext, deps: Deps, contentType: string): Promise<ParsedJob> {
  const sizeBytes = declaredLength(ctx, deps);
  const inflate = contentType === gzipType;
  const unfinished = 'data source image dead';
  let description: unknown;
  const inspect = async (head: Uint8Array) => {
    description = parseMap(await findMap(head, contentType));
  };
  if (sizeBytes <= maxInlineBytes && !inflate) {
    const data = await readWhole(ctx, deps, sizeBytes, unfinished);
    await inspect(data);
    return { description, image: { kind: 'bytes', data } };
  }
  const stagedId = await stage(inspected(new UploadBody(ctx.req, deps.config.timeouts), inspect), deps, {
    inflate,
    unfinished,
  });
  return { description, image: { kind: 'staged', id: stagedId }, stagedId };
}

async function findMap(head: Uint8Array, contentType: string): Promise<Uint8Array> {
  let map: Uint8Array | undefined;
  try {
    map = findBootMap(contentType === gzipType ? await inflateHead(head) : head);
  } catch (error) {
    throw new HttpError(422, `Error reading ${contentType} stream`, { cause: error });
  }
  if (!map) throw badJob('System boot map was not found in request');
  return map;
}

async function readScript(ctx: SwiftContext, deps: Deps): Promise<ParsedJob> {
  const sizeBytes = declaredLength(ctx, deps);
  const unfinished = `data source ${scriptName} dead`;
  const { account, container, object } = ctx.state.path;
  const stdinUrl = object === undefined ? undefined : `swift://${account}/${container}/${object}`;
  let description: unknown;
  const inspect = (head: Uint8Array) => {
    description = describeScript(firstLine(head), account, stdinUrl);
  };
  const header = tarHeader(scriptName, sizeBytes);
  const trailer = tarTrailer(sizeBytes);
  if (sizeBytes <= maxInlineBytes) {
    const data = await readWhole(ctx, deps, sizeBytes, unfinished);
    inspect(data);
    return { description, image: { kind: 'bytes', data: Buffer.concat([header, data, trailer]) } };
  }
  async function* archive(): AsyncGenerator<Uint8Array> {
    yield header;
    yield* inspected(new UploadBody(ctx.req, deps.config.timeouts), inspect);
    yield trailer;
  }
  const stagedId = await stage(archive(), deps, { inflate: false, unfinished });
  return { description, image: { kind: 'staged', id: stagedId }, stagedId };
}

function firstLine(head: Uint8Array): string {
  const text = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  if (text[0] !== 0x23 || text[1] !== 0x21) throw badJob('Unsupported Content-Type');
  const end = text.indexOf(0x0a);
  if (end < 0) throw badJob('Cannot find shebang (#!) in script');
  return text.toString('utf8', 0, end);
}

/** Content-Length of a body that needs one. */
function declaredLength(ctx: SwiftContext, deps: Deps): number {
  const text = ctx.req.headers['content-length'];
  if (text === undefined) throw badJob('Must specify Content-Length');
  const sizeBytes = Number(text);
  if (sizeBytes > deps.config.jobs.maxInputBytes) throw new HttpError(413, 'RPC request too large');
  return sizeBytes;
}

async function readWhole(ctx: SwiftContext, deps: Deps, maxBytes: number, unfinished: string): Promise<Buffer> {
  const declaredBytes = Number(ctx.req.headers['content-length'] ?? Number.NaN);
  // A small body has mostly come with its head; then no timers and listeners are needed to wait for it.
  const ready = declaredBytes > 0 && ctx.req.readableLength >= declaredBytes && ctx.req.read(declaredBytes);
  if (ready) return ready;
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  try {
    for await (const chunk of new UploadBody(ctx.req, deps.config.timeouts)) {
      sizeBytes += chunk.byteLength;
      if (sizeBytes > maxBytes) throw new HttpError(413);
      chunks.push(chunk);
    }
  } catch (error) {
    throw nameUnfinished(error, unfinished);
  }
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
}

/** Passes the chunks on, once `inspect` has seen the first `headBytes` of them (or all, if fewer) and not thrown. */
async function* inspected(
  body: AsyncIterable<Uint8Array>,
  inspect: (head: Uint8Array) => void | Promise<void>,
): AsyncGenerator<Uint8Array> {
  let held: Uint8Array[] | undefined = [];
  let heldBytes = 0;
  for await (const chunk of body) {
    if (!held) {
      yield chunk;
      continue;
    }
    held.push(chunk);
    heldBytes += chunk.byteLength;
    if (heldBytes < headBytes) continue;
    const head = Buffer.concat(held);
    held = undefined;
    await inspect(head.subarray(0, headBytes));
    yield head;
  }
  if (!held) return;
  const head = Buffer.concat(held);
  await inspect(head);
  yield head;
}

async function stage(
  body: AsyncGenerator<Uint8Array>,
  { node, config }: Deps,
  options: { inflate: boolean; unfinished: string },
): Promise<string> {
  // What the body itself throws must reach the client as it is, whatever a storage node makes of it on the way.
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
    const { inflate } = options;
    return (await node.stageBody(watched(), { maxBytes: config.jobs.maxInputBytes + headBytes, inflate })).id;
  } catch (thrown) {
    const error = failure ?? thrown;
    if (isStorageError(error, 'badArchive')) throw new HttpError(422, 'Failed to inflate gzipped image');
    if (isStorageError(error, 'objectTooLarge')) throw new HttpError(413, 'RPC request too large');
    throw nameUnfinished(error, options.unfinished);
  }
}

function nameUnfinished(error: unknown, sentence: string): unknown {
  return isStorageError(error, 'bodyAborted') ? new HttpError(499, sentence, { cause: error }) : error;
}
