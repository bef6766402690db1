import { isUtf8 } from 'node:buffer';
import { Readable } from 'node:stream';
import type { FairSlots } from '@zerocloud/object-server/fair-slots';
import type { Deps, SwiftContext } from '../context';
import { HttpError } from '../errors';
import { quoteBytes, quoteText } from '../http/percent';
import type { SubAnswer, Subrequests } from '../http/subrequest';
import { readWholeBody } from '../http/whole-body';
import { UploadBody } from '../objects/upload-body';
import { ArchiveError } from './archive-error';
import { type ArchiveType, archiveMembers, type Member } from './archive-members';
import { discardAnswer } from './discard-answer';
import { findFailure } from './failure';
import { withHeartbeat } from './heartbeat';
import { memberHeaders } from './member-headers';
import { type BulkError, type BulkFields, findReportType, renderReport, reportContentType, statusText } from './report';

const types: Record<string, ArchiveType> = { tar: 'tar', 'tar.gz': 'tar.gz', 'tar.bz2': 'tar.bz2' };

/** The type that a parameter names; Swift takes dots around it for nothing. */
export function findArchiveType(text: string): ArchiveType | undefined {
  return Object.hasOwn(types, text.toLowerCase()) ? types[text.toLowerCase()] : types[stripDots(text.toLowerCase())];
}

function stripDots(text: string): string {
  return text.replace(/^\.+|\.+$/g, '');
}

/**
 * Stores every file of the archive that is the request's body, while it comes, below the path of the request: the first
 * part of the whole name is the container, which is made if need be. Every file is a PUT of the caller, with his rights
 * and all that holds for one. The answer is 200, and its body says at the end what became of them
 * (`handle_extract_iter` of swift/common/middleware/bulk.py).
 */
export function extractArchive(
  ctx: SwiftContext,
  deps: Deps,
  subrequests: Subrequests,
  archive: ArchiveType,
  processes: FairSlots,
): void {
  const type = findReportType(ctx.req.headers.accept);
  ctx.status = 200;
  ctx.set('Content-Type', reportContentType(type));
  const first = type?.endsWith('/xml') ? '<?xml version="1.0" encoding="UTF-8"?>\n' : ' ';
  const extraction = new Extraction(ctx, deps, subrequests, processes);
  const work = async () => {
    const fields = type === undefined ? extraction.told(406, '') : await extraction.run(archive);
    return renderReport(type, fields, extraction.errors, 'extract');
  };
  const everyMs = deps.config.bulk.yieldFrequencyS * 1000;
  ctx.body = Readable.from(withHeartbeat(work(), { everyMs, first, separator: '\r\n\r\n' }), { objectMode: false });
}

/** Files up to this size are stored several at a time, so that they share the commits of the store. */
const smallBytes = 64 * 1024;
const width = 16;

interface Running {
  key: string;
  path: Buffer;
  container: string;
  noContainer: BulkError | undefined;
  answer: Promise<SubAnswer>;
}

