import type { NodeOutput, StorageNode } from '@zerocloud/object-server';
import type { Connection } from './connections';

interface Spill {
  /** What may be written, until it is known what was. */
  sizeBytes: number;
  /** The staged body that holds what was written. */
  stagedId?: string;
}

/**
 * What the connections of one job hold on disk, between nodes that do not run at the same time. Before its writer runs a
 * connection is given room, and what it leaves of that is anybody's again: so the limit holds for all of them together.
 */
export class Spills {
  readonly #node: Pick<StorageNode, 'releaseBody'>;
  readonly #spills = new Map<Connection, Spill>();
  #freeBytes: number;
  #reservedBytes = 0;

  constructor(node: Pick<StorageNode, 'releaseBody'>, maxBytes: number) {
    this.#node = node;
    this.#freeBytes = maxBytes;
  }

  /** Bytes that nobody was given. */
  get freeBytes(): number {
    return Math.max(0, this.#freeBytes);
  }

  /** Bytes that were given to nodes which have not ended. */
  get reservedBytes(): number {
    return this.#reservedBytes;
  }

  /** Gives equal parts of `sizeBytes`, which are free, to the connections of nodes that are about to run. */
  reserve(connections: readonly Connection[], sizeBytes: number): void {
    const partBytes = Math.floor(sizeBytes / connections.length);
    for (const connection of connections) {
      this.#spills.set(connection, { sizeBytes: partBytes });
      this.#freeBytes -= partBytes;
      this.#reservedBytes += partBytes;
    }
  }

  /** Bytes that the connection was given, or holds. */
  sizeOf(connection: Connection): number {
    return this.#spills.get(connection)?.sizeBytes ?? 0;
  }

  /** The connection's writer has ended; `output` is what became of what it wrote, undefined if it was lost. */
  hold(connection: Connection, output: Pick<NodeOutput, 'stagedId' | 'sizeBytes'> | undefined): void {
    const held: Spill = output?.stagedId === undefined ? { sizeBytes: 0 } : output;
    const reservedBytes = this.sizeOf(connection);
    this.#reservedBytes -= reservedBytes;
    this.#freeBytes += reservedBytes - held.sizeBytes;
    this.#spills.set(connection, held);
  }

  /** The staged body that holds what was written; undefined if its writer was lost. */
  findId(connection: Connection): string | undefined {
    return this.#spills.get(connection)?.stagedId;
  }

  /** Lets go of what was read. A body that cannot be released now is dropped by its node later. */
  async release(connections: Iterable<Connection>): Promise<void> {
    for (const connection of connections) {
      const spill = this.#spills.get(connection);
      if (!spill) continue;
      this.#spills.delete(connection);
      this.#freeBytes += spill.sizeBytes;
      if (spill.stagedId !== undefined) await this.#node.releaseBody(spill.stagedId).catch(() => undefined);
    }
  }

  releaseAll(): Promise<void> {
    return this.release([...this.#spills.keys()]);
  }
}
