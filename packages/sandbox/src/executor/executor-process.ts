import type { ChildProcess } from 'node:child_process';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import { engineFlags } from '../engine-flags';
import { SandboxError } from '../errors';
import { type Jail, killJailed } from '../jail/jail';
import {
  maxExecutorStartMs,
  maxFinishMs,
  maxReplyBytes,
  maxSetupMs,
  maxStatusBytes,
  maxStatusCount,
  restAfterMs,
  terminateGraceMs,
} from '../limits';
import type { Report, Session, SessionResult } from '../session';
import { snapshotFiles } from '../snapshots/make-snapshots';
import type { StopSignal } from '../stop-signal';
import { createDeathReport, lostOutputs } from './death-report';
import { listenForFrames } from './frame-listener';
import { encodeFrame } from './frames';
import {
  type DeadlineMessage,
  type ExecutorReply,
  type ExecutorSetup,
  lineFd,
  type RestMessage,
  type SessionRequest,
  type StatusMessage,
} from './protocol';
import { isMoved, type Slot } from './slot';
import { demandFailure, demandOutcome, faultText } from './sound-reply';

const stderrTailBytes = 2000;

/** How the process's death is reported for the session that was running. */
type DeathCause = 'died' | 'timeout' | 'discarded';

interface RunningSession {
  request: SessionRequest;
  session: Session;
  startedAtMs: number;
  /** Files were linked into the slot for it. */
  hasLinks: boolean;
  /** The executor has it and has not answered yet. */
  isAwaited: boolean;
  /** Messages about its time so far. */
  statusCount: number;
  resolve(result: SessionResult): void;
  reject(error: unknown): void;
  /** Stops listening for an abort. */
  unlisten?(): void;
}

/** How an executor is started. */
export interface StartOptions {
  /** What confines the process. */
  jail: Jail;
  /** Descriptors that it gets as 5, 6, … (`firstInheritedFd`). */
  inheritedFds?: readonly number[];
}

/** What the pool wants to hear from an executor. */
export interface ExecutorEvents {
  /** It can take its first session. */
  onReady(executor: ExecutorProcess): void;
  /** The host failed in a session; the process will be replaced. */
  onFault(executor: ExecutorProcess, fault: string): void;
  /** The process is gone and its slot removed; a session that was running has its report. */
  onExit(executor: ExecutorProcess, details: { cause: string; stderr: string; expected: boolean }): void;
}

/**
 * The server's side of one executor process: started ahead of time with an empty environment, running one session at a
 * time for one tenant, killed rather than repaired. The caller gets a result for each session whatever becomes of it.
 */
export class ExecutorProcess {
  /** Whose sessions it runs; undefined until the first one. */
  tenant: string | undefined;
  /** Cache keys of the modules it holds compiled, and of the copies it holds open. */
  readonly programs = new Set<string>();
  /** It once came up; one that never did points at the host. */
  wasReady = false;
  /** Monotonic milliseconds of the last use. */
  lastUsedMs = 0;
  state: 'starting' | 'idle' | 'busy' | 'dead' = 'starting';
  /** The session that it had certainly not begun when it died: another executor may run it. */
  unbegun: Session | undefined;

  private readonly child: ChildProcess;
  private readonly socket: Duplex;
  private readonly line: Duplex;
  private readonly exited: Promise<void>;
  private running: RunningSession | undefined;
  private watch: NodeJS.Timeout;
  private stderr = '';
  private deathCause: DeathCause = 'died';
  /** Set while files of the last session are still being taken away. */
  private revoking: Promise<unknown> | undefined;
  /** Set once outputs of a session are being taken: its executor may die meanwhile. */
  private claiming: Promise<void> | undefined;
  /** It was told that nobody needs it. */
  private isResting = false;
  /** It never read the last of what it was sent. */
  private leftUnread = false;

