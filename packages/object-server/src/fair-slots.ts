import type { StopSignal } from '@zerocloud/sandbox';
import { StorageError } from './errors';

export interface FairSlotsOptions {
  /** Places that anybody may take. */
  slots: number;
  /** Further places, each only for an account that holds none at all: it starts at once whatever others do. */
  reserved: number;
  /** How many of one account may wait; all accounts together, eight times as many. */
  maxWaiting: number;
}

interface Waiter {
  /** Places that it takes, all at once. */
  count: number;
  enter(): void;
}

const maxWaitingFactor = 8;

/**
 * Who runs next, between accounts. A free place goes to the account whose turn it is (of those that wait, the one that was
 * given something the longest ago, or nothing yet), and within an account to who waits longest; so a job of a thousand nodes holds up its own account only. An
 * account that runs nothing does not even wait for the end of somebody's session: a few places are kept for such.
 *
 * Who needs several places gets them together or none, so two such never wait for each other. Whoever's turn it is keeps
 * what comes free until there is enough: nobody overtakes him meanwhile, or a stream of small ones would keep him out for ever.
 */
export class FairSlots {
  readonly #options: FairSlotsOptions;
  readonly #runningOf = new Map<string, number>();
  readonly #waiting = new Map<string, Set<Waiter>>();
  /** When an account was last given something, as a number that counts; kept while anybody waits. */
  readonly #servedAt = new Map<string, number>();
  #served = 0;
  #running = 0;
  #waitingCount = 0;
  /** Waiters of more than one place. */
  #waitingGroups = 0;

  constructor(options: FairSlotsOptions) {
    this.#options = options;
  }

  load(): { running: number; waiting: number } {
    return { running: this.#running, waiting: this.#waitingCount };
  }

  /**
   * Takes a place, or `count` of them at once, waiting if need be; nothing to await when they are free. Throws `noSlot` when
   * too many wait, and when there will never be so many places. What was taken is given back by `release`.
   */
  acquire(account: string, signal?: StopSignal, count = 1): Promise<void> | undefined {
    const { slots, maxWaiting } = this.#options;
    if (count > slots) {
      throw new StorageError('noSlot', `Slot not available: ${count} are needed at once, and there are ${slots}`);
    }
    if (this.#waitingGroups === 0 && this.#mayEnter(account, count)) {
      this.#enter(account, count);
      return undefined;
    }
    const ofAccount = this.#waiting.get(account);
    if ((ofAccount?.size ?? 0) >= maxWaiting || this.#waitingCount >= maxWaiting * maxWaitingFactor) {
      throw new StorageError('noSlot', 'Slot not available');
    }
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const leave = () => {
        this.#remove(account, waiter);
        reject(signal!.reason);
        // Others may have waited for nothing but this one's turn.
        this.#dispatch();
      };
      const waiter: Waiter = {
        count,
        enter: () => {
          signal?.removeEventListener('abort', leave);
          resolve();
        },
      };
      const queue = this.#waiting.get(account) ?? new Set();
      this.#waiting.set(account, queue.add(waiter));
      this.#waitingCount++;
      if (count > 1) this.#waitingGroups++;
      signal?.addEventListener('abort', leave, { once: true });
    });
  }

  /** Gives places of the account back, to whose turn it is. */
  release(account: string, count = 1): void {
    const left = this.#runningOf.get(account)! - count;
    if (left > 0) this.#runningOf.set(account, left);
    else this.#runningOf.delete(account);
    this.#running -= count;
    if (this.#waitingCount > 0) this.#dispatch();
    else if (left <= 0) this.#servedAt.delete(account);
  }

  #dispatch(): void {
    for (let next = this.#findNext(); next !== undefined; next = this.#findNext()) {
      const [waiter] = this.#waiting.get(next)!;
      this.#remove(next, waiter!);
      this.#enter(next, waiter!.count);
      waiter!.enter();
    }
  }

  #findNext(): string | undefined {
    let first: string | undefined;
    let firstServed = Infinity;
    for (const [account, queue] of this.#waiting) {
      const [waiter] = queue;
      const served = this.#servedAt.get(account) ?? 0;
      const mayEnter = this.#mayEnter(account, waiter!.count);
      if (served >= firstServed || (!mayEnter && waiter!.count === 1)) continue;
      // A group that cannot enter yet holds up those whose turn comes later.
      first = mayEnter ? account : undefined;
      firstServed = served;
    }
    return first;
  }

  #mayEnter(account: string, count: number): boolean {
    const { slots, reserved } = this.#options;
    if (this.#running + count <= slots) return true;
    return count === 1 && this.#running < slots + reserved && !this.#runningOf.has(account);
  }

  #enter(account: string, count: number): void {
    this.#running += count;
    this.#runningOf.set(account, (this.#runningOf.get(account) ?? 0) + count);
    this.#servedAt.set(account, ++this.#served);
  }

  #remove(account: string, waiter: Waiter): void {
    const queue = this.#waiting.get(account);
    if (!queue?.delete(waiter)) return;
    this.#waitingCount--;
    if (waiter.count > 1) this.#waitingGroups--;
    if (queue.size === 0) this.#waiting.delete(account);
    if (this.#waitingCount > 0) return;
    for (const served of this.#servedAt.keys()) if (!this.#runningOf.has(served)) this.#servedAt.delete(served);
  }
}
