/**
 * When the next request for each key may begin. A key that rested may catch up what it missed, up to the buffer; one that
 * would have to wait too long is refused, and that costs it nothing. (`_get_sleep_time` of Swift's ratelimit.py, with the
 * clock in this process instead of in memcached.)
 */
export class Paces {
  readonly #nextMs = new Map<string, number>();

  constructor(private readonly limits: { bufferMs: number; maxWaitMs: number; maxKeys: number }) {}

  /** Milliseconds to wait; `undefined` when it would be longer than allowed. */
  findWaitMs(key: string, perSecond: number, nowMs: number): number | undefined {
    const { bufferMs, maxWaitMs } = this.limits;
    const stepMs = 1000 / perSecond;
    const next = (this.#nextMs.get(key) ?? 0) + stepMs;
    if (nowMs - next > bufferMs) {
      this.#set(key, nowMs + stepMs, nowMs);
      return 0;
    }
    const waitMs = Math.max(next - nowMs - stepMs, 0);
    if (maxWaitMs - waitMs <= 10) return undefined;
    this.#set(key, next, nowMs);
    return waitMs;
  }

  #set(key: string, nextMs: number, nowMs: number): void {
    if (this.#nextMs.size >= this.limits.maxKeys && !this.#nextMs.has(key)) this.#dropRested(nowMs);
    this.#nextMs.set(key, nextMs);
  }

  /** Keys without a debt lose nothing but the right to catch up; if all have one, the oldest goes. */
  #dropRested(nowMs: number): void {
    for (const [key, nextMs] of this.#nextMs) if (nextMs <= nowMs) this.#nextMs.delete(key);
    const [oldest] = this.#nextMs.keys();
    if (oldest !== undefined && this.#nextMs.size >= this.limits.maxKeys) this.#nextMs.delete(oldest);
  }
}
