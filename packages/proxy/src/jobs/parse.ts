import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { NodeSource } from '@zerocloud/object-server';
import type { Deps, SwiftContext } from '../context';
import { HttpError } from '../errors';
import { findBootMap, headBytes, inflateHead, tarHeader, tarTrailer } from './archive';
import { badJob } from './errors';
import type { KnownDescription, KnownDescriptions } from './known-descriptions';
import { type JobBody, maxInlineBytes, readWhole, requestBody, stage } from './request-body';
import { describeScript, scriptName } from './script';

/** A request body, or an object, as a job: its description, and what it brought along for every node's `image`. */
export interface ParsedJob {
  description: unknown;
  /** Where a plan of nothing but the description is kept. */
  known?: KnownDescription;
  image?: NodeSource;
  /** Id of the staged body behind `image`, to be released after the job. */
  stagedId?: string;
  /** URL of the object that the request names and the job reads: a script's standard input, or what is opened. */
  ownObject?: string;
}

/** What a content type makes of a job's text. */
export type JobKind = 'json' | 'archive' | 'gzipped' | 'script';

const kinds: ReadonlyMap<string, JobKind> = new Map<string, JobKind>([
  ['application/json', 'json'],
  ['application/x-tar', 'archive'],
  ['application/x-gtar', 'archive'],
  ['application/x-ustar', 'archive'],
  ['application/x-gzip', 'gzipped'],
]);

/** Type without parameters, in lower case. */
export function mediaTypeOf(contentType: string): string {
  return contentType.split(';', 1)[0]!.trim().toLowerCase();
}

export function jobKindOf(contentType: string): JobKind {
  return kinds.get(mediaTypeOf(contentType)) ?? 'script';
}

/** Reads the body by its kind. The caller releases `stagedId`. */
export function parseJob(ctx: SwiftContext, deps: Deps, descriptions: KnownDescriptions): Promise<ParsedJob> {
  const contentType = ctx.req.headers['content-type'] ?? 'text/plain';
  const kind = jobKindOf(contentType);
  if (kind === 'json') return readDescription(ctx, deps, descriptions);
  if (kind !== 'script') return readArchive(ctx, deps, contentType);
  const { account, container, object } = ctx.state.path;
  const stdin = object === undefined ? undefined : `swift://${account}/${container}/${object}`;
  const body = requestBody(ctx, deps, unfinished);
  return readScript(body, deps, account, stdin);
}

async function readDescription(ctx: SwiftContext, deps: Deps, descriptions: KnownDescriptions): Promise<ParsedJob> {
  const { maxConfigBytes } = deps.config.jobs;
  if (Number(ctx.req.headers['content-length'] ?? 0) > maxConfigBytes) throw new HttpError(413);
  const body = await readWhole(ctx, deps, maxConfigBytes, 'application/json POST unfinished');
  const etag = ctx.req.headers.etag as string | undefined;
  if (etag && etag.replace(/^"|"$/g, '').toLowerCase() !== createHash('md5').update(body).digest('hex')) {
    throw new HttpError(422);
  }
  const known = descriptions.get(ctx.state.path.account, body, parseMap);
  return { description: known.description, known };
}

/** A job description from its JSON; 422 for anything else. */
export function parseMap(bytes: Uint8Array): unknown {
  try {
    if (!isUtf8(bytes)) throw new SyntaxError('not UTF-8');
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString());
  } catch (error) {
    throw new HttpError(422, 'Could not parse system map', { cause: error });
  }
}

async function readArchive(ctx: SwiftContext, deps: Deps, contentType: string): Promise<ParsedJob> {
  const unfinished = 'data source image dead';
  const body = requestBody(ctx, deps, unfinished);
  const inflate = jobKindOf(contentType) === 'gzipped';
  let description: unknown;
  const inspect = async (head: Uint8Array) => {
    description = parseMap(await getMap(head, contentType));
  };
  if (body.sizeBytes <= maxInlineBytes && !inflate) {
    const data = await body.whole();
    await inspect(data);
    return { description, image: { kind: 'bytes', data } };
  }
  const { source, stagedId } = await stage(inspected(body.chunks(), inspect), deps, { inflate, unfinished });
  return { description, image: source, stagedId };
}

/** The description in the first bytes of an archive; 400 when there is none, 422 for damage. */
export async function getMap(head: Uint8Array, contentType: string): Promise<Uint8Array> {
  const map = await findMap(head, contentType);
  if (!map) throw badJob('System boot map was not found in request');
  return map;
}

/** The same where an archive need not have one. */
export async function findMap(head: Uint8Array, contentType: string): Promise<Uint8Array | undefined> {
  try {
    return findBootMap(jobKindOf(contentType) === 'gzipped' ? await inflateHead(head) : head);
  } catch (error) {
    throw new HttpError(422, `Error reading ${contentType} stream`, { cause: error });
  }
}

const unfinished = `data source ${scriptName} dead`;

/** A script as a job: wrapped in an archive, so that the guest finds it as a file. `stdinUrl` is its standard input. */
export async function readScript(
  body: JobBody,
  deps: Deps,
  account: string,
  stdinUrl: string | undefined,
): Promise<ParsedJob> {
  const { sizeBytes } = body;
  let description: unknown;
  const inspect = (head: Uint8Array) => {
    description = describeScript(firstLine(head), account, stdinUrl);
  };
  const header = tarHeader(scriptName, sizeBytes);
  const trailer = tarTrailer(sizeBytes);
  if (sizeBytes <= maxInlineBytes) {
    const data = await body.whole();
    inspect(data);
    return { description, ownObject: stdinUrl, image: { kind: 'bytes', data: Buffer.concat([header, data, trailer]) } };
  }
  async function* archive(): AsyncGenerator<Uint8Array> {
    yield header;
    yield* inspected(body.chunks(), inspect);
    yield trailer;
  }
  const { source, stagedId } = await stage(archive(), deps, { unfinished });
  return { description, ownObject: stdinUrl, image: source, stagedId };
}

function firstLine(head: Uint8Array): string {
  const text = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  if (text[0] !== 0x23 || text[1] !== 0x21) throw badJob('Unsupported Content-Type');
  const end = text.indexOf(0x0a);
  if (end < 0) throw badJob('Cannot find shebang (#!) in script');
  return text.toString('utf8', 0, end);
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
