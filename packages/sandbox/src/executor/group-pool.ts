import path from 'node:path';
import { SandboxError } from '../errors';
import type { Jail } from '../jail/jail';
import { groupProcesses } from '../limits';
import type { Pipe, SandboxOptions, Session, SessionResult } from '../session';
import type { StopSignal } from '../stop-signal';
import { GroupProcess } from './group-process';
import type { ExecutorSetup } from './protocol';
import { Slot } from './slot';

export type KeptProcesses = Record<keyof typeof groupProcesses, number>;

interface WaitingGroup {
  size: number;
  start(): void;
  reject(error: unknown): void;
}

/** What the pool knows of a process besides the process itself. */
interface Kept {
  lastUsedMs: number;
  /** Ends it when nobody has used it for a while. */
  timer: NodeJS.Timeout;
}

/**
 * The processes that run groups, and the places of their sessions. A process belongs to the tenant of its first group, and
 * waits for the next one for a while, its threads started and its programs compiled. Once groups are used at all, one more
 * is kept that belongs to nobody yet. A server that never runs groups has none.
 */
export class GroupPool {
  private readonly processes = new Set<GroupProcess>();
  private readonly idle = new Map<GroupProcess, Kept>();
  private waiting: WaitingGroup[] = [];
  private runningCount = 0;
  private nextSession = 1;
  private nextProcess = 0;
  private closed = false;

  constructor(
    private readonly options: Pick<SandboxOptions, 'workDir' | 'log'> & { maxSessions: number },
    private readonly setup: ExecutorSetup,
    private readonly jail: Jail,
    /** How many processes wait for how long. */
    private readonly kept: KeptProcesses = groupProcesses,
  ) {}

  load(): { running: number; waiting: number } {
    return { running: this.runningCount, waiting: this.waiting.reduce((sum, { size }) => sum + size, 0) };
  }

  /** All of the group's sessions get their places together, in the order of arrival. */
  run(sessions: readonly Session[], pipes: readonly Pipe[], signal?: StopSignal): Promise<SessionResult[]> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.waiting.splice(this.waiting.indexOf(entry), 1);
        reject(signal!.reason);
        this.dispatch();
      };
      const start = () => {
        signal?.removeEventListener('abort', abort);
        this.start(sessions, pipes, signal).then(resolve, reject);
      };
      const entry: WaitingGroup = { size: sessions.length, start, reject };
      this.waiting.push(entry);
      signal?.addEventListener('abort', abort, { once: true });
      this.dispatch();
    });
  }

  async close(): Promise<void> {
    this.closed = true;
    const error = new SandboxError('closed', 'the sandbox is closed');
    for (const { reject } of this.waiting.splice(0)) reject(error);
    const all = [...this.processes];
    for (const one of all) one.fail(error);
    await Promise.all(all.map((one) => one.close()));
  }

  private dispatch(): void {
    for (let next = this.waiting[0]; next !== undefined; next = this.waiting[0]) {
      if (this.runningCount + next.size > this.options.maxSessions) return;
      this.waiting.shift();
      next.start();
    }
  }

  private async start(
    sessions: readonly Session[],
    pipes: readonly Pipe[],
    signal: StopSignal | undefined,
  ): Promise<SessionResult[]> {
    const firstId = this.nextSession;
    this.nextSession += sessions.length;
    this.runningCount += sessions.length;
    let group: GroupProcess | undefined;
    const abort = () => group?.fail(signal!.reason);
    signal?.addEventListener('abort', abort, { once: true });
    try {
      const { tenant } = sessions[0]!;
      group = this.take(tenant) ?? this.spawnNow();
      if (group.tenant === undefined) {
        this.options.log?.({ pid: group.pid, tenant }, 'a process for groups was given to a tenant');
      }
      group.tenant = tenant;
      return await group.run(sessions, pipes, firstId);
    } finally {
      signal?.removeEventListener('abort', abort);
      this.runningCount -= sessions.length;
      if (group?.state === 'idle') this.keep(group, this.kept.idleMs);
      this.dispatch();
      setImmediate(() => this.keepSpare());
    }
  }

  /** The tenant's own process, or the one that is nobody's. */
  private take(tenant: string): GroupProcess | undefined {
    let found: GroupProcess | undefined;
    for (const one of this.idle.keys()) {
      if (one.state !== 'idle') continue;
      if (one.tenant === tenant) {
        found = one;
        break;
      }
      if (one.tenant === undefined) found ??= one;
    }
    if (!found) return undefined;
    clearTimeout(this.idle.get(found)!.timer);
    this.idle.delete(found);
    return found;
  }

  private keep(group: GroupProcess, forMs: number): void {
    if (this.closed) return;
    const timer = setTimeout(() => this.discard(group), forMs);
    timer.unref();
    this.idle.set(group, { lastUsedMs: performance.now(), timer });
    const ofTenants = [...this.idle].filter(([{ tenant }]) => tenant !== undefined);
    if (ofTenants.length <= this.kept.idleCount) return;
    const [oldest] = ofTenants.sort(([, a], [, b]) => a.lastUsedMs - b.lastUsedMs);
    this.discard(oldest![0]);
  }

  private discard(group: GroupProcess): void {
    clearTimeout(this.idle.get(group)?.timer);
    this.idle.delete(group);
    void group.close();
  }

  /** The next tenant's first group finds a process as well. */
  private keepSpare(): void {
    if (this.closed || this.waiting.length > 0) return;
    if ([...this.idle.keys()].some(({ tenant }) => tenant === undefined)) return;
    try {
      this.keep(this.spawn(this.kept.threadsAhead), this.kept.spareMs);
    } catch (error) {
      this.options.log?.({ error: String(error) }, 'a process for groups could not be started');
    }
  }

  private spawnNow(): GroupProcess {
    try {
      return this.spawn(0);
    } catch (cause) {
      throw new SandboxError('executor-failed', 'no executor process can be started', { cause });
    }
  }

  private spawn(threadsAhead: number): GroupProcess {
    const { options, setup, jail } = this;
    const number = this.nextProcess++;
    const directory = path.join(options.workDir, `slot-group-${number}`);
    const user = jail.slotUser(-1 - number);
    const group = new GroupProcess({
      setup,
      jail,
      threadsAhead,
      maxSessions: options.maxSessions,
      createSlot: (index) => new Slot(directory, path.join(options.workDir, 'outputs'), user, `${index}-`),
      onFault: (fault) => options.log?.({ fault }, 'the host failed in a session'),
      onExit: (exited, cause) => {
        this.processes.delete(exited);
        const kept = this.idle.get(exited);
        if (!kept) return;
        clearTimeout(kept.timer);
        this.idle.delete(exited);
        if (!this.closed) options.log?.({ pid: exited.pid, cause }, 'an idle process for groups died');
      },
    });
    this.processes.add(group);
    return group;
  }
}
