import type { ChildProcess } from 'node:child_process';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import { isWritable } from '../channels/channel-spec';
import { SandboxError } from '../errors';
import { type Jail, killJailed } from '../jail/jail';
import { maxFinishMs, maxReplyBytes, maxSetupMs, terminateGraceMs } from '../limits';
import type { Pipe, Session, SessionResult } from '../session';
import { createDeathReport } from './death-report';
import { filesOf } from './executor-process';
import { encodeFrame, FrameDecoder } from './frames';
import type { ExecutorReply, ExecutorSetup, GroupHeader, GroupNode, SessionRequest } from './protocol';
import type { Slot } from './slot';

const stderrTailBytes = 2000;

export interface GroupOptions {
  sessions: readonly Session[];
  pipes: readonly Pipe[];
  /** The sessions' numbers are this and the next ones. */
  firstId: number;
  /** One for each session, in one directory. */
  slots: readonly Slot[];
  setup: ExecutorSetup;
  jail: Jail;
  /** The host failed in a session. */
  onFault(fault: string): void;
}

interface Node {
  session: Session;
  request: SessionRequest;
  slot: Slot;
  /** Its outcome is known; perhaps its files are still being taken. */
  reported: boolean;
  resolve(result: SessionResult): void;
  reject(error: unknown): void;
  result: Promise<SessionResult>;
}

/** The server's side of a process that runs one group of sessions, and is then thrown away. */
export class GroupProcess {
  private readonly nodes: Node[] = [];
  private child: ChildProcess | undefined;
  private decoder: FrameDecoder | undefined;
  private ready = false;
  private stderr = '';
  private startedAtMs = 0;
  private failure: { error: unknown } | undefined;

  constructor(private readonly options: GroupOptions) {}

  /**
   * One result for each session, whatever their guests do. Rejects as `Sandbox.run` does, and then for all of them. Settles when
   * the process and its slot are gone. Called once.
   */
  async run(): Promise<SessionResult[]> {
    const { slots } = this.options;
    try {
      slots[0]!.createSync();
      await this.grant();
      if (this.failure === undefined) await this.runProcess();
      const results = await Promise.allSettled(this.nodes.map(({ result }) => result));
      if (!this.failure && results.every((one) => one.status === 'fulfilled')) return results.map(({ value }) => value);
      results.forEach((one, index) => {
        if (one.status === 'fulfilled') void slots[index]!.drop(one.value.outputs);
      });
      const { failure } = this;
      throw failure ? failure.error : results.find((one) => one.status === 'rejected')!.reason;
    } finally {
      await slots[0]!.remove().catch(() => undefined);
    }
  }

  /** Ends the group; `run` rejects with this error. */
  fail(error: unknown): void {
    this.failure ??= { error };
    for (const { reject } of this.nodes) reject(error);
    if (this.child) killJailed(this.child);
  }

  private async grant(): Promise<void> {
    const { sessions, slots, firstId } = this.options;
    const links = sessions.map((session, index) => {
      const { request, granted } = slots[index]!.grant(firstId + index, session, false);
      const node: Partial<Node> = { session, request, slot: slots[index]!, reported: false };
      node.result = new Promise<SessionResult>((resolve, reject) => Object.assign(node, { resolve, reject }));
      // Heard of by `run`, perhaps later.
      node.result.catch(() => undefined);
      this.nodes.push(node as Node);
      return granted;
    });
    for (const end of await Promise.allSettled(links)) if (end.status === 'rejected') throw end.reason;
  }

