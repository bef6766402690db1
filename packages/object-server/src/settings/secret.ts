import { inspect } from 'node:util';

const mask = '***';

/** A value that must not reach a log: it prints, inspects and serialises as `***`. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself; the only way to it. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return mask;
  }

  toJSON(): string {
    return mask;
  }

  [inspect.custom](): string {
    return mask;
  }
}

/** Makes one property of a plain record print, inspect and serialise as `***`; reading it stays as it was. */
export function hideProperty<T extends object>(record: T, property: keyof T): T {
  const masked = () => ({ ...record, [property]: mask });
  return Object.defineProperties(record, {
    toJSON: { value: masked },
    [inspect.custom]: { value: masked },
  });
}
