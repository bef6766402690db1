import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { isWritable } from '../channels/channel-spec';
import { Ring } from '../channels/ring';
import { ChannelState, createChannelState } from '../channels/state';
import { maxSetupMs, maxTerminationMs, workerHeapMiB, workerStackMiB, workerYoungHeapMiB } from '../limits';
import type { Report } from '../session';
import { Control, createControl, nowMs, phase } from './control';
import type { GroupWorkerData } from './group-worker';
import { collectOutputs, reportKilled } from './outcome';
import type { ExecutorReply, ExecutorSetup, SessionRequest } from './protocol';

/** Channel states made ahead; sessions with more channels add to them. */
const initialStates = 8;

export interface Assignment {
  /** With the rings of its pipes in their channels. */
  request: SessionRequest;
  timeoutMs: number;
  /** Sessions of its group. */
  nodeCount: number;
  onReport(reply: ExecutorReply): void;
}

interface Current extends Assignment {
  /** When the thread was told. */
  givenAtMs: number;
  timer: NodeJS.Timeout;
}

/**
 * One of the threads that run a group's sessions, seen from the main thread of their process, which keeps the time of each
 * session and ends its sides of its pipes whatever became of it. A thread is used again after sessions that ended by themselves.
 */
export class GroupThread {
  /** It takes no further session. */
  isDead = false;
  private readonly control = new Control(createControl());
  private readonly states = Array.from({ length: initialStates }, () => createChannelState({ writable: true }));
  private readonly worker: Worker;
  private current: Current | undefined;

  /** `warm`: the programs of system images are run once before the first session. */
  constructor(
    private readonly setup: ExecutorSetup,
    warm: boolean,
  ) {
    const workerData: GroupWorkerData = { setup, control: this.control.shared, states: this.states, warm };
    this.worker = new Worker(path.join(__dirname, 'group-worker.js'), {
      workerData,
      env: {},
      resourceLimits: {
        maxOldGenerationSizeMb: workerHeapMiB,
        maxYoungGenerationSizeMb: workerYoungHeapMiB,
        stackSizeMb: workerStackMiB,
      },
    });
    this.worker.on('message', (message: ExecutorReply | SharedArrayBuffer) => {
      if ('kind' in message) this.report(message);
      else this.states.push(message);
    });
    this.worker.on('error', (error) => {
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    });
    this.worker.on('exit', () => {
      this.isDead = true;
      // Of a thread that says nothing (no memory is left for the host's part of it) is known what it had transferred.
      if (this.control.phase !== phase.killed) this.reportDead('sandbox process died');
    });
  }

  get isIdle(): boolean {
    return this.current === undefined && !this.isDead;
  }

  run(assignment: Assignment): void {
    const { timeoutMs } = assignment;
    const timer = setTimeout(() => this.checkDeadline(), timeoutMs);
    this.current = { ...assignment, givenAtMs: nowMs(), timer };
    this.worker.postMessage(assignment.request);
  }

  end(): void {
    this.isDead = true;
    void this.worker.terminate();
  }

  private report(reply: ExecutorReply): void {
    const { current } = this;
    if (!current) return;
    this.current = undefined;
    clearTimeout(current.timer);
    endPipes(current.request.channels);
    if (reply.kind === 'done') shareCpu(reply.report, current.nodeCount);
    current.onReport(reply);
  }

  private reportDead(state: string): void {
    if (!this.current) return;
    const { control, current } = this;
    const { id, channels } = current.request;
    // What a thread that died before it began left behind is of an earlier session.
    const begun = control.session === id;
    const views = channels.map((_, index) => this.stateOf(begun ? index : undefined));
    const elapsedMs = nowMs() - Math.max(begun ? control.startedAtMs : 0, current.givenAtMs);
    const outputs = collectOutputs(channels, views, this.setup.inlineOutputBytes);
    const killed = reportKilled(channels, views, outputs, { cpu: control.cpuSinceBegin(), elapsedMs });
    this.report({ kind: 'done', id, report: { ...killed, state }, outputs, evicted: [], last: true });
  }

  /** The state of a channel; that of nothing transferred for one that its thread has not come to. */
  private stateOf(index: number | undefined): ChannelState {
    const known = index === undefined ? undefined : this.states[index];
    return new ChannelState(known ?? createChannelState({ writable: true }));
  }

  /** A guest that has not started yet has all of its time before it. */
  private checkDeadline(): void {
    const { control, current } = this;
    if (!current) return;
    const { request, timeoutMs, givenAtMs } = current;
    const begun = control.session === request.id;
    const now = begun ? control.phase : phase.idle;
    if (now === phase.finishing || (begun && now === phase.idle)) return;
    const running = now === phase.running;
    const leftMs = (running ? control.startedAtMs + timeoutMs : givenAtMs + maxSetupMs) - nowMs();
    if (leftMs > 0) {
      const waitMs = Math.max(1, Math.ceil(running ? leftMs : Math.min(leftMs, timeoutMs)));
      current.timer = setTimeout(() => this.checkDeadline(), waitMs);
      return;
    }
    // Not even begun after all that time.
    if (!begun) die();
    if (!control.advance(now, phase.killed)) {
      // It changes right now, and is looked at again.
      current.timer = setTimeout(() => this.checkDeadline(), 1);
      return;
    }
    this.isDead = true;
    current.timer = setTimeout(die, maxTerminationMs);
    void this.worker.terminate().then(() => this.reportDead('session timeout'));
  }
}

/** SIGKILL: a process is replaced, not repaired. */
export function die(): never {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('killed');
}

function endPipes(channels: SessionRequest['channels']): void {
  for (const spec of channels) {
    if (spec.pipe === undefined) continue;
    const ring = new Ring(spec.pipe);
    if (isWritable(spec)) ring.endWriter();
    else ring.endReader();
  }
}

/** The system counts the time of the whole process: each session is given the same part of what was used while it ran. */
function shareCpu({ accounting }: Report, nodeCount: number): void {
  accounting.userSeconds /= nodeCount;
  accounting.systemSeconds /= nodeCount;
}
