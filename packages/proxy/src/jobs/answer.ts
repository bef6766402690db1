import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { SwiftContext } from '../context';
import { headerText } from './errors';
import type { NodeOutcome, ReturnedOutput } from './outcome';
import { returnedContentType } from './session';
import { Spool, type Spooled } from './spool';

/** Bytes and streams of returned outputs held until the response starts; more go to a temporary file. */
const maxHeldBytes = 8 * 1024 * 1024;
const maxHeldStreams = 32;

type Part = Omit<ReturnedOutput, 'body'> & { body: Buffer | Readable | Spooled };

/** Storage policy of the only kind of storage there is. */
const policy = 'Policy-0';

/**
 * Gathers the outcomes of a job's nodes and answers with them: the highest status, one item per node in the `X-Nexe-*`
 * headers, the returned outputs one after the other in node order.
 */
export class Answer {
  readonly #outcomes: (NodeOutcome | undefined)[];
  readonly #parts: (Part | undefined)[];
  readonly #spool = new Spool();
  #heldBytes = 0;
  #heldStreams = 0;

  constructor(nodeCount: number) {
    this.#outcomes = new Array(nodeCount);
    this.#parts = new Array(nodeCount);
  }

  /** Takes the outcome of the node at `index`. What it waits for is the spool. */
  add(outcome: NodeOutcome, index: number): void | Promise<void> {
    const { returned } = outcome;
    this.#outcomes[index] = { ...outcome, returned: undefined };
    if (!returned) return;
    if (this.#hold(returned.body)) {
      this.#parts[index] = returned;
      return;
    }
    return this.#spool.append(returned.body).then((body) => {
      this.#parts[index] = { ...returned, body };
    });
  }

  #hold(body: Buffer | Readable): boolean {
    if (Buffer.isBuffer(body)) {
      if (this.#heldBytes + body.length > maxHeldBytes) return false;
      this.#heldBytes += body.length;
      return true;
    }
    return ++this.#heldStreams <= maxHeldStreams;
  }

  /** Sends what was gathered. `seconds` is the time of the whole job. */
  respond(ctx: SwiftContext, seconds: number, nowMs: number): void {
    const outcomes = this.#outcomes as NodeOutcome[];
    const parts = this.#parts.filter((part) => part !== undefined);
    ctx.status = outcomes.reduce((highest, { status }) => Math.max(highest, status), 200);
    setNodeHeaders(ctx.res, outcomes, seconds);
    const { res } = ctx;
    // Another one every time, so that nobody takes one answer for another; it says nothing about the body.
    res.setHeader('Etag', randomUUID().replaceAll('-', ''));
    res.setHeader('X-Timestamp', (nowMs / 1000).toFixed(5));
    const device = parts.findLast((part) => part.device !== undefined)?.device;
    if (device) res.setHeader('X-Zerovm-Device', device);
    const first = parts.find(({ sizeBytes }) => sizeBytes > 0) ?? parts[0];
    res.setHeader('Content-Type', headerText(first?.contentType ?? returnedContentType));
    this.#setBody(ctx, parts);
  }

  /** Lets go of everything when there will be no answer. */
  discard(): void {
    for (const part of this.#parts) destroy(part);
    this.#closeSpool();
  }

  #setBody(ctx: SwiftContext, parts: Part[]): void {
    const buffers = parts.flatMap(({ body }) => (Buffer.isBuffer(body) ? [body] : []));
    if (buffers.length === parts.length) {
      ctx.body = buffers.length === 1 ? buffers[0]! : Buffer.concat(buffers);
      this.#closeSpool();
      return;
    }
    const stream = Readable.from(this.#chunks(parts), { objectMode: false });
    stream.once('close', () => this.discard());
    ctx.body = stream;
    ctx.length = parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  async *#chunks(parts: Part[]): AsyncGenerator<Buffer> {
    for (const { body } of parts) {
      if (Buffer.isBuffer(body)) yield body;
      else if (body instanceof Readable) yield* body;
      else yield* this.#spool.read(body);
    }
  }

  #closeSpool(): void {
    // Its name is gone already; a file that cannot be closed ends with the process.
    this.#spool.close().catch(() => {});
  }
}

function destroy(part: Part | undefined): void {
  if (part?.body instanceof Readable) part.body.destroy();
}

function setNodeHeaders(res: ServerResponse, outcomes: NodeOutcome[], seconds: number): void {
  const join = (item: (outcome: NodeOutcome) => string | number) => outcomes.map(item).join(',');
  const joinPresent = (item: (outcome: NodeOutcome) => string | undefined) =>
    outcomes.flatMap((outcome) => item(outcome) ?? []).join(',');
  res.setHeader('X-Nexe-System', headerText(join(({ node }) => node.name)));
  res.setHeader('X-Nexe-Status', headerText(join(({ state }) => state)));
  res.setHeader(
    'X-Nexe-Retcode',
    join(({ exitCode }) => exitCode),
  );
  res.setHeader('X-Nexe-Etag', headerText(join(({ etag }) => etag)));
  res.setHeader(
    'X-Nexe-Validation',
    join(({ validation }) => validation),
  );
  res.setHeader('X-Nexe-Cdr-Line', `${seconds.toFixed(3)}, ${join(cdrLine)}`);
  res.setHeader(
    'X-Nexe-Policy',
    join(() => policy),
  );
  res.setHeader('X-Nexe-Colocated', colocated(outcomes));
  const error = joinPresent((outcome) => outcome.error);
  if (error) res.setHeader('X-Nexe-Error', headerText(error));
  const detail = joinPresent((outcome) => outcome.detail);
  if (detail) res.setHeader('X-Nexe-Detail', headerText(detail));
}

/** A node's own time and accounting line, as in X-Nexe-Cdr-Line and in the log. */
export function cdrLine({ seconds, accounting }: NodeOutcome): string {
  return `${seconds.toFixed(3)}, ${accounting}`;
}

/** Nodes placed together by `location` show the same digest; there is one server, so all of them do. */
function colocated(outcomes: NodeOutcome[]): string {
  if (!outcomes.some(({ node }) => node.group.location)) return outcomes.map(() => '0').join(',');
  const digest = createHmac('sha1', randomBytes(16)).update(policy).digest('hex');
  return outcomes.map(({ node }) => (node.group.location ? digest : '0')).join(',');
}
