import { Stop, type StopSignal } from '@zerocloud/sandbox/stop-signal';
import { HttpError } from '../../errors';
import type { NodeOutcome } from '../outcome';

export type LiveState = 'waiting' | 'running' | 'done' | 'failed' | 'stopped';

/** One node as its owner sees it. Times in milliseconds since the epoch. */
export interface LiveNode {
  name: string;
  state: LiveState;
  startedMs?: number;
  endedMs?: number;
  /** What the node contributes to the job's status, and what its session's report said. */
  status?: number;
  report?: string;
  exitCode?: number;
  /** It started from a daemon. */
  isCached?: boolean;
  readBytes: number;
  writtenBytes: number;
}

export interface LiveJobOptions {
  id: string;
  account: string;
  user?: string;
  /** Aborts when the client hangs up. */
  stop: StopSignal;
  now(): number;
  /** Called after every change that the job's summary shows. */
  onChange(job: LiveJob): void;
}

/** What to tell of a job that runs for a while: `node` is an index, absent when the job as a whole changed. */
export type JobWatcher = (node: number | undefined) => void;

/**
 * A job while it runs, and a while after. One transaction is one job here: the jobs of a chain are its steps, of which
 * the last one's nodes are shown and all count.
 */
export class LiveJob {
  readonly id: string;
  readonly account: string;
  readonly user?: string;
  readonly createdMs: number;
  startedMs?: number;
  endedMs?: number;
  state: LiveState = 'waiting';
  status?: number;
  /** 1 for the first job of a chain. */
  step = 0;
  /** Nodes of the current step. */
  nodes: LiveNode[] = [];
  readBytes = 0;
  writtenBytes = 0;
  counts: Record<LiveState, number> = { waiting: 0, running: 0, done: 0, failed: 0, stopped: 0 };
  readonly #now: () => number;
  readonly #onChange: (job: LiveJob) => void;
  #watchers?: Set<JobWatcher>;
  /** Gone with the end of the job, for many ended jobs are remembered. */
  #running?: { stop: Stop; unlisten(): void };

  constructor({ id, account, user, stop: outer, now, onChange }: LiveJobOptions) {
    this.id = id;
    this.account = account;
    this.user = user;
    this.#now = now;
    this.#onChange = onChange;
    this.createdMs = now();
    const stop = new Stop();
    const abort = () => stop.abort(outer.reason);
    if (outer.aborted) abort();
    else outer.addEventListener('abort', abort, { once: true });
    this.#running = { stop, unlisten: () => outer.removeEventListener('abort', abort) };
  }

  get isOver(): boolean {
    return this.endedMs !== undefined;
  }

  /** Aborts when the job is stopped, with the answer for its client, and when that one hangs up. */
  get signal(): StopSignal {
    if (!this.#running) throw new Error('the job is over');
    return this.#running.stop;
  }

  /** Ends the job's guests; its client is told. */
  stop(): void {
    this.#running?.stop.abort(new HttpError(409, 'The job was stopped by its owner'));
  }

  /** The next job of the chain, or the only one. Throws when the job was stopped meanwhile. */
  beginStep(names: readonly { name: string }[]): void {
    this.signal.throwIfAborted();
    this.step++;
    this.nodes = names.map(({ name }) => ({ name, state: 'waiting', readBytes: 0, writtenBytes: 0 }));
    this.counts = { waiting: this.nodes.length, running: 0, done: 0, failed: 0, stopped: 0 };
    this.#changed(undefined);
  }

  nodeStarted(index: number): void {
    const now = this.#now();
    this.startedMs ??= now;
    this.state = 'running';
    this.nodes[index]!.startedMs = now;
    this.#move(index, 'running');
  }

  nodeEnded(index: number, { status, state, exitCode, isCached, usage }: NodeOutcome): void {
    const node = this.nodes[index]!;
    node.endedMs = this.#now();
    node.status = status;
    node.report = state;
    node.exitCode = exitCode;
    if (isCached) node.isCached = true;
    if (usage) {
      node.readBytes = usage.readBytes + usage.networkReadBytes;
      node.writtenBytes = usage.writeBytes + usage.networkWriteBytes;
      this.readBytes += node.readBytes;
      this.writtenBytes += node.writtenBytes;
    }
    this.#move(index, status < 400 ? 'done' : 'failed');
  }

  /** `status` is that of the answer; absent when there was none, because the client hung up. */
  end(status: number | undefined): void {
    if (this.isOver) return;
    // An answer that was ready when its owner stopped the job is sent all the same.
    const wasStopped = status === undefined || (status >= 400 && this.signal.aborted);
    this.#running?.unlisten();
    this.#running = undefined;
    this.endedMs = this.#now();
    this.status = status;
    this.state = wasStopped ? 'stopped' : status < 400 ? 'done' : 'failed';
    this.nodes.forEach(({ state }, index) => {
      if (state === 'waiting' || state === 'running') this.#move(index, 'stopped');
    });
    this.#changed(undefined);
  }

  watch(watcher: JobWatcher): () => void {
    const watchers = this.#watchers ?? new Set();
    this.#watchers = watchers.add(watcher);
    return () => watchers.delete(watcher);
  }

  #move(index: number, state: LiveState): void {
    const node = this.nodes[index]!;
    this.counts[node.state]--;
    this.counts[state]++;
    node.state = state;
    this.#changed(index);
  }

  #changed(index: number | undefined): void {
    if (this.#watchers) for (const watcher of this.#watchers) watcher(index);
    this.#onChange(this);
  }
}