async function collect(body: AsyncIterable<Uint8Array>): Promise<Buffer | undefined> {
  try {
    return await readWholeBody(body);
  } catch {
    return undefined;
  }
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

class Extraction {
  readonly errors: BulkError[] = [];
  #createdCount = 0;
  #containersCreated = 0;
  /** Containers that are known to be there, or not to be had. */
  readonly #containers = new Set<string>();
  #isServerError = false;
  readonly #maxPathBytes: number;
  readonly #running: Running[] = [];

  constructor(
    private readonly ctx: SwiftContext,
    private readonly deps: Deps,
    private readonly subrequests: Subrequests,
    private readonly processes: FairSlots,
  ) {
    const { maxObjectNameLength, maxContainerNameLength } = deps.config.limits;
    this.#maxPathBytes = maxObjectNameLength + maxContainerNameLength + 2;
  }

  async run(type: ArchiveType): Promise<BulkFields> {
    if (type !== 'tar.bz2') return this.#run(type);
    const { identity, signal } = this.ctx.state;
    const user = identity?.user ?? '';
    try {
      await this.processes.acquire(user, signal);
    } catch (error) {
      return this.#toldOf(error);
    }
    try {
      return await this.#run(type);
    } finally {
      this.processes.release(user);
    }
  }

  async #run(type: ArchiveType): Promise<BulkFields> {
    const { ctx, deps } = this;
    try {
      const { headers } = ctx.req;
      if (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined) {
        throw new HttpError(411, '');
      }
      for await (const member of archiveMembers(new UploadBody(ctx.req, deps.config.timeouts), type)) {
        ctx.state.signal.throwIfAborted();
        await this.#store(member);
        if (this.errors.length >= deps.config.bulk.maxFailedExtractions) break;
      }
      await this.#settle(0);
      if (this.errors.length > 0) return this.told(this.#isServerError ? 502 : 400, '');
      return this.#createdCount > 0 ? this.told(201, '') : this.told(400, 'Invalid Tar File: No Valid Files');
    } catch (error) {
      return this.#toldOf(error);
    } finally {
      // What is under way ends before anything is answered.
      await Promise.allSettled(this.#running.map(({ answer }) => answer));
    }
  }

  told(status: number, body: string): BulkFields {
    return {
      'Response Status': statusText(status),
      'Response Body': body,
      'Number Files Created': this.#createdCount,
    };
  }

  #toldOf(error: unknown): BulkFields {
    const failure = findFailure(error);
    if (failure) return this.told(failure.status, failure.sentence);
    if (error instanceof ArchiveError) return this.told(400, `Invalid Tar File: ${error.message}`);
    const { ctx, deps } = this;
    if (!ctx.state.signal.aborted) deps.log.error({ txn: ctx.state.transactionId, err: error }, 'an extraction failed');
    return this.told(500, '');
  }

  async #store({ name, sizeBytes, pax, body }: Member): Promise<void> {
    const path = this.#pathOf(name);
    const slash = path.indexOf('/');
    // Files beside the containers are passed over.
    if (slash < 0) return;
    const refusal = !isUtf8(path) || path.includes(0) ? 412 : sizeBytes > this.deps.config.limits.maxFileSize ? 413 : 0;
    if (refusal) {
      await this.#settle(0);
      return this.#fail(path, refusal);
    }
    const container = path.subarray(0, slash).toString();
    const noContainer = this.#containers.has(container) ? undefined : await this.#ensureContainer(container);
    const key = path.toString();
    // Of two files of one name the later one stays.
    if (this.#running.some((each) => each.key === key)) await this.#settle(0);
    const isSmall = sizeBytes <= smallBytes;
    const bytes = isSmall ? await collect(body) : undefined;
    // The archive broke off, and says so next.
    if (isSmall && !bytes) return;
    const answer = this.subrequests.send(this.ctx, {
      method: 'PUT',
      url: `${this.#accountUrl()}/${quoteBytes(path)}`,
      headers: memberHeaders(this.ctx.req.headers, sizeBytes, pax),
      body: bytes ? once(bytes) : body,
    });
    answer.catch(() => undefined);
    this.#running.push({ key, path, container, noContainer, answer });
    // The first file of a container tells whether it can be written to; a large one is read from the archive itself.
    await this.#settle(isSmall && this.#containers.has(container) ? width - 1 : 0);
  }

  /** Notes the oldest outcomes until no more than `count` are still to come. */
  async #settle(count: number): Promise<void> {
    while (this.#running.length > count) {
      const { path, container, noContainer, answer: sent } = this.#running.shift()!;
      const answer = await sent;
      discardAnswer(answer);
      this.#containers.add(container);
      const { status } = answer;
      if (status < 300) {
        this.#createdCount++;
        continue;
      }
      if (noContainer) this.errors.push(noContainer);
      this.#isServerError ||= status >= 500;
      this.#fail(path, status);
      if (status === 401) throw new HttpError(401, '');
    }
  }

  /** The whole name below the account. */
  #pathOf(name: Buffer): Buffer {
    const { container, object } = this.ctx.state.path;
    const base = [container, object].filter((part) => part !== undefined).join('/');
    const text = name.toString('latin1').replace(/^\.\//, '').replace(/^\/+/, '');
    const prefix = Buffer.from(base).toString('latin1').replace(/\/+$/, '');
    return Buffer.from(prefix === '' ? text : `${prefix}/${text}`, 'latin1');
  }

  /** Makes the container unless it is there. What is wrong with it, if it may be there for others' rights. */
  async #ensureContainer(container: string): Promise<BulkError | undefined> {
    const url = `${this.#accountUrl()}/${quoteText(container)}`;
    const head = await this.subrequests.send(this.ctx, { method: 'HEAD', url });
    let { status } = head;
    if (status === 404) {
      const created = await this.subrequests.send(this.ctx, { method: 'PUT', url });
      discardAnswer(created);
      ({ status } = created);
      if (status < 300) this.#containersCreated++;
    }
    const max = this.deps.config.bulk.maxContainersPerExtraction;
    if (this.#containersCreated > max) throw new HttpError(400, `More than ${max} containers to create from tar.`);
    if (status === 401) throw new HttpError(401, '');
    if (status < 300) return undefined;
    const { version, account } = this.ctx.state.path;
    return [quoteText(`/${version}/${account}/${container}`.slice(0, this.#maxPathBytes)), statusText(status)];
  }

  #accountUrl(): string {
    const { version, account } = this.ctx.state.path;
    return `/${version}/${quoteText(account)}`;
  }

  #fail(path: Buffer, status: number): void {
    this.errors.push([quoteBytes(path.subarray(0, this.#maxPathBytes)), statusText(status)]);
  }
}
