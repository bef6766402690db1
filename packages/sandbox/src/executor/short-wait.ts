import { availableParallelism } from 'node:os';

/** A longer session is not waited for so: what it would save is little beside what the session takes. */
const longestMs = 0.5;

/**
 * Waits for a session that runs alone as a spinning lock waits for its holder: the event loop turns, instead of sleeping, for as
 * long as a tiny session takes. To be woken from sleep takes a tenth of such a session, and costs as much processor time as the
 * turning. Where the last session that ran alone was longer, the loop sleeps at once.
 */
export class ShortWait {
  private startedAtMs = 0;
  /** How long the last session that ran alone took. */
  private lastMs = Number.POSITIVE_INFINITY;
  private isWanted = false;
  private isTurning = false;

  /** One processor cannot wait and work. */
  constructor(private readonly processors = availableParallelism()) {}

  /** A session was handed to its executor; no other runs. */
  begin(): void {
    this.startedAtMs = performance.now();
    this.isWanted = this.processors > 1 && this.lastMs <= longestMs;
    if (!this.isWanted || this.isTurning) return;
    this.isTurning = true;
    setImmediate(this.turn);
  }

  /** The session that ran alone has ended. */
  end(): void {
    this.isWanted = false;
    this.lastMs = performance.now() - this.startedAtMs;
  }

  /** Another session runs beside it: the processors have enough to do. */
  stop(): void {
    this.isWanted = false;
  }

  private readonly turn = (): void => {
    this.isTurning = this.isWanted && performance.now() - this.startedAtMs < longestMs;
    if (this.isTurning) setImmediate(this.turn);
  };
}
