import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { LiveJob } from './live-job';
import type { LiveJobs } from './live-jobs';
import { jobView, nodeView } from './view';

/** Changes within this time are told together, so that a thousand nodes a second are no thousand events. */
const gatherMs = 100;

/** After this time without a change a comment is sent, so that nobody on the way takes the connection for dead. */
const heartbeatMs = 15_000;

/** Nodes of one event. */
const maxNodesPerEvent = 500;

/** A job's life as server-sent events: `job` (its summary), `nodes` (those that changed), and at last `end`. */
export async function* jobEvents(job: LiveJob, signal: AbortSignal): AsyncGenerator<string> {
  const changes = new Changes(signal);
  let changed = new Set<number>();
  let step = job.step;
  /** Nodes before this one were told once. */
  let told = 0;
  const unwatch = job.watch((node) => {
    if (node !== undefined && node < told) changed.add(node);
    changes.note();
  });
  try {
    for (;;) {
      if (job.step !== step) {
        step = job.step;
        told = 0;
        changed.clear();
      }
      yield eventText('job', jobView(job));
      while (told < job.nodes.length && step === job.step) {
        const start = told;
        told = Math.min(start + maxNodesPerEvent, job.nodes.length);
        yield eventText(
          'nodes',
          job.nodes.slice(start, told).map((node, index) => nodeView(node, start + index)),
        );
      }
      const indexes = [...changed];
      changed = new Set();
      for (let start = 0; start < indexes.length && step === job.step; start += maxNodesPerEvent) {
        const some = indexes.slice(start, start + maxNodesPerEvent);
        yield eventText(
          'nodes',
          some.map((index) => nodeView(job.nodes[index]!, index)),
        );
      }
      if (job.isOver && changed.size === 0) {
        yield eventText('end', jobView(job));
        return;
      }
      while (!(await changes.next())) {
        if (signal.aborted) return;
        yield ':\n\n';
      }
    }
  } finally {
    unwatch();
  }
}

/** The account's jobs as server-sent events: a `job` for each there is, then one for each that changed. */
export async function* accountEvents(jobs: LiveJobs, account: string, signal: AbortSignal): AsyncGenerator<string> {
  const changes = new Changes(signal);
  let changed = new Set<LiveJob>(jobs.list(account).reverse());
  const unwatch = jobs.watch(account, (job) => {
    changed.add(job);
    changes.note();
  });
  try {
    for (;;) {
      const some = changed;
      changed = new Set();
      for (const job of some) yield eventText('job', jobView(job));
      while (!(await changes.next())) {
        if (signal.aborted) return;
        yield ':\n\n';
      }
    }
  } finally {
    unwatch();
  }
}

/** Sends events until they end, no faster than the client takes them. */
export async function sendEvents(
  res: ServerResponse,
  events: AsyncIterable<string>,
  signal: AbortSignal,
): Promise<void> {
  res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' });
  res.flushHeaders();
  for await (const text of events) {
    if (res.destroyed || signal.aborted) break;
    // A client that hangs up aborts the signal, which ends the wait as well.
    if (!res.write(text)) await once(res, 'drain', { signal }).catch(() => {});
  }
  res.end();
}

function eventText(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** Whether something has changed since the last time. */
class Changes {
  readonly #signal: AbortSignal;
  #noted = false;
  #wake?: () => void;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  note(): void {
    this.#noted = true;
    this.#wake?.();
  }

  /** True soon after a change; false when there was none for a while, or at the end. */
  async next(): Promise<boolean> {
    if (!this.#noted) await this.#wait(heartbeatMs, true);
    if (!this.#noted || this.#signal.aborted) return false;
    await this.#wait(gatherMs, false);
    this.#noted = false;
    return !this.#signal.aborted;
  }

  async #wait(ms: number, untilNoted: boolean): Promise<void> {
    await new Promise<void>((resolve) => {
      if (this.#signal.aborted) return resolve();
      const end = () => {
        clearTimeout(timer);
        this.#signal.removeEventListener('abort', end);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.#signal.addEventListener('abort', end, { once: true });
      if (untilNoted) this.#wake = end;
    });
  }
}
