import { randomUUID } from 'node:crypto';
import { StorageError } from './errors';
import type { OpenObject } from './store/object-store';
import { leaseLifetimeMs } from './wire/protocol';

interface Lease {
  opened: OpenObject;
  usedAtMs: number;
}

/** Most objects that all proxies together may have open; beyond it something leaks, and opening answers `unavailable`. */
const maxLeases = 20_000;

/** Objects held open for proxies in other processes, each until it is released or its lease runs out. */
export class Leases {
  readonly #leases = new Map<string, Lease>();
  readonly #now: () => number;
  readonly #timer: NodeJS.Timeout;
  #checkedAtMs: number;

  /** `now`: milliseconds of a clock that nobody sets. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#checkedAtMs = now();
    this.#timer = setInterval(() => this.dropExpired(), leaseLifetimeMs / 4).unref();
  }

  /** Takes over an opened object; returns the name of its lease. */
  grant(opened: OpenObject): string {
    if (this.#leases.size >= maxLeases) {
      opened.close();
      throw new StorageError('unavailable', 'Too many objects are open.');
    }
    const id = randomUUID();
    this.#leases.set(id, { opened, usedAtMs: this.#now() });
    return id;
  }

  /** The object, with its lease renewed; `unavailable` if the lease is not there (any more). */
  get(id: string): OpenObject {
    const lease = this.#leases.get(id);
    if (!lease) {
      throw new StorageError('unavailable', 'The object is not open any more.');
    }
    lease.usedAtMs = this.#now();
    return lease.opened;
  }

  /** Renews the leases that are still there. */
  renew(ids: string[]): void {
    for (const lease of ids.map((id) => this.#leases.get(id))) {
      if (lease) {
        lease.usedAtMs = this.#now();
      }
    }
  }

  /** Closes the object; unknown leases are ignored. */
  release(id: string): void {
    this.#leases.get(id)?.opened.close();
    this.#leases.delete(id);
  }

  /** Called several times within a lease's life. */
  dropExpired(): void {
    const nowMs = this.#now();
    // So late only because this process stood still: then renewals wait unread, which count before the next time.
    const stoodStill = nowMs - this.#checkedAtMs > leaseLifetimeMs / 2;
    this.#checkedAtMs = nowMs;
    if (stoodStill) return;
    const oldest = nowMs - leaseLifetimeMs;
    for (const [id, { usedAtMs }] of this.#leases) {
      if (usedAtMs < oldest) {
        this.release(id);
      }
    }
  }

  get size(): number {
    return this.#leases.size;
  }

  /** Closes every object. */
  close(): void {
    clearInterval(this.#timer);
    for (const id of this.#leases.keys()) {
      this.release(id);
    }
  }
}
