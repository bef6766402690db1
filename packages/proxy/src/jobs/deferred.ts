import { randomUUID } from 'node:crypto';
import type { ObjectPath } from '@zerocloud/object-server';
import type { Deps, RequestState, SwiftContext } from '../context';
import { HttpError } from '../errors';
import { headerName } from '../http/header-text';
import { findExcessiveLength } from '../http/name-length';
import { getUploadRoom } from '../quotas/upload-quota';
import { isRestJob, type JobRequest } from './admission';
import { badJob } from './errors';
import { discard, type JobResponse } from './response';
import { pathText } from './urls';

export type Deferral = 'never' | 'always' | 'auto';

/** X-Zerovm-Deferred: whether the answer is waited for, or becomes an object. */
export function readDeferral(ctx: SwiftContext): Deferral {
  const header = ctx.req.headers['x-zerovm-deferred'];
  if (header === undefined) return 'never';
  const text = String(header).toLowerCase();
  if (text === 'always' || text === 'auto') return text;
  if (text === 'never' || text === '') return 'never';
  throw badJob('X-Zerovm-Deferred must be never, always or auto');
}

/** The request as a job sees it that goes on when its client is gone. */
export function detached(ctx: SwiftContext): SwiftContext {
  const { transactionId, path, identity, adminOf, timestamp } = ctx.state;
  const { signal } = new AbortController();
  const state: RequestState = { transactionId, path, identity, adminOf, timestamp, signal, stop: signal };
  return Object.create(ctx, { state: { value: state } });
}

/** What `auto` waits longer than the setting says, as ZeroCloud did. */
const graceMs = 1000;

/**
 * Runs the job whatever becomes of its client. The answer is where the result will be, as soon as the job has all it
 * needs (`always`), or when it takes too long (`auto`); a job refused or, with `auto`, ended by then is answered as ever.
 */
export async function runDeferred(
  deferral: 'always' | 'auto',
  request: JobRequest,
  deps: Deps,
  run: (request: JobRequest, prepare: () => Promise<void>) => Promise<JobResponse>,
): Promise<JobResponse> {
  let target: ObjectPath | undefined;
  let timer: NodeJS.Timeout | undefined;
  const accepted = new Promise<void>((resolve) => {
    request.onAccepted = resolve;
  });
  const patience = new Promise<void>((resolve) => {
    if (deferral === 'always') resolve();
    else timer = setTimeout(resolve, deps.config.jobs.interactiveTimeoutS * 1000 + graceMs);
  });
  // An answer before the request's body is here would end it, and the job with it.
  const waiting = Promise.all([accepted, patience]).then(() => undefined);
  const prepare = async () => {
    target = await getTarget(request, deps);
    await request.payload?.load();
  };
  const running = run(request, prepare);
  const ended = await Promise.race([running, waiting]).finally(() => clearTimeout(timer));
  if (ended) return ended;
  // Nothing is accepted before `prepare` has found out.
  const path = target!;
  void keep(running, path, request, deps);
  const body = Buffer.from(`swift:/${pathText(path)}`);
  return { status: 200, headers: { 'Content-Type': 'text/plain' }, body, sizeBytes: body.length };
}

/** Where results go that no URL names. */
const defaultContainer = '.zvm';
const headersSuffix = '.headers';

/**
 * The object of the request's URL; a fresh one when it names none, or when it is something else: the object that is
 * opened, the path of an api request, a script's input.
 */
async function getTarget({ ctx, rights, execute, parsed }: JobRequest, deps: Deps): Promise<ObjectPath> {
  const { account, container, object } = ctx.state.path;
  const isResult =
    container !== undefined && object !== undefined && !isRestJob(execute) && parsed.ownObject === undefined;
  const path = isResult
    ? { account, container, object }
    : { account, container: defaultContainer, object: `job-${randomUUID()}` };
  const maxLength = deps.config.limits.maxObjectNameLength - headersSuffix.length;
  const length = findExcessiveLength(path.object, maxLength);
  if (length !== undefined) throw badJob(`Object name length of ${length} longer than ${maxLength}`);
  if (isResult) await rights.demandOwn(path, 'write');
  else await rights.demand(path, 'write');
  await demandRoom(path, 1, deps);
  return path;
}

/** 413 when quotas leave no room for a result of this size. Its container need not be there yet. */
async function demandRoom(path: ObjectPath, sizeBytes: number, { node }: Pick<Deps, 'node'>): Promise<void> {
  const [container, account] = await Promise.all([node.findContainer(path), node.findAccount(path.account)]);
  getUploadRoom(account, container ?? { metadata: {}, objectCount: 0, bytesUsed: 0 }, sizeBytes, sizeBytes);
}

/** Stores the answer when it is there; what fails is logged, for nobody waits. */
async function keep(
  running: Promise<JobResponse>,
  target: ObjectPath,
  { ctx: { state } }: JobRequest,
  { node, log }: Deps,
): Promise<void> {
  const { timestamp, transactionId } = state;
  const put = async (path: ObjectPath, body: AsyncIterable<Uint8Array>, contentType: string, sizeBytes: number) => {
    const options = { timestamp, contentType, metadata: {}, contentLength: sizeBytes, maxBytes: sizeBytes };
    await node.putObject(path, body, options);
  };
  try {
    const answer = await running.catch((error) => responseOf(error, transactionId, log));
    try {
      const refused = await demandRoom(target, answer.sizeBytes, { node }).catch((error) =>
        responseOf(error, transactionId, log),
      );
      const { status, headers, body, sizeBytes } = refused ?? answer;
      if (!(await node.findContainer(target))) await node.putContainer(target, { timestamp, metadata: {} });
      // The headers first, so that who finds the result finds them too.
      const head = Buffer.from(JSON.stringify({ Status: String(status), ...headers }));
      await put({ ...target, object: target.object + headersSuffix }, once(head), 'application/json', head.length);
      await put(target, Buffer.isBuffer(body) ? once(body) : body, String(headers['Content-Type']), sizeBytes);
    } finally {
      discard(answer.body);
    }
  } catch (err) {
    log.error({ txn: transactionId, result: pathText(target), err }, 'a deferred job has no result');
  }
}

async function* once(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** A refusal, or a failure of the server, as the answer it would have been. */
function responseOf(error: unknown, txn: string, log: Deps['log']): JobResponse {
  if (!(error instanceof HttpError)) log.error({ txn, err: error }, 'a deferred job failed');
  const answer = error instanceof HttpError ? error : new HttpError(500);
  const headers: Record<string, string> = {};
  for (const name in answer.headers) headers[headerName(name)] = answer.headers[name]!;
  const body = Buffer.from(answer.body);
  return { status: answer.status, headers, body, sizeBytes: body.length };
}
