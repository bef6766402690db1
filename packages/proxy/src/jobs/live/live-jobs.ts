import type { RequestState } from '../../context';
import type { PlannedNode } from '../plan';
import { LiveJob } from './live-job';

export interface HistoryLimits {
  /** Ended jobs of one account that are remembered. */
  jobHistory: number;
  /** Nodes of ended jobs that are remembered, of all accounts; the jobs that ended first are forgotten first. */
  jobHistoryNodes: number;
}

type Watcher = (job: LiveJob) => void;

/** The jobs of this server: those that run, and a bounded number of those that ran. */
export class LiveJobs {
  readonly #limits: HistoryLimits;
  readonly #now: () => number;
  /** By account, then by id, in the order of their start. */
  readonly #accounts = new Map<string, Map<string, LiveJob>>();
  /** How many of an account's jobs have ended. */
  readonly #endedOf = new Map<string, number>();
  /** In the order of their end. */
  readonly #ended = new Set<LiveJob>();
  readonly #watchers = new Map<string, Set<Watcher>>();
  #endedNodes = 0;

  constructor(limits: HistoryLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  /** A job is about to run, or the next one of a chain. Throws the answer of a job that was stopped. */
  begin({ path, transactionId, identity, stop }: RequestState, nodes: readonly PlannedNode[]): LiveJob {
    let jobs = this.#accounts.get(path.account);
    if (!jobs) {
      jobs = new Map();
      this.#accounts.set(path.account, jobs);
    }
    let job = jobs.get(transactionId);
    if (!job) {
      const { account } = path;
      job = new LiveJob({
        id: transactionId,
        account,
        user: identity?.user,
        stop,
        now: this.#now,
        onChange: this.#tell,
      });
      jobs.set(transactionId, job);
    }
    job.beginStep(nodes);
    return job;
  }

  /** The request of the job is over; it may never have got as far as a job. */
  end({ path, transactionId }: RequestState, status: number | undefined): void {
    const jobs = this.#accounts.get(path.account);
    const job = jobs?.get(transactionId);
    if (!jobs || !job || job.isOver) return;
    job.end(status);
    this.#ended.add(job);
    this.#endedNodes += job.nodes.length;
    const endedCount = (this.#endedOf.get(path.account) ?? 0) + 1;
    this.#endedOf.set(path.account, endedCount);
    let surplus = endedCount - this.#limits.jobHistory;
    for (const old of jobs.values()) {
      if (surplus <= 0) break;
      if (!old.isOver) continue;
      this.#forget(old);
      surplus--;
    }
    for (const old of this.#ended) {
      if (this.#endedNodes <= this.#limits.jobHistoryNodes) break;
      this.#forget(old);
    }
  }

  find(account: string, id: string): LiveJob | undefined {
    return this.#accounts.get(account)?.get(id);
  }

  /** Newest first. */
  list(account: string): LiveJob[] {
    return [...(this.#accounts.get(account)?.values() ?? [])].reverse();
  }

  /** Calls back after every change of one of the account's jobs, until the returned function is called. */
  watch(account: string, watcher: Watcher): () => void {
    const watchers = this.#watchers.get(account) ?? new Set();
    this.#watchers.set(account, watchers.add(watcher));
    return () => {
      watchers.delete(watcher);
      if (watchers.size === 0 && this.#watchers.get(account) === watchers) this.#watchers.delete(account);
    };
  }

  readonly #tell = (changed: LiveJob): void => {
    const watchers = this.#watchers.get(changed.account);
    if (watchers) for (const watcher of watchers) watcher(changed);
  };

  #forget(job: LiveJob): void {
    this.#ended.delete(job);
    this.#endedNodes -= job.nodes.length;
    this.#endedOf.set(job.account, this.#endedOf.get(job.account)! - 1);
    const jobs = this.#accounts.get(job.account);
    jobs?.delete(job.id);
    if (jobs?.size !== 0) return;
    this.#accounts.delete(job.account);
    this.#endedOf.delete(job.account);
  }
}
