import { reapSome } from './account-reaper';
import { Auditor } from './auditor';
import { BackgroundTask } from './background';
import { expireSome } from './expirer';
import { sweepOrphans } from './orphan-sweep';
import type { StoreParts } from './store-parts';

export interface MaintenanceOptions {
  expirerIntervalMs: number;
  /** How fast the auditor reads. */
  auditorBytesPerSecond: number;
}

export type MaintenanceTask = 'expirer' | 'reaper' | 'orphanSweep' | 'auditor';

const reaperIntervalMs = 1000;
const orphanSweepIntervalMs = 24 * 3600 * 1000;
const auditorIntervalMs = 3600 * 1000;

/** The background work of a store. */
export class Maintenance {
  readonly #parts: StoreParts;
  readonly #tasks: BackgroundTask[] = [];
  readonly #reap: () => Promise<boolean>;

  constructor(parts: StoreParts) {
    this.#parts = parts;
    this.#reap = oneAtATime(() => reapSome(parts));
  }

  start({ expirerIntervalMs, auditorBytesPerSecond }: MaintenanceOptions): void {
    const auditor = new Auditor(this.#parts, auditorBytesPerSecond);
    this.#run('expirer', () => expireSome(this.#parts), expirerIntervalMs);
    this.#run('reaper', this.#reap, reaperIntervalMs);
    this.#run('orphanSweep', (signal) => this.#sweep(signal), orphanSweepIntervalMs, 0);
    this.#run('auditor', (signal) => auditor.step(signal), auditorIntervalMs);
  }

  /** Does all the work of one kind that is due, at full speed. */
  async runNow(task: MaintenanceTask): Promise<void> {
    const { signal } = new AbortController();
    if (task === 'orphanSweep') {
      await this.#sweep(signal);
      await this.#parts.files.removalsDone();
      return;
    }
    const auditor = new Auditor(this.#parts, Number.POSITIVE_INFINITY);
    const step = {
      expirer: () => expireSome(this.#parts),
      reaper: this.#reap,
      auditor: () => auditor.step(signal),
    }[task];
    while (await step());
  }

  /** Resolves when no task runs any more. */
  async stop(): Promise<void> {
    await Promise.all(this.#tasks.map((task) => task.stop()));
  }

  async #sweep(signal: AbortSignal): Promise<boolean> {
    const { removedCount } = await sweepOrphans(this.#parts, signal);
    if (removedCount > 0) this.#parts.log({ removedCount }, 'blob files that nothing refers to were removed');
    return false;
  }

  #run(
    task: MaintenanceTask,
    step: (signal: AbortSignal) => Promise<boolean>,
    intervalMs: number,
    firstPauseMs = intervalMs,
  ): void {
    const onError = (err: unknown) => this.#parts.log({ err, task }, 'background work failed; it is tried again');
    this.#tasks.push(new BackgroundTask(step, { intervalMs, firstPauseMs, onError }));
  }
}

/** For a step that relies on nobody else doing what it has found to do. */
function oneAtATime<T>(step: () => Promise<T>): () => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return () => {
    const next = last.then(step);
    last = next.catch(() => {});
    return next;
  };
}
