import type { Readable } from 'node:stream';
import { isStorageError } from './errors';
import type { ByteRange, ObjectPath, ObjectRecord, OpenObject } from './store/object-store';
import type { NodeClient } from './wire/client';
import { leaseHeader, leaseRenewalMs, recordHeader, toPath } from './wire/protocol';

/**
 * Opens an object of another process. A small body comes along with its record, in one round trip; a large one stays
 * pinned there by a lease, and every `read` is a ranged request for it.
 */
export async function openRemoteObject(
  client: NodeClient,
  leases: LeaseHolder,
  { account, container, object, versionId }: ObjectPath,
): Promise<OpenObject | undefined> {
  const version = versionId === undefined ? '' : `?version=${encodeURIComponent(versionId)}`;
  const path = toPath('objects', account, container, object) + version;
  try {
    const response = await client.request('GET', path, { idempotent: true });
    const record: ObjectRecord = JSON.parse(response.headers[recordHeader] as string);
    const body = await collect(response);
    const lease = response.headers[leaseHeader] as string | undefined;
    return lease === undefined ? inlineObject(record, body) : leasedObject(client, leases, record, lease);
  } catch (error) {
    if (isStorageError(error, 'objectNotFound')) {
      return undefined;
    }
    throw error;
  }
}

async function collect(response: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
}

function inlineObject(record: ObjectRecord, body: Buffer): OpenObject {
  return {
    record,
    read: async (range) => (range ? body.subarray(range.start, range.end + 1) : body),
    close: () => undefined,
  };
}

function leasedObject(client: NodeClient, leases: LeaseHolder, record: ObjectRecord, lease: string): OpenObject {
  leases.hold(lease);
  return {
    record,
    read: (range: ByteRange = { start: 0, end: record.sizeBytes - 1 }) =>
      client.request('GET', toPath('leases', lease), {
        headers: { range: `bytes=${range.start}-${range.end}` },
        idempotent: true,
      }),
    close: () => leases.release(lease),
  };
}

/** How long a proxy that ends waits until its leases are released. A server that stands still drops them by itself. */
const closingMs = 2_000;

/** The leases one proxy holds: renewed together while held, released in the background. */
export class LeaseHolder {
  readonly #client: NodeClient;
  readonly #held = new Set<string>();
  readonly #releasing = new Set<Promise<unknown>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(client: NodeClient) {
    this.#client = client;
  }

  hold(lease: string): void {
    this.#held.add(lease);
    this.#timer ??= setInterval(() => this.#renew(), leaseRenewalMs).unref();
  }

  release(lease: string): void {
    if (!this.#held.delete(lease)) {
      return;
    }
    // A release that gets lost costs nothing: a lease that nobody renews runs out.
    const released = this.#client
      .json('DELETE', toPath('leases', lease), { idempotent: true })
      .catch(() => undefined)
      .finally(() => this.#releasing.delete(released));
    this.#releasing.add(released);
    if (this.#held.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }

  /** Releases everything, and gives the other side a moment to hear of it. */
  async close(): Promise<void> {
    for (const lease of this.#held) {
      this.release(lease);
    }
    let timer: NodeJS.Timeout | undefined;
    const moment = new Promise((resolve) => {
      timer = setTimeout(resolve, closingMs);
    });
    await Promise.race([Promise.all(this.#releasing), moment]);
    clearTimeout(timer);
  }

  #renew(): void {
    this.#client
      .json('POST', toPath('leases'), { body: JSON.stringify([...this.#held]), idempotent: true })
      // The next round comes long before a lease runs out; a server that is gone tells the readers themselves.
      .catch(() => undefined);
  }
}
