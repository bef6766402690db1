/** Lets those who work on what has the same name do so one after the other. */
export class Turns {
  readonly #last = new Map<string, Promise<void>>();

  async take<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(name);
    let end!: () => void;
    const turn = new Promise<void>((resolve) => {
      end = resolve;
    });
    this.#last.set(name, turn);
    try {
      await before;
      return await work();
    } finally {
      if (this.#last.get(name) === turn) this.#last.delete(name);
      end();
    }
  }
}
