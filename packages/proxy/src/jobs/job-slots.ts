import { HttpError } from '../errors';

/** Admits a bounded number of jobs at once; a bounded number of further ones wait, in order; the rest is refused. */
export class JobSlots {
  readonly #limits: { maxJobs: number; maxQueuedJobs: number };
  readonly #waiting = new Set<() => void>();
  #running = 0;

  constructor(limits: { maxJobs: number; maxQueuedJobs: number }) {
    this.#limits = limits;
  }

  /** Takes a slot, waiting for one if need be; nothing to await when one is free. 503 when the queue is full. */
  acquire(signal: AbortSignal): Promise<void> | undefined {
    if (this.#running < this.#limits.maxJobs) {
      this.#running++;
      return undefined;
    }
    if (this.#waiting.size >= this.#limits.maxQueuedJobs) throw new HttpError(503, 'Slot not available');
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.delete(enter);
        reject(signal.reason);
      };
      const enter = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      if (signal.aborted) return reject(signal.reason);
      this.#waiting.add(enter);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  /** Gives a slot back, to whoever waits longest. */
  release(): void {
    const [next] = this.#waiting;
    if (!next) {
      this.#running--;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