  /** Resolves when the process is gone. */
  private async runProcess(): Promise<void> {
    const { setup, jail, slots, sessions } = this.options;
    const slot = slots[0]!;
    const child = jail.spawn(
      {
        entry: path.join(__dirname, 'group-supervisor.js'),
        args: [JSON.stringify(setup)],
        nodeFlags: ['--v8-pool-size=1'],
        readable: filesOf(setup),
        inDirectory: slot.inDirectory,
        outDirectory: slot.outDirectory,
        user: slot.user,
        guests: sessions.length,
      },
      ['pipe'],
    );
    this.child = child;
    this.startedAtMs = performance.now();
    this.decoder = new FrameDecoder(maxReplyBytes + setup.inlineOutputBytes * 16);
    const socket = child.stdio[4] as Duplex;
    socket.on('data', (chunk: Buffer) => this.receive(chunk));
    socket.on('error', () => killJailed(child));
    child.on('error', () => killJailed(child));
    child.stderr!.on('data', (chunk: Buffer) => {
      this.stderr = (this.stderr + chunk.toString('latin1')).slice(-stderrTailBytes);
    });
    const closed = new Promise<string>((resolve) => {
      child.once('close', (code, signal) => resolve(signal ?? `exit code ${code}`));
    });
    // The supervisor keeps the sessions' time. However compromised it is, the process ends.
    const longestMs = Math.max(...sessions.map(({ timeoutMs }) => timeoutMs)) + maxSetupMs + maxFinishMs;
    const watch = setTimeout(() => killJailed(child), Math.min(longestMs + terminateGraceMs, 2 ** 31 - 1));
    try {
      this.send(socket);
    } catch (error) {
      this.fail(error);
    }
    const cause = await closed;
    clearTimeout(watch);
    if (!this.ready) {
      this.failure ??= {
        error: new SandboxError('executor-failed', 'no executor process can be started', {
          cause: this.stderr || cause,
        }),
      };
    }
    for (const node of this.nodes) if (!node.reported) this.reportDead(node);
  }

  private send(socket: Duplex): void {
    const { pipes } = this.options;
    const header: GroupHeader = { nodeCount: this.nodes.length, ringCount: pipes.length };
    const frames: Buffer[] = encodeFrame(header);
    this.nodes.forEach(({ request, session }, index) => {
      const ends = pipes.flatMap(({ from, to }, ring) =>
        [from, to].filter((end) => end.session === index).map(({ channel }) => ({ ring, channel })),
      );
      const node: GroupNode = {
        request,
        timeoutMs: session.timeoutMs,
        pipes: ends.map(({ ring, channel }) => ({
          ring,
          channel: session.channels.findIndex(({ name }) => name === channel),
        })),
      };
      frames.push(...encodeFrame(node));
    });
    for (const part of frames) socket.write(part);
  }

  private receive(chunk: Buffer): void {
    try {
      for (const value of this.decoder!.push(chunk)) this.handle(value as ExecutorReply);
    } catch (error) {
      // Not our protocol: a broken or compromised process.
      this.stderr += String(error);
      killJailed(this.child!);
    }
  }

  private handle(reply: ExecutorReply): void {
    if (reply.kind === 'ready') {
      this.ready = true;
      return;
    }
    const node = this.nodes.find(({ request }) => request.id === reply.id);
    if (!node || node.reported) return;
    if (reply.fault !== undefined) this.options.onFault(reply.fault);
    if (reply.kind === 'failed') {
      this.fail(new SandboxError(reply.code, reply.message));
      return;
    }
    const { report, outputs } = reply;
    const names = node.session.channels.filter(isWritable).map(({ name }) => name);
    if (String(outputs.map(({ name }) => name)) !== String(names)) throw new Error('outputs that were not asked for');
    node.reported = true;
    node.slot.claim(node.request, outputs).then(
      (claimed) => {
        // Nobody takes the files of a group that failed meanwhile.
        if (this.failure) void node.slot.drop(claimed);
        else node.resolve({ report, outputs: claimed });
      },
      (error) => this.fail(error),
    );
    if (this.nodes.every(({ reported }) => reported)) {
      void Promise.allSettled(this.nodes.map(({ result }) => result)).then(() => killJailed(this.child!));
    }
  }

  private reportDead({ session, resolve }: Node): void {
    const elapsedMs = performance.now() - this.startedAtMs;
    const report = createDeathReport(session, { timedOut: elapsedMs >= session.timeoutMs, elapsedMs });
    const outputs = session.channels
      .filter(isWritable)
      .map(({ name }) => ({ name, sizeBytes: 0, body: { kind: 'bytes' as const, data: new Uint8Array(0) } }));
    resolve({ report, outputs });
  }
}
