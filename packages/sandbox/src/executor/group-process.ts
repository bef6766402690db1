import type { ChildProcess } from 'node:child_process';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import { engineFlags } from '../engine-flags';
import { SandboxError } from '../errors';
import { type Jail, killJailed } from '../jail/jail';
import { maxFinishMs, maxReplyBytes, maxSetupMs, terminateGraceMs } from '../limits';
import type { Pipe, Session, SessionResult } from '../session';
import { createDeathReport, lostOutputs } from './death-report';
import { filesOf } from './executor-process';
import { listenForFrames } from './frame-listener';
import { encodeFrame } from './frames';
import {
  type ExecutorReply,
  type ExecutorSetup,
  type GroupHeader,
  type GroupNode,
  lineFd,
  type SessionRequest,
} from './protocol';
import { isMoved, type Slot } from './slot';
import { demandFailure, demandOutcome, faultText } from './sound-reply';

const stderrTailBytes = 2000;
const maxTimerMs = 2 ** 31 - 1;

export interface GroupProcessOptions {
  setup: ExecutorSetup;
  jail: Jail;
  /** Threads to start before the first group comes; 0 when it is there already. */
  threadsAhead: number;
  /** Sessions that a group may have. */
  maxSessions: number;
  /** The slot for the session at this position of a group; all in one directory. */
  createSlot(index: number): Slot;
  /** The host failed in a session. */
  onFault(fault: string): void;
  /** The process is gone, with its files. */
  onExit(process: GroupProcess, cause: string): void;
}

interface Node {
  session: Session;
  request: SessionRequest;
  slot: Slot;
  /** Of its channels, those that are ends of pipes. */
  piped: Set<string>;
  /** The process has it and has not answered yet. */
  isAwaited: boolean;
  /** Its outcome is known; perhaps its files are still being taken. */
  reported: boolean;
  /** Set once its outputs are being taken: its process may die meanwhile. */
  claiming?: Promise<void>;
  resolve(result: SessionResult): void;
  reject(error: unknown): void;
  result: Promise<SessionResult>;
}

/** The server's side of a process that runs groups of sessions, one group at a time, for one tenant. */
export class GroupProcess {
  /** Whose sessions it runs; undefined until the first group. */
  tenant: string | undefined;
  state: 'idle' | 'busy' | 'dead' = 'idle';
  private readonly slots: Slot[] = [];
  private readonly child: ChildProcess;
  private readonly exited: Promise<void>;
  private nodes: Node[] = [];
  private ready = false;
  private stderr = '';
  private startedAtMs = 0;
  private failure: { error: unknown } | undefined;

