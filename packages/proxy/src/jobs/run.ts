import type { NodeSession, StorageNode } from '@zerocloud/object-server';
import { Stop, type StopSignal } from '@zerocloud/sandbox/stop-signal';
import type { DeniedOutput } from './authorise';
import type { NodeOutcome } from './outcome';
import type { PlannedNode } from './plan';
import { runUnit } from './run-unit';
import type { Job } from './session';
import { Spills } from './spills';
import type { Unit } from './topology';

export interface RunContext {
  node: Pick<StorageNode, 'runSession' | 'runGroup' | 'releaseBody'>;
  job: Job;
  denied: ReadonlyMap<PlannedNode, DeniedOutput>;
  /** Units asked for at once; more would only wait on the storage node, with their inputs open. */
  width: number;
  signal: StopSignal;
  /** Replaces the symlinks and manifests that a session reads by what they stand for. What it stages goes to `staged`. */
  followLinks?(session: NodeSession, staged: string[]): Promise<NodeSession>;
  /** A node is handed to its storage node. */
  onStart?(node: PlannedNode): void;
}

/**
 * Runs the units, in order as far as there is room and as those before them have ended, and hands the outcomes of each to
 * `onOutcomes` as they come. A node that cannot be started ends the job: the others are stopped, and the error is thrown
 * when all are still.
 */
export async function runUnits(
  units: readonly Unit[],
  context: RunContext,
  onOutcomes: (outcomes: NodeOutcome[]) => void | Promise<void>,
): Promise<void> {
  const [only] = units;
  if (units.length === 1 && only) return onOutcomes(await runUnit(only, context, undefined));
  const signal = new Stop();
  const follow = () => signal.abort(context.signal.reason);
  if (context.signal.aborted) follow();
  else context.signal.addEventListener('abort', follow, { once: true });
  const { width } = context;
  const spills = new Spills(context.node, context.job.limits.maxSpillBytes);
  const order = new ReadyUnits(units);
  let failure: { error: unknown } | undefined;
  let running = 0;
  await new Promise<void>((resolve) => {
    const run = async (unit: Unit) => {
      try {
        await onOutcomes(await runUnit(unit, { ...context, signal }, spills));
        await spills.release(unit.incoming);
      } catch (error) {
        failure ??= { error };
        signal.abort();
      }
      running--;
      order.ended(unit);
      startMore();
    };
    const startMore = () => {
      while (!failure && running < width) {
        const unit = order.next;
        if (!unit) break;
        if (unit.outgoing.length > 0) {
          // Much less than one of those that run was given: they will most likely give some of it back.
          if (running > 0 && spills.freeBytes < spills.reservedBytes / running / 2) break;
          const writers = Math.min(order.readyWriters, width - running);
          spills.reserve(unit.outgoing, spills.freeBytes / writers);
        }
        order.take();
        running++;
        void run(unit);
      }
      if (running === 0) resolve();
    };
    startMore();
  });
  context.signal.removeEventListener('abort', follow);
  await spills.releaseAll();
  if (failure) throw (failure as { error: unknown }).error;
}

/** Hands out units: each after those that write to it, the first ones first. */
class ReadyUnits {
  readonly #ready: Unit[] = [];
  #next = 0;
  /** Units that could start now, and write what lies on disk until others read it. */
  readyWriters = 0;
  /** Of units that wait: connections whose writers have not ended. */
  readonly #missing = new Map<Unit, number>();
  readonly #readerOf = new Map<Unit['incoming'][number], Unit>();

  constructor(units: readonly Unit[]) {
    for (const unit of units) {
      if (unit.incoming.length === 0) this.#add(unit);
      else this.#missing.set(unit, unit.incoming.length);
      for (const connection of unit.incoming) this.#readerOf.set(connection, unit);
    }
  }

  /** The first of those that can start. */
  get next(): Unit | undefined {
    return this.#ready[this.#next];
  }

  /** `next` was started. */
  take(): void {
    if (this.#ready[this.#next++]!.outgoing.length > 0) this.readyWriters--;
  }

  ended(unit: Unit): void {
    for (const connection of unit.outgoing) {
      const reader = this.#readerOf.get(connection)!;
      const missing = this.#missing.get(reader)! - 1;
      this.#missing.set(reader, missing);
      if (missing === 0) this.#add(reader);
    }
  }

  #add(unit: Unit): void {
    this.#ready.push(unit);
    if (unit.outgoing.length > 0) this.readyWriters++;
  }
}
