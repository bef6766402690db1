import type { Plan } from './plan';

/** A description, and what became of it; the same for all jobs of the account with this text, so nobody changes it. */
export interface KnownDescription {
  readonly description: unknown;
  /** What the text alone asks for. */
  plan?: Plan;
}

const maxKnown = 256;
/** Longer ones are read again each time. */
const maxKnownBytes = 4 * 1024;

/**
 * The descriptions that were posted last. Clients run one job over and over, and to read and plan it costs a tiny one a
 * tenth of its time. By account, so that nobody can tell from an answer's time what others run.
 */
export class KnownDescriptions {
  /** The least recently used first. */
  readonly #known = new Map<string, KnownDescription>();

  /** What is known of these bytes; else what `read` makes of them, whose errors are not remembered. */
  get(account: string, body: Buffer, read: (body: Buffer) => unknown): KnownDescription {
    if (body.length > maxKnownBytes) return { description: read(body) };
    const key = `${account}\0${body.toString('latin1')}`;
    let known = this.#known.get(key);
    if (known) this.#known.delete(key);
    else known = { description: read(body) };
    this.#known.set(key, known);
    if (this.#known.size > maxKnown) this.#known.delete(this.#known.keys().next().value!);
    return known;
  }
}
