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
  enter(): void;
}

const maxWaitingFactor = 8;

/**
 * Who runs next, between accounts. A free place goes to the account whose turn it is (round robin over those that
 * wait), and within an account to who waits longest; so a job of a thousand nodes holds up its own account only. An
 * account that runs nothing does not even wait for the end of somebody's session: a few places are kept for such.
 */
export class FairSlots {
  readonly #options: FairSlotsOptions;
  readonly #runningOf = new Map<string, number>();
  /** In the order of turns. */
  readonly #waiting = new Map<string, Set<Waiter>>();
  #running = 0;
  #waitingCount = 0;

  constructor(options: FairSlotsOptions) {
    this.#options = options;
  }

  load(): { running: number; waiting: number } {
    return { running: this.#running, waiting: this.#waitingCount };
  }

  /**
   * Takes a place, waiting for one if need be; nothing to await when one is free. Throws `noSlot` when too many wait.
   * Every place taken is given back by `release`.
   */
  acquire(account: string, signal?: AbortSignal): Promise<void> | undefined {
    if (this.#mayEnter(account)) {
      this.#enter(account);
      return undefined;
    }
    const { maxWaiting } = this.#options;
    const ofAccount = this.#waiting.get(account);
    if ((ofAccount?.size ?? 0) >= maxWaiting || this.#waitingCount >= maxWaiting * maxWaitingFactor) {
      throw new StorageError('noSlot', 'Slot not available');
    }
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const leave = () => {
        this.#remove(account, waiter);
        reject(signal!.reason);
      };
      const waiter: Waiter = {
        enter: () => {
          signal?.removeEventListener('abort', leave);
          resolve();
        },
      };
      const queue = this.#waiting.get(account) ?? new Set();
      this.#waiting.set(account, queue.add(waiter));
      this.#waitingCount++;
      signal?.addEventListener('abort', leave, { once: true });
    });
  }

  /** Gives a place of the account back, to whose turn it is. */
  release(account: string): void {
    const left = this.#runningOf.get(account)! - 1;
    if (left > 0) this.#runningOf.set(account, left);
    else this.#runningOf.delete(account);
    this.#running--;
    for (let next = this.#findNext(); next !== undefined; next = this.#findNext()) {
      const queue = this.#waiting.get(next)!;
      const [waiter] = queue;
      this.#remove(next, waiter!);
      // Its next turn comes after those of all others.
      if (queue.size > 0 && this.#waiting.delete(next)) this.#waiting.set(next, queue);
      this.#enter(next);
      waiter!.enter();
    }
  }

  #findNext(): string | undefined {
    for (const account of this.#waiting.keys()) if (this.#mayEnter(account)) return account;
    return undefined;
  }

  #mayEnter(account: string): boolean {
    const { slots, reserved } = this.#options;
    return this.#running < slots || (this.#running < slots + reserved && !this.#runningOf.has(account));
  }

  #enter(account: string): void {
    this.#running++;
    this.#runningOf.set(account, (this.#runningOf.get(account) ?? 0) + 1);
  }

  #remove(account: string, waiter: Waiter): void {
    const queue = this.#waiting.get(account);
    if (!queue?.delete(waiter)) return;
    this.#waitingCount--;
    if (queue.size === 0) this.#waiting.delete(account);
  }
}
