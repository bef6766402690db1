import path from 'node:path';
import { SandboxError } from '../errors';
import type { Jail } from '../jail/jail';
import { dispatchWindow, restAfterMs, spareExecutors } from '../limits';
import type { SandboxOptions, Session, SessionResult } from '../session';
import type { StopSignal } from '../stop-signal';
import { type ExecutorEvents, ExecutorProcess, findCacheKey } from './executor-process';
import type { ExecutorSetup } from './protocol';
import { ShortWait } from './short-wait';
import { Slot } from './slot';

/** Starts in a row that may fail before waiting sessions are told. */
const maxFailedStarts = 6;

/** Milliseconds before another start after one that failed; doubled by each further one. */
const firstBackoffMs = 50;

/**
 * Executors that a session is given to in place of one that died before it began it. Several may be dying when nobody has heard
 * of it yet; more than a few have a reason that the next ones share.
 */
const maxHandovers = 3;

interface WaitingSession {
  session: Session;
  signal: StopSignal | undefined;
  resolve(result: SessionResult): void;
  reject(error: unknown): void;
  /** Stops listening for an abort. */
  unlisten(): void;
}

/**
 * The executor processes and who gets the next one. A process belongs to one tenant from its first session on; beyond
 * the sessions that may run at once a few fresh ones are kept, so that another tenant's session finds one ready. Idle
 * processes of tenants stay (their programs are compiled) until room is needed.
 */
export class ExecutorPool {
  private readonly executors = new Set<ExecutorProcess>();
  private waiting: WaitingSession[] = [];
  private runningCount = 0;
  private nextSession = 1;
  private nextSlot = 0;
  private failedStarts = 0;
  /** Set while a start has failed and the next one is not due. */
  private backoff: NodeJS.Timeout | undefined;
  private closed = false;
  private readonly restTimer = setInterval(() => {
    for (const executor of this.executors) executor.restIfUnused(performance.now());
  }, restAfterMs / 4).unref();
  private readonly shortWait = new ShortWait();
  /** How often a session was given to another executor, because its own had died before. */
  private readonly handovers = new WeakMap<Session, number>();
  private readonly spares: number;
  private firstReady!: { resolve(): void; reject(error: unknown): void };
  /** Resolves with the first executor that is ready; rejects if none can be started. */
  readonly ready: Promise<void>;

  constructor(
    private readonly options: Pick<SandboxOptions, 'workDir' | 'maxSessions' | 'log'>,
    private readonly setup: ExecutorSetup,
    private readonly jail: Jail,
  ) {
    this.spares = Math.min(spareExecutors, options.maxSessions);
    this.ready = new Promise((resolve, reject) => {
      this.firstReady = { resolve, reject };
    });
    this.refill();
  }

  load(): { running: number; waiting: number } {
    return { running: this.runningCount, waiting: this.waiting.length };
  }

