/** The guest called `proc_exit`. */
export class GuestExit extends Error {
  constructor(readonly exitCode: number) {
    super(`guest exited with ${exitCode}`);
    this.name = 'GuestExit';
  }
}

/** The guest ended itself by a signal (`proc_raise`), or ran out of stack inside a host call. */
export class GuestSignal extends Error {
  constructor(
    /** Linux signal number. */
    readonly signal: number,
    message = `guest raised signal ${signal}`,
  ) {
    super(message);
    this.name = 'GuestSignal';
  }
}
