import { pageBytes } from '../limits';
import { engine, type LinearMemory } from '../module/engine';

/** A larger memory takes longer to wipe than to make anew. */
const maxSpareBytes = 16 * 1024 ** 2;

/**
 * The linear memory of the last session, wiped for the next one of the same shape. An executor has one tenant, who
 * mostly runs one program; making a memory and collecting it again would cost such a session a quarter of its time.
 */
export class SpareMemory {
  private shape = '';
  private used: LinearMemory | undefined;
  private wiped: LinearMemory | undefined;

  /** A memory of zeros with these limits, in pages. */
  take(initial: number, maximum: number): LinearMemory {
    const shape = `${initial}-${maximum}`;
    const memory = shape === this.shape && this.wiped ? this.wiped : new engine.Memory({ initial, maximum });
    this.shape = shape;
    this.wiped = undefined;
    // What has grown cannot shrink again; whether it has is seen when it is wiped.
    this.used = initial * pageBytes <= maxSpareBytes ? memory : undefined;
    return memory;
  }

  /** Lets go of the memory. */
  drop(): void {
    this.used = undefined;
    this.wiped = undefined;
  }

  /** To be called between two sessions, when nobody waits. */
  settle(): void {
    const { used } = this;
    this.used = undefined;
    if (!used || `${used.buffer.byteLength / pageBytes}` !== this.shape.split('-', 1)[0]) return;
    new Uint8Array(used.buffer).fill(0);
    this.wiped = used;
  }
}
