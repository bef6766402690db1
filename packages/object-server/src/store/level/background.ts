import { setTimeout as delay } from 'node:timers/promises';

export interface TaskOptions {
  /** Pause between two rounds. */
  intervalMs: number;
  firstPauseMs: number;
  onError: (error: unknown) => void;
}

/** Pause between two steps of a round, so that requests come first. */
const stepPauseMs = 10;

/** Work that waits for the foreground: rounds of small steps, with timers that keep no process alive. */
export class BackgroundTask {
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  /** `step` does a bounded piece and resolves with whether more is waiting; its signal fires when the task stops. */
  constructor(step: (signal: AbortSignal) => Promise<boolean>, options: TaskOptions) {
    this.#running = this.#run(step, options);
  }

  /** Resolves when the step under way has ended. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(
    step: (signal: AbortSignal) => Promise<boolean>,
    { intervalMs, firstPauseMs, onError }: TaskOptions,
  ): Promise<void> {
    const { signal } = this.#stop;
    let pauseMs = firstPauseMs;
    while (await pause(pauseMs, signal)) {
      try {
        pauseMs = (await step(signal)) ? stepPauseMs : intervalMs;
      } catch (error) {
        if (signal.aborted) return;
        onError(error);
        pauseMs = intervalMs;
      }
    }
  }
}

/** False if the signal fired first. */
export async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await delay(ms, undefined, { ref: false, signal });
    return true;
  } catch {
    return false;
  }
}
