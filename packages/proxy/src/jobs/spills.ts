import type { StorageNode } from '@zerocloud/object-server';
import type { Connection } from './connections';

/** What the connections of one job hold on disk, between nodes that do not run at the same time. */
export class Spills {
  readonly #node: Pick<StorageNode, 'releaseBody'>;
  readonly #held = new Map<Connection, { id: string; sizeBytes: number }>();
  #leftBytes: number;

  constructor(node: Pick<StorageNode, 'releaseBody'>, maxBytes: number) {
    this.#node = node;
    this.#leftBytes = maxBytes;
  }

  /** Bytes that may still be written. */
  get leftBytes(): number {
    return Math.max(0, this.#leftBytes);
  }

  hold(connection: Connection, id: string, sizeBytes: number): void {
    this.#held.set(connection, { id, sizeBytes });
    this.#leftBytes -= sizeBytes;
  }

  /** The staged body that holds what was written; undefined if its writer was lost. */
  findId(connection: Connection): string | undefined {
    return this.#held.get(connection)?.id;
  }

  /** Lets go of what was read. A body that cannot be released now is dropped by its node later. */
  async release(connections: Iterable<Connection>): Promise<void> {
    for (const connection of connections) {
      const held = this.#held.get(connection);
      if (!held) continue;
      this.#held.delete(connection);
      this.#leftBytes += held.sizeBytes;
      await this.#node.releaseBody(held.id).catch(() => undefined);
    }
  }

  releaseAll(): Promise<void> {
    return this.release([...this.#held.keys()]);
  }
}
