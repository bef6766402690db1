import { mkdir, rename, rm, stat, unlink } from 'node:fs/promises';
import path from 'node:path';
import type { DaemonLimits, KeptDaemon, Output, Session, SessionCopy, SessionResult } from '../session';
import type { StopSignal } from '../stop-signal';
import { copyChannelName, makingSession } from './making-session';

/**
 * Copies of applications: an interpreter with an application's modules imported, made by a session of its own in an executor
 * of the tenant, kept as a file, and started from by the tenant's later sessions of the same application. What a copy holds
 * depends on the application only, for the session that makes it has no input but the mounted images. A copy is never given
 * to another tenant, and goes when its application has changed, when it was not used for a while, or when others need the room.
 */

export interface DaemonsOptions {
  /** Where the files lie, on the file system of the executors' slots. */
  directory: string;
  limits: DaemonLimits;
  /** Runs a session that makes a copy. */
  run(session: Session, signal: AbortSignal): Promise<SessionResult>;
  /** Milliseconds since the epoch. */
  now?: () => number;
  log?: (event: Record<string, unknown>, message: string) => void;
}

/** What a session has of its application's copy: the copy, to be released once at its end, or why there is none. */
export type Acquired = { copy: SessionCopy; release(): void } | { problem: string };

interface Entry {
  readonly tenant: string;
  readonly name: string;
  readonly place: string;
  readonly key: string;
  readonly modules: string[];
  readonly madeMs: number;
  lastUsedMs: number;
  sessionCount: number;
  /** Sessions that wait for the copy, or are about to start from it. */
  users: number;
  /** Ends the making when nobody waits for it any more. */
  readonly stop: AbortController;
  /** Resolves with why there is no copy, if so. */
  made: Promise<string | undefined>;
  isBeingMade: boolean;
  /** Present once the copy is there. */
  file?: string;
  sizeBytes: number;
  /** No longer to be found; its file goes with its last user. */
  isDropped: boolean;
  /** It could not be made, and is not tried again before this time. */
  failedUntilMs?: number;
}

/** Milliseconds for which a copy that could not be made is not tried again. */
const retryMs = 60_000;

const maxReasonLength = 200;

export class Daemons {
  /** By tenant and name, the least recently used first. */
  private readonly entries = new Map<string, Entry>();
  private readonly now: () => number;
  private readonly timer: NodeJS.Timeout;
  private nextId = 0;
  private closed = false;

  constructor(private readonly options: DaemonsOptions) {
    this.now = options.now ?? Date.now;
    this.timer = setInterval(() => this.dropIdle(), Math.min(options.limits.idleMs / 2, 30_000)).unref();
  }

  /** The copy for a session, made now if there is none. Rejects with the signal's reason only. */
  async acquire(session: Session, signal?: StopSignal): Promise<Acquired> {
    if (this.options.limits.perTenant === 0 || this.closed) return { problem: 'no daemon: they are switched off' };
    const entry = this.findEntry(session) ?? this.begin(session);
    entry.users++;
    let problem: string | undefined;
    try {
      problem = await (signal ? unlessAborted(entry.made, signal) : entry.made);
    } catch (error) {
      this.release(entry);
      throw error;
    }
    const { file, sizeBytes } = entry;
    if (file === undefined) {
      this.release(entry);
      return { problem: problem ?? 'no daemon: the copy is gone' };
    }
    entry.lastUsedMs = this.now();
    entry.sessionCount++;
    this.touch(entry);
    const id = `daemon:${path.basename(file)}`;
    return {
      copy: { kind: 'start', id, source: { kind: 'file', path: file, sizeBytes } },
      release: () => this.release(entry),
    };
  }

  /** Forgets the copy of a session, which could not be used. */
  discard({ tenant, daemon }: Session): void {
    const entry = daemon && this.entries.get(keyOf(tenant, daemon.name));
    if (entry) this.drop(entry, 'damaged');
  }

  /** The tenant's copies, the last used first. */
  list(tenant: string): KeptDaemon[] {
    const own = [...this.entries.values()].filter((entry) => entry.tenant === tenant && entry.file !== undefined);
    return own.reverse().map(({ name, place, modules, sizeBytes, madeMs, lastUsedMs, sessionCount }) => {
      return { name, place, modules, sizeBytes, madeMs, lastUsedMs, sessionCount };
    });
  }