  constructor(
    private readonly slot: Slot,
    setup: ExecutorSetup,
    private readonly events: ExecutorEvents,
    { jail, inheritedFds = [] }: StartOptions,
  ) {
    this.child = jail.spawn(
      {
        entry: path.join(__dirname, 'supervisor.js'),
        args: [JSON.stringify(setup)],
        // One background compiler thread: it must not take the other cores from the server and its neighbours. And no copy
        // of the engine's own code for each process, 1.6 MB.
        nodeFlags: ['--v8-pool-size=1', '--no-short-builtin-calls', ...engineFlags],
        readable: filesOf(setup),
        inDirectory: slot.inDirectory,
        outDirectory: slot.outDirectory,
        user: slot.user,
      },
      ['pipe', ...inheritedFds],
    );
    this.socket = this.child.stdio[4] as Duplex;
    this.listen(this.socket, maxReplyBytes + setup.inlineOutputBytes * 16, (value) =>
      this.handle(value as ExecutorReply),
    );
    // Which of the two it is depends on whether the process was still there when it was written to.
    this.socket.on('error', ({ code }: NodeJS.ErrnoException) => {
      this.leftUnread = code === 'ECONNRESET' || code === 'EPIPE';
    });
    this.socket.once('close', () => {
      if (this.state === 'idle') this.state = 'dead';
      this.kill();
    });
    this.line = this.child.stdio[lineFd] as Duplex;
    this.listen(this.line, maxStatusBytes, (value) => this.receiveStatus(value as StatusMessage));
    this.child.stderr!.on('data', (chunk: Buffer) => {
      this.stderr = (this.stderr + chunk.toString('latin1')).slice(-stderrTailBytes);
    });
    this.child.on('error', () => this.kill());
    this.watch = setTimeout(() => this.kill(), maxExecutorStartMs);
    // From here on it takes no session, though its files and pipes may outlive it a little.
    this.child.once('exit', () => {
      this.state = 'dead';
    });
    this.exited = new Promise((resolve) => {
      this.child.once('close', (code, signal) => {
        void this.finishExit(signal ?? `exit code ${code}`).then(resolve);
      });
    });
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Runs a session; the executor must be idle. Resolves with a report or rejects as `Sandbox.run` does. */
  run(id: number, session: Session, signal?: StopSignal): Promise<SessionResult> {
    const key = findCacheKey(session);
    const cached = key !== undefined && this.programs.has(key);
    return new Promise<SessionResult>((resolve, reject) => {
      const { request, granted } = this.grant(id, session, cached);
      this.state = 'busy';
      this.isResting = false;
      const startedAtMs = performance.now();
      const running: RunningSession = {
        request,
        session,
        startedAtMs,
        hasLinks: granted !== undefined,
        isAwaited: false,
        statusCount: 0,
        resolve,
        reject,
      };
      this.running = running;
      if (signal) this.listenForAbort(signal, running);
      if (!granted && !this.revoking) return this.send(running);
      // The slot holds what this session was given, and nothing else, when the executor hears of it.
      Promise.all([granted, this.revoking]).then(
        () => this.send(running),
        (error) => this.finish(running, () => reject(error)),
      );
    });
  }

  /** Ends the process at once, whatever it does. A running session gets a report of its death. */
  kill(cause: DeathCause = 'died'): void {
    if (this.deathCause === 'died') this.deathCause = cause;
    killJailed(this.child);
  }

  /** Lets an executor that nobody used for a while give memory back; its next session takes some milliseconds longer. */
  restIfUnused(nowMs: number): void {
    if (this.state !== 'idle' || this.isResting || nowMs - this.lastUsedMs < restAfterMs) return;
    this.isResting = true;
    for (const part of encodeFrame({ kind: 'rest' } satisfies RestMessage)) this.socket.write(part);
  }

  /** Takes an idle executor out of service. */
  retire(): void {
    this.state = 'dead';
    this.kill('discarded');
  }

  /** Ends the process and resolves when it and its files are gone. */
  async close(): Promise<void> {
    if (this.running) this.fail(this.running, new SandboxError('closed', 'the sandbox is closed'));
    this.kill('discarded');
    await this.exited;
  }

  /** A slot whose files cannot be made is not used any more. */
  private grant(...args: Parameters<Slot['grant']>): ReturnType<Slot['grant']> {
    try {
      return this.slot.grant(...args);
    } catch (error) {
      this.retire();
      throw error;
    }
  }

  private listenForAbort(signal: StopSignal, running: RunningSession): void {
    const abort = () => {
      if (this.running !== running) return;
      this.fail(running, signal.reason);
      this.kill('discarded');
    };
    signal.addEventListener('abort', abort, { once: true });
    running.unlisten = () => signal.removeEventListener('abort', abort);
  }

  private send(running: RunningSession): void {
    if (this.running !== running || this.state === 'dead') return;
    try {
      for (const part of encodeFrame(running.request)) this.socket.write(part);
    } catch (error) {
      // Something in the session cannot be sent; nothing was.
      this.finish(running, () => running.reject(error));
      return;
    }
    running.isAwaited = true;
    this.watch = setTimeout(() => this.checkDeadline(running), running.session.timeoutMs);
  }

  /**
   * The time may be over: the supervisor, which knows when the guest started, decides and says how long to wait for it.
   * Asking only then keeps short sessions free of any timer in the executor.
   */
  private checkDeadline(running: RunningSession): void {
    if (this.running !== running) return;
    const { id, channels } = running.request;
    const { timeoutMs } = running.session;
    const message: DeadlineMessage = { kind: 'deadline', id, timeoutMs, channels };
    for (const part of encodeFrame(message)) this.line.write(part);
    this.watch = setTimeout(() => this.kill('timeout'), terminateGraceMs);
  }

  private receiveStatus(status: StatusMessage): void {
    const { running } = this;
    // One may come late, when the session has its answer.
    if (!running?.isAwaited || running.request.id !== status.id) return;
    if (!Number.isFinite(status.graceMs) || ++running.statusCount > maxStatusCount) {
      throw new RangeError('more messages about time than there can be');
    }
    clearTimeout(this.watch);
    // However long a compromised process asks for, it ends.
    const longestMs = Math.max(running.session.timeoutMs, maxSetupMs, maxFinishMs) + terminateGraceMs;
    const graceMs = Math.min(Math.max(status.graceMs, 0), longestMs);
    this.watch = setTimeout(() => this.kill('timeout'), graceMs);
  }

  private listen(socket: Duplex, maxBytes: number, onValue: (value: unknown) => void): void {
    socket.on('error', () => this.kill());
    const onBroken = (error: unknown) => {
      this.stderr += faultText(error);
      this.kill();
    };
    listenForFrames(socket, { maxBytes, onValue, onBroken });
  }

  private handle(reply: ExecutorReply): void {
    if (reply.kind === 'ready') {
      if (this.state !== 'starting') throw new Error('an executor that is ready twice');
      clearTimeout(this.watch);
      this.state = 'idle';
      this.wasReady = true;
      this.lastUsedMs = performance.now();
      this.events.onReady(this);
      return;
    }
    const { running } = this;
    // Of a session that was given up meanwhile.
    if (this.state === 'dead') return;
    if (!running?.isAwaited || reply.id !== running.request.id) throw new Error('a reply that nobody waits for');
    if (reply.kind === 'failed') demandFailure(reply);
    else demandOutcome(reply, running.session);
    running.isAwaited = false;
    if (reply.fault !== undefined) this.events.onFault(this, faultText(reply.fault));
    if (reply.kind === 'failed') {
      const error = new SandboxError(reply.code, reply.message);
      const hostFailed = reply.code === 'executor-failed';
      if (hostFailed) this.kill('discarded');
      this.finish(running, () => running.reject(error), hostFailed);
      return;
    }
    const { report, outputs } = reply;
    if (reply.cached !== undefined) this.programs.add(reply.cached);
    for (const key of reply.evicted) this.programs.delete(key);
    if (!outputs.some(({ body }) => body.kind === 'file')) {
      this.finish(running, () => running.resolve({ report, outputs }), reply.last);
      return;
    }
    clearTimeout(this.watch);
    this.claiming = this.slot.claim(running.request, outputs).then(
      (claimed) => {
        const resolve = () => running.resolve({ report, outputs: claimed });
        if (this.running === running && outputs.some(isMoved)) {
          // Nobody reads what it could still write to.
          this.finish(running, () => void this.exited.then(resolve), true);
        } else if (this.running === running) {
          this.finish(running, resolve, reply.last);
        } else {
          // Aborted meanwhile: nobody takes the files.
          void this.slot.drop(claimed);
        }
      },
      (error) => this.finish(running, () => running.reject(error), true),
    );
  }

  /** Settles the session and gives the executor free, or ends it when it must not run another one. */
  private finish(running: RunningSession, settle: () => void, last = false): void {
    if (this.running !== running) return;
    this.running = undefined;
    clearTimeout(this.watch);
    running.unlisten?.();
    this.lastUsedMs = performance.now();
    if (this.state === 'busy') this.state = last ? 'dead' : 'idle';
    if (running.hasLinks) this.revoke(running.request);
    if (last) this.kill('discarded');
    settle();
  }

  private revoke(request: SessionRequest): void {
    const revoking = this.slot.revoke(request).then(() => {
      if (this.revoking === revoking) this.revoking = undefined;
    });
    this.revoking = revoking;
  }

  private fail(running: RunningSession, error: unknown): void {
    this.finish(running, () => running.reject(error), true);
  }

  /** The process is gone: the session that was running gets the report it could not give itself. */
  private async finishExit(cause: string): Promise<void> {
    clearTimeout(this.watch);
    this.state = 'dead';
    const expected = this.deathCause !== 'died';
    await this.claiming;
    const { running } = this;
    if (running) {
      if (!expected && (!running.isAwaited || this.leftUnread)) this.unbegun = running.session;
      const report = this.deathReport(running);
      const outputs = lostOutputs(running.session);
      this.finish(running, () => running.resolve({ report, outputs }), true);
    }
    await this.slot.remove().catch(() => undefined);
    this.events.onExit(this, { cause, stderr: this.stderr, expected });
  }

  private deathReport(running: RunningSession): Report {
    const elapsedMs = performance.now() - running.startedAtMs;
    return createDeathReport(running.session, { timedOut: this.deathCause === 'timeout', elapsedMs });
  }
}

/** What an executor may hold of a session since an earlier one: its module, or the copy that it starts from. */
export function findCacheKey({ program, copy }: Session): string | undefined {
  if (copy?.kind === 'start') return copy.id;
  return program.kind === 'module' ? program.cacheKey : undefined;
}

/** Files outside of its slot that an executor reads. */
export function filesOf({ systemImages, snapshots = [] }: ExecutorSetup): string[] {
  const images = systemImages.flatMap(({ path: image, programs = {}, library }) => {
    return [image, ...Object.values(programs), ...(library === undefined ? [] : [library])];
  });
  return [...images, ...snapshotFiles(snapshots)];
}