  run(session: Session, signal?: StopSignal): Promise<SessionResult> {
    if (this.closed) return Promise.reject(new SandboxError('closed', 'the sandbox is closed'));
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.waiting.length === 0 && this.runningCount < this.options.maxSessions) {
      const executor = this.findExecutor(session);
      if (executor) return this.start(executor, session, signal);
    }
    return this.enqueue(session, signal);
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.backoff);
    clearInterval(this.restTimer);
    const error = new SandboxError('closed', 'the sandbox is closed');
    this.firstReady.reject(error);
    this.rejectWaiting(error);
    await Promise.all([...this.executors].map((executor) => executor.close()));
  }

  private enqueue(session: Session, signal: StopSignal | undefined): Promise<SessionResult> {
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.waiting.splice(this.waiting.indexOf(entry), 1);
        reject(signal!.reason);
      };
      const unlisten = () => signal?.removeEventListener('abort', abort);
      const entry: WaitingSession = { session, signal, resolve, reject, unlisten };
      this.waiting.push(entry);
      signal?.addEventListener('abort', abort, { once: true });
      this.refill();
    });
  }

  private async start(executor: ExecutorProcess, session: Session, signal?: StopSignal): Promise<SessionResult> {
    const fresh = executor.tenant === undefined;
    executor.tenant = session.tenant;
    const isAlone = ++this.runningCount === 1;
    const running = executor.run(this.nextSession++, session, signal);
    if (isAlone) this.shortWait.begin();
    else this.shortWait.stop();
    if (fresh) {
      this.options.log?.({ pid: executor.pid, tenant: session.tenant }, 'an executor process was given to a tenant');
      setImmediate(() => this.refill());
    }
    let result: SessionResult;
    try {
      result = await running;
    } finally {
      this.runningCount--;
      if (isAlone) this.shortWait.end();
      this.dispatch();
    }
    return executor.unbegun === session ? this.handOver(session, result, signal) : result;
  }

  /** The result of another executor, for the session's own never began it; `result` is that one's. */
  private handOver(
    session: Session,
    result: SessionResult,
    signal?: StopSignal,
  ): Promise<SessionResult> | SessionResult {
    const count = (this.handovers.get(session) ?? 0) + 1;
    if (count > maxHandovers) return result;
    this.handovers.set(session, count);
    return this.run(session, signal);
  }

  /** Gives idle executors to waiting sessions, the longest waiting first. */
  private dispatch(): void {
    for (let i = 0; i < Math.min(this.waiting.length, dispatchWindow); ) {
      if (this.runningCount >= this.options.maxSessions) return;
      const { session, signal, resolve, reject, unlisten } = this.waiting[i]!;
      const executor = this.findExecutor(session);
      if (executor) {
        this.waiting.splice(i, 1);
        unlisten();
        this.start(executor, session, signal).then(resolve, reject);
      } else {
        i++;
      }
    }
    if (this.waiting.length > 0) this.refill();
  }

  /** The best idle executor: the tenant's own with the program compiled, the tenant's own, an unassigned one. */
  private findExecutor(session: Session): ExecutorProcess | undefined {
    const { tenant } = session;
    const key = findCacheKey(session);
    let own: ExecutorProcess | undefined;
    let fresh: ExecutorProcess | undefined;
    for (const executor of this.executors) {
      if (executor.state !== 'idle') continue;
      if (executor.tenant === tenant) {
        if (key === undefined || executor.programs.has(key)) return executor;
        own ??= executor;
      } else if (executor.tenant === undefined) {
        fresh ??= executor;
      }
    }
    return own ?? fresh;
  }

  /** Starts executors until there are as many fresh ones as spares and waiting sessions ask for. */
  private refill(): void {
    if (this.closed || this.backoff !== undefined) return;
    const free = Math.max(this.options.maxSessions - this.runningCount, 0);
    const wanted = Math.max(this.spares, Math.min(this.waiting.length, free));
    let fresh = 0;
    let alive = 0;
    for (const { state, tenant } of this.executors) {
      if (state === 'dead') continue;
      alive++;
      if (tenant === undefined) fresh++;
    }
    for (; fresh < wanted; fresh++) {
      if (alive < this.options.maxSessions + this.spares) alive++;
      else if (!this.evict()) return;
      this.startExecutor();
      if (this.backoff !== undefined) return;
    }
  }

  /** Ends the idle executor that was not used for the longest time. */
  private evict(): boolean {
    let oldest: ExecutorProcess | undefined;
    for (const executor of this.executors) {
      if (executor.state !== 'idle' || executor.tenant === undefined) continue;
      if (!oldest || executor.lastUsedMs < oldest.lastUsedMs) oldest = executor;
    }
    if (!oldest) return false;
    oldest.retire();
    return true;
  }

  private startExecutor(): void {
    const { options, jail } = this;
    const slot = this.createSlot(this.nextSlot++);
    const events: ExecutorEvents = {
      onReady: () => {
        this.failedStarts = 0;
        this.firstReady.resolve();
        this.dispatch();
      },
      onFault: ({ pid }, fault) => options.log?.({ pid, fault }, 'the host failed in a session'),
      onExit: (exited, details) => this.forget(exited, details),
    };
    try {
      slot.createSync();
      this.executors.add(new ExecutorProcess(slot, this.setup, events, { jail }));
    } catch (error) {
      // No room for the slot, or none for a process.
      void slot.remove().catch(() => undefined);
      this.options.log?.({ error: String(error) }, 'an executor process could not be started');
      this.startFailed(String(error));
    }
  }

  private createSlot(number: number): Slot {
    const { workDir } = this.options;
    const directory = path.join(workDir, `slot-${number}`);
    return new Slot(directory, path.join(workDir, 'outputs'), this.jail.slotUser(number));
  }

  private forget(executor: ExecutorProcess, details: { cause: string; stderr: string; expected: boolean }): void {
    this.executors.delete(executor);
    if (this.closed) return;
    if (!details.expected) {
      this.options.log?.({ pid: executor.pid, ...details }, 'an executor process died');
      if (!executor.wasReady) this.startFailed(details.stderr);
    }
    this.refill();
  }

  /** Slows further starts down, and after a number of them tells everybody who waits. The next session tries again. */
  private startFailed(stderr: string): void {
    this.failedStarts++;
    const delayMs = firstBackoffMs * 2 ** Math.min(this.failedStarts - 1, maxFailedStarts);
    clearTimeout(this.backoff);
    this.backoff = setTimeout(() => {
      this.backoff = undefined;
      this.refill();
    }, delayMs);
    if (this.failedStarts % maxFailedStarts !== 0) return;
    const error = new SandboxError('executor-failed', 'no executor process can be started', { cause: stderr });
    this.firstReady.reject(error);
    this.rejectWaiting(error);
  }

  private rejectWaiting(error: unknown): void {
    const waiting = this.waiting;
    this.waiting = [];
    for (const { reject, unlisten } of waiting) {
      unlisten();
      reject(error);
    }
  }
}