  /** Drops what was not used for too long. Runs by itself from time to time. */
  dropIdle(): void {
    const now = this.now();
    for (const entry of this.entries.values()) {
      if (entry.users > 0) continue;
      if (entry.lastUsedMs + this.options.limits.idleMs <= now) this.drop(entry, 'idle');
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    clearInterval(this.timer);
    const all = [...this.entries.values()];
    for (const entry of all) {
      entry.stop.abort(new Error('the sandbox is closed'));
      this.drop(entry, 'closed');
    }
    await Promise.all(all.map(({ made }) => made));
    await rm(this.options.directory, { recursive: true, force: true });
  }

  /** What is known of the application as it is now; an earlier state of it is forgotten. */
  private findEntry({ tenant, daemon }: Session): Entry | undefined {
    const entry = this.entries.get(keyOf(tenant, daemon!.name));
    if (!entry) return undefined;
    const isCurrent = entry.key === daemon!.key && !entry.stop.signal.aborted;
    if (isCurrent && (entry.failedUntilMs ?? Infinity) > this.now()) return entry;
    this.drop(entry, 'changed');
    return undefined;
  }

  private begin(session: Session): Entry {
    const { tenant, daemon } = session;
    const { name, place, key, modules } = daemon!;
    const now = this.now();
    const entry: Entry = {
      tenant,
      name,
      place,
      key,
      modules,
      madeMs: now,
      lastUsedMs: now,
      sessionCount: 0,
      users: 0,
      stop: new AbortController(),
      made: Promise.resolve(undefined),
      isBeingMade: true,
      sizeBytes: 0,
      isDropped: false,
    };
    this.entries.set(keyOf(tenant, name), entry);
    this.makeRoom(entry);
    entry.made = this.make(entry, session)
      .catch((error) => this.fail(entry, reasonOf(error)))
      .finally(() => {
        entry.isBeingMade = false;
      });
    return entry;
  }

  /** Makes the copy; resolves with why there is none, if so. */
  private async make(entry: Entry, session: Session): Promise<string | undefined> {
    const { directory, limits, run, log } = this.options;
    const startedAt = performance.now();
    const maxBytes = Math.min(limits.tenantBytes, limits.totalBytes);
    const { report, outputs } = await run(makingSession(session, maxBytes), entry.stop.signal);
    const output = outputs.find(({ name }) => name === copyChannelName);
    if (report.code !== 0 || report.exitCode !== 0 || output?.body.kind !== 'file') {
      if (output?.body.kind === 'file') await unlink(output.body.path);
      return this.fail(entry, report.code !== 0 ? report.state : lastLine(outputs));
    }
    const claimed = output.body.path;
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      // Holes take no room.
      entry.sizeBytes = (await stat(claimed)).blocks * 512;
      if (entry.sizeBytes > maxBytes) {
        await unlink(claimed);
        return this.fail(entry, `the copy has ${entry.sizeBytes} bytes`);
      }
      const file = path.join(directory, String(this.nextId++));
      await rename(claimed, file);
      entry.file = file;
    } catch (error) {
      await unlink(claimed).catch(() => undefined);
      throw error;
    }
    if (entry.isDropped) this.removeIfUnused(entry);
    else this.makeRoom(entry);
    const elapsedMs = Math.round(performance.now() - startedAt);
    const { tenant, name, sizeBytes } = entry;
    log?.({ tenant, name, sizeBytes, elapsedMs }, 'a copy of an application was made');
    return undefined;
  }

  private fail(entry: Entry, reason: string): string {
    entry.failedUntilMs = this.now() + retryMs;
    entry.sizeBytes = 0;
    const problem = `no daemon: ${reason}`.slice(0, maxReasonLength);
    this.options.log?.({ tenant: entry.tenant, name: entry.name, problem }, 'a copy of an application was not made');
    return problem;
  }

  /** Drops the copies that were not used for the longest time until those that stay, the newest among them, fit the limits. */
  private makeRoom(newest: Entry): void {
    const { perTenant, tenantBytes, totalBytes } = this.options.limits;
    let count = 0;
    let ownBytes = 0;
    let allBytes = 0;
    for (const { tenant, sizeBytes } of this.entries.values()) {
      allBytes += sizeBytes;
      if (tenant !== newest.tenant) continue;
      count++;
      ownBytes += sizeBytes;
    }
    for (const entry of this.entries.values()) {
      if (entry === newest) continue;
      const isOwn = entry.tenant === newest.tenant;
      if (allBytes <= totalBytes && !(isOwn && (count > perTenant || ownBytes > tenantBytes))) continue;
      allBytes -= entry.sizeBytes;
      if (isOwn) {
        count--;
        ownBytes -= entry.sizeBytes;
      }
      this.drop(entry, 'no room');
    }
  }

  private drop(entry: Entry, reason: string): void {
    if (entry.isDropped) return;
    entry.isDropped = true;
    const key = keyOf(entry.tenant, entry.name);
    if (this.entries.get(key) === entry) this.entries.delete(key);
    this.removeIfUnused(entry);
    const { tenant, name, sessionCount } = entry;
    this.options.log?.({ tenant, name, sessionCount, reason }, 'a copy of an application was dropped');
  }

  private release(entry: Entry): void {
    entry.users--;
    if (entry.users === 0 && entry.isBeingMade) entry.stop.abort(new Error('nobody waits for the copy'));
    this.removeIfUnused(entry);
  }

  private removeIfUnused(entry: Entry): void {
    if (!entry.isDropped || entry.users > 0 || entry.file === undefined) return;
    const { file } = entry;
    entry.file = undefined;
    unlink(file).catch(() => undefined);
  }

  /** Puts it behind those that were used before. */
  private touch(entry: Entry): void {
    if (entry.isDropped) return;
    const key = keyOf(entry.tenant, entry.name);
    this.entries.delete(key);
    this.entries.set(key, entry);
  }
}

function lastLine(outputs: readonly Output[]): string {
  const stderr = outputs.find(({ name }) => name === '/dev/stderr');
  if (stderr?.body.kind !== 'bytes') return 'the import failed';
  const text = Buffer.from(stderr.body.data).toString('utf8').trimEnd();
  return text.slice(text.lastIndexOf('\n') + 1) || 'the import failed';
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function keyOf(tenant: string, name: string): string {
  return `${tenant}\0${name}`;
}

function unlessAborted<T>(promise: Promise<T>, signal: StopSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(
      (value) => {
        signal.removeEventListener('abort', abort);
        resolve(value);
      },
      (error) => {
        signal.removeEventListener('abort', abort);
        reject(error);
      },
    );
  });
}
