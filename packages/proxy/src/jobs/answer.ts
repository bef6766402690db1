import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { headerName } from '../http/header-text';
import { headerText } from './errors';
import type { NodeOutcome, ReturnedOutput } from './outcome';
import type { JobResponse } from './response';
import { returnedContentType } from './session';
import { Spool, type Spooled } from './spool';

/** Bytes and streams of returned outputs held until the response starts; more go to a temporary file. */
const maxHeldBytes = 8 * 1024 * 1024;
const maxHeldStreams = 32;
/** Bytes of headers that all programs of a job may set together. */
const maxProgramHeaderBytes = 64 * 1024;

type Part = Omit<ReturnedOutput, 'body'> & { body: Buffer | Readable | Spooled };

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
  #programHeaderBytes = 0;

  constructor(nodeCount: number) {
    this.#outcomes = new Array(nodeCount);
    this.#parts = new Array(nodeCount);
  }

  /** Takes the outcome of the node at `index`. What it waits for is the spool. */
  add(outcome: NodeOutcome, index: number, holdsStreams = true): void | Promise<void> {
    const returned = outcome.returned?.headers ? this.#withinHeaderLimit(outcome) : outcome.returned;
    this.#outcomes[index] = { ...outcome, returned: undefined };
    if (!returned) return;
    if (this.#hold(returned.body, holdsStreams)) {
      this.#parts[index] = returned;
      return;
    }
    return this.#spool.append(returned.body).then((body) => {
      this.#parts[index] = { ...returned, body };
    });
  }

  /**
   * Takes the outcomes of nodes that ran together, `indexes` being theirs. Their streams may share one connection, on which a
   * later one comes only when those before it were read: either all are held or all are spooled, one after the other.
   */
  async addGroup(outcomes: readonly NodeOutcome[], indexes: readonly number[]): Promise<void> {
    const isStream = ({ returned }: NodeOutcome) => returned !== undefined && !Buffer.isBuffer(returned.body);
    const streams = outcomes.filter(isStream).length;
    const holdsStreams = this.#heldStreams + streams <= maxHeldStreams;
    let at = 0;
    try {
      for (; at < outcomes.length; at++) await this.add(outcomes[at]!, indexes[at]!, holdsStreams);
    } catch (error) {
      for (const { returned } of outcomes.slice(at)) if (returned?.body instanceof Readable) returned.body.destroy();
      throw error;
    }
  }

  /** The output without its headers, and its node in error, when the programs before it set too many. */
  #withinHeaderLimit(outcome: NodeOutcome): ReturnedOutput {
    const returned = outcome.returned!;
    for (const [name, value] of returned.headers!) this.#programHeaderBytes += name.length + value.length;
    if (this.#programHeaderBytes <= maxProgramHeaderBytes) return returned;
    outcome.status = Math.max(outcome.status, 500);
    outcome.error = `Headers of all nodes longer than ${maxProgramHeaderBytes}`;
    return { ...returned, headers: undefined };
  }

  #hold(body: Buffer | Readable, holdsStreams: boolean): boolean {
    if (Buffer.isBuffer(body)) {
      if (this.#heldBytes + body.length > maxHeldBytes) return false;
      this.#heldBytes += body.length;
      return true;
    }
    return holdsStreams && ++this.#heldStreams <= maxHeldStreams;
  }

  /** What was gathered, as a response. `seconds` is the time of the whole job. */
  finish(seconds: number, nowMs: number): JobResponse {
    const outcomes = this.#outcomes as NodeOutcome[];
    const parts = this.#parts.filter((part) => part !== undefined);
    const status = outcomes.reduce((highest, { status }) => Math.max(highest, status), 200);
    const headers = nodeHeaders(outcomes, seconds);
    // Another one every time, so that nobody takes one answer for another; it says nothing about the body.
    headers.Etag = randomUUID().replaceAll('-', '');
    headers['X-Timestamp'] = (nowMs / 1000).toFixed(5);
    for (const part of parts) if (part.headers) addProgramHeaders(headers, part.headers);
    const device = parts.findLast((part) => part.device !== undefined)?.device;
    if (device) headers['X-Zerovm-Device'] = device;
    const first = parts.find(({ sizeBytes }) => sizeBytes > 0) ?? parts[0];
    headers['Content-Type'] = headerText(first?.contentType ?? returnedContentType);
    const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
    return { status, headers, body: this.#body(parts), sizeBytes };
  }

  /** Lets go of everything when there will be no answer. */
  discard(): void {
    for (const part of this.#parts) destroy(part);
    this.#closeSpool();
  }

  #body(parts: Part[]): Buffer | Readable {
    const buffers = parts.flatMap(({ body }) => (Buffer.isBuffer(body) ? [body] : []));
    if (buffers.length === parts.length) {
      this.#closeSpool();
      return buffers.length === 1 ? buffers[0]! : Buffer.concat(buffers);
    }
    const stream = Readable.from(this.#chunks(parts), { objectMode: false });
    stream.once('close', () => this.discard());
    return stream;
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

/** A node that was asked for several times has as many items, one beside the other. */
function replicated(outcomes: NodeOutcome[]): NodeOutcome[] {
  if (!outcomes.some(({ node }) => node.group.replicate > 1)) return outcomes;
  return outcomes.flatMap((outcome) => new Array<NodeOutcome>(Math.max(1, outcome.node.group.replicate)).fill(outcome));
}

function nodeHeaders(nodes: NodeOutcome[], seconds: number): JobResponse['headers'] {
  const outcomes = replicated(nodes);
  const join = (item: (outcome: NodeOutcome) => string | number) => outcomes.map(item).join(',');
  const joinPresent = (item: (outcome: NodeOutcome) => string | undefined) =>
    outcomes.flatMap((outcome) => item(outcome) ?? []).join(',');
  const headers: JobResponse['headers'] = {
    'X-Nexe-System': headerText(join(({ node }) => node.name)),
    'X-Nexe-Status': headerText(join(({ state }) => state)),
    'X-Nexe-Retcode': join(({ exitCode }) => exitCode),
    'X-Nexe-Etag': headerText(join(({ etag }) => etag)),
    'X-Nexe-Validation': join(({ validation }) => validation),
    'X-Nexe-Cdr-Line': `${seconds.toFixed(3)}, ${join(({ cdr }) => cdr)}`,
    'X-Nexe-Policy': join(({ policy }) => policy ?? ''),
    'X-Nexe-Colocated': colocated(outcomes),
  };
  if (outcomes.some(({ isCached }) => isCached)) headers['X-Nexe-Cached'] = 'true';
  const error = joinPresent((outcome) => outcome.error);
  if (error) headers['X-Nexe-Error'] = headerText(error);
  const detail = joinPresent((outcome) => outcome.detail);
  if (detail) headers['X-Nexe-Detail'] = headerText(detail);
  return headers;
}

/** What a program cannot say: the server's own words, how the bytes travel, and the one name that is no key of an object. */
const serversOwn =
  /^(?:x-nexe-|mtime$|content-type$|x-zerovm-device$|x-chain-total-time$|x-trans-id$|x-openstack-request-id$|connection$|keep-alive$|proxy-|te$|trailer$|transfer-encoding$|upgrade$|date$|__proto__$)/;

/** Headers of one node's message; they replace those of the nodes before. */
function addProgramHeaders(headers: JobResponse['headers'], own: [name: string, value: string][]): void {
  const replaced = new Set<string>();
  for (const [name, value] of own) {
    if (serversOwn.test(name)) continue;
    const printed = headerName(name);
    const before = replaced.has(name) ? headers[printed] : undefined;
    headers[printed] = before === undefined ? value : [...(typeof before === 'string' ? [before] : before), value];
    replaced.add(name);
  }
}

/** Where all nodes run. */
const serverName = 'here';

/** Nodes placed together by `location` show the same digest; there is one server, so all of them do. */
function colocated(outcomes: NodeOutcome[]): string {
  if (!outcomes.some(({ node }) => node.group.location)) return outcomes.map(() => '0').join(',');
  const digest = createHmac('sha1', randomBytes(16)).update(serverName).digest('hex');
  return outcomes.map(({ node }) => (node.group.location ? digest : '0')).join(',');
}