  /** Throws if there is no room for the slot or a process. */
  constructor(private readonly options: GroupProcessOptions) {
    const { setup, jail } = options;
    const slot = this.slot(0);
    slot.createSync();
    const child = jail.spawn(
      {
        entry: path.join(__dirname, 'group-supervisor.js'),
        args: [JSON.stringify(setup), String(options.threadsAhead)],
        nodeFlags: ['--v8-pool-size=1', ...engineFlags],
        readable: filesOf(setup),
        inDirectory: slot.inDirectory,
        outDirectory: slot.outDirectory,
        user: slot.user,
        guests: options.maxSessions,
      },
      ['pipe'],
    );
    this.child = child;
    this.socket.on('error', () => this.kill());
    listenForFrames(this.socket, {
      maxBytes: maxReplyBytes + setup.inlineOutputBytes * 16,
      onValue: (value) => this.handle(value as ExecutorReply),
      onBroken: (error) => {
        this.stderr += faultText(error);
        this.kill();
      },
    });
    // It has nothing to say there.
    (child.stdio[lineFd] as Duplex).on('error', () => this.kill());
    child.on('error', () => this.kill());
    child.once('exit', () => {
      this.state = 'dead';
    });
    child.stderr!.on('data', (chunk: Buffer) => {
      this.stderr = (this.stderr + chunk.toString('latin1')).slice(-stderrTailBytes);
    });
    this.exited = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        void this.finishExit(signal ?? `exit code ${code}`).then(resolve);
      });
    });
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /**
   * One result for each session, whatever their guests do. Rejects as `Sandbox.run` does, and then for all of them. When it
   * settles, the process is idle again, or gone. The sessions' numbers are `firstId` and the next ones.
   */
  async run(sessions: readonly Session[], pipes: readonly Pipe[], firstId: number): Promise<SessionResult[]> {
    this.state = 'busy';
    this.failure = undefined;
    this.nodes = [];
    let watch: NodeJS.Timeout | undefined;
    try {
      await this.grant(sessions, firstId);
      this.startedAtMs = performance.now();
      if (!this.findFailure()) this.send(pipes);
      // The supervisor keeps the sessions' time. However compromised it is, the process ends.
      const longestMs = Math.max(...sessions.map(({ timeoutMs }) => timeoutMs)) + maxSetupMs + maxFinishMs;
      watch = setTimeout(() => this.kill(), Math.min(longestMs + terminateGraceMs, maxTimerMs));
    } catch (error) {
      this.fail(error);
    }
    const results = await Promise.allSettled(this.nodes.map(({ result }) => result));
    clearTimeout(watch);
    const failure = this.findFailure();
    if (failure || this.isDead()) await this.close();
    else await this.release();
    if (!failure && results.every((one) => one.status === 'fulfilled')) return results.map(({ value }) => value);
    results.forEach((one, index) => {
      if (one.status === 'fulfilled') void this.slot(index).drop(one.value.outputs);
    });
    throw failure ? failure.error : results.find((one) => one.status === 'rejected')!.reason;
  }

  /** Ends the process; a group that runs rejects with this error. */
  fail(error: unknown): void {
    this.failure ??= { error };
    for (const { reject } of this.nodes) reject(error);
    this.kill();
  }

  /** Ends the process, and resolves when it is gone with its files. */
  async close(): Promise<void> {
    this.kill();
    await this.exited;
  }

  /** Both change while `run` waits. */
  private findFailure(): { error: unknown } | undefined {
    return this.failure;
  }

  private isDead(): boolean {
    return this.state === 'dead';
  }

  private get socket(): Duplex {
    return this.child.stdio[4] as Duplex;
  }

  private kill(): void {
    this.state = 'dead';
    killJailed(this.child);
  }

  private slot(index: number): Slot {
    this.slots[index] ??= this.options.createSlot(index);
    return this.slots[index];
  }

  private async grant(sessions: readonly Session[], firstId: number): Promise<void> {
    const links = sessions.map((session, index) => {
      const slot = this.slot(index);
      const { request, granted } = slot.grant(firstId + index, session, false);
      const node: Partial<Node> = { session, request, slot, piped: new Set(), isAwaited: false, reported: false };
      node.result = new Promise<SessionResult>((resolve, reject) => Object.assign(node, { resolve, reject }));
      // Heard of by `run`, perhaps later.
      node.result.catch(() => undefined);
      this.nodes.push(node as Node);
      return granted;
    });
    for (const end of await Promise.allSettled(links)) if (end.status === 'rejected') throw end.reason;
    if (this.isDead()) {
      throw (
        this.findFailure()?.error ?? new SandboxError('executor-failed', 'the process of a group died before it began')
      );
    }
  }

  /** After a group: takes the links away. */
  private async release(): Promise<void> {
    await Promise.all(this.nodes.map(({ slot, request }) => slot.revoke(request)));
    this.nodes = [];
    if (this.state === 'busy') this.state = 'idle';
  }

  private send(pipes: readonly Pipe[]): void {
    const header: GroupHeader = { nodeCount: this.nodes.length, ringCount: pipes.length };
    const ends: GroupNode['pipes'][] = this.nodes.map(() => []);
    const channelOf = this.nodes.map(
      ({ session }) => new Map(session.channels.map(({ name }, index) => [name, index])),
    );
    pipes.forEach(({ from, to }, ring) => {
      for (const { session, channel } of [from, to]) {
        this.nodes[session]!.piped.add(channel);
        ends[session]!.push({ ring, channel: channelOf[session]!.get(channel)! });
      }
    });
    const frames: Buffer[] = encodeFrame(header);
    this.nodes.forEach(({ request, session }, index) => {
      const node: GroupNode = { request, timeoutMs: session.timeoutMs, pipes: ends[index]! };
      frames.push(...encodeFrame(node));
    });
    for (const part of frames) this.socket.write(part);
    for (const node of this.nodes) node.isAwaited = true;
  }

  private handle(reply: ExecutorReply): void {
    if (reply.kind === 'ready') {
      if (this.ready) throw new Error('a process that is ready twice');
      this.ready = true;
      return;
    }
    // Of a group that was given up meanwhile.
    if (this.failure) return;
    const node = this.nodes.find(({ request }) => request.id === reply.id);
    if (!node?.isAwaited) throw new Error('a reply that nobody waits for');
    if (reply.kind === 'failed') demandFailure(reply);
    else demandOutcome(reply, node.session, node.piped);
    node.isAwaited = false;
    if (reply.fault !== undefined) this.options.onFault(faultText(reply.fault));
    if (reply.kind === 'failed') {
      const error = new SandboxError(reply.code, reply.message);
      error.session = this.nodes.indexOf(node);
      this.fail(error);
      return;
    }
    const { report, outputs, last } = reply;
    node.reported = true;
    // It finishes this group, and takes no other. Nobody reads what it could still write to.
    if (last || outputs.some(isMoved)) this.state = 'dead';
    node.claiming = node.slot.claim(node.request, outputs).then(
      (claimed) => {
        // Nobody takes the files of a group that failed meanwhile.
        if (this.failure) void node.slot.drop(claimed);
        else node.resolve({ report, outputs: claimed });
      },
      (error) => this.fail(error),
    );
  }

  private async finishExit(cause: string): Promise<void> {
    this.state = 'dead';
    if (!this.ready && this.nodes.length > 0) {
      const text = 'no executor process can be started';
      this.failure ??= { error: new SandboxError('executor-failed', text, { cause: this.stderr || cause }) };
    }
    for (const node of this.nodes) if (!node.reported) this.reportDead(node);
    await Promise.all(this.nodes.map(({ claiming }) => claiming));
    await this.slot(0)
      .remove()
      .catch(() => undefined);
    this.options.onExit(this, this.stderr || cause);
  }

  private reportDead({ session, resolve }: Node): void {
    const elapsedMs = performance.now() - this.startedAtMs;
    const report = createDeathReport(session, { timedOut: elapsedMs >= session.timeoutMs, elapsedMs });
    resolve({ report, outputs: lostOutputs(session) });
  }
}
