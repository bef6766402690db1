/**
 * What the guest's thread and its supervisor know together: where the session stands. Each change of phase that both may
 * want (the guest ends, the supervisor kills it) is a compare-and-exchange, so exactly one of them reports the session.
 */
export const phase = {
  /** No session. */
  idle: 0,
  /** Admission, compiling, unpacking. */
  setup: 1,
  /** Guest code runs. */
  running: 2,
  /** The guest has ended; its outputs are collected and reported by the thread. */
  finishing: 3,
  /** The supervisor has taken over and reports. */
  killed: 4,
} as const;

export type Phase = (typeof phase)[keyof typeof phase];

const words = { phase: 0, session: 1 } as const;
const times = { phaseAt: 0, startedAt: 1, userMicros: 2, systemMicros: 3 } as const;
const timesOffset = 16;

export function createControl(): SharedArrayBuffer {
  return new SharedArrayBuffer(timesOffset + 8 * Object.keys(times).length);
}

/** Monotonic milliseconds, the same in every thread of the process. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** CPU seconds of a session: of its process, which runs nothing else meanwhile (the engine's compile threads included). */
export interface CpuSeconds {
  userSeconds: number;
  systemSeconds: number;
}

/** The view that both threads open over the shared memory. */
export class Control {
  private readonly words: Int32Array;
  private readonly times: Float64Array;
  private isRested = false;

  constructor(readonly shared: SharedArrayBuffer) {
    this.words = new Int32Array(shared, 0, 2);
    this.times = new Float64Array(shared, timesOffset);
  }

  get session(): number {
    return Atomics.load(this.words, words.session);
  }

  get phase(): Phase {
    return Atomics.load(this.words, words.phase) as Phase;
  }

  /** When the session's setup began. */
  get setupAtMs(): number {
    return this.times[times.phaseAt]!;
  }

  /** When the guest started; meaningless before `running`. */
  get startedAtMs(): number {
    return this.times[times.startedAt]!;
  }

  begin(session: number): void {
    this.times[times.phaseAt] = nowMs();
    if (!this.isRested) this.noteCpu();
    this.isRested = false;
    Atomics.store(this.words, words.session, session);
    Atomics.store(this.words, words.phase, phase.setup);
  }

  /** False when the supervisor was first. */
  start(): boolean {
    this.times[times.startedAt] = nowMs();
    return this.advance(phase.setup, phase.running);
  }

  advance(from: Phase, to: Phase): boolean {
    return Atomics.compareExchange(this.words, words.phase, from, to) === from;
  }

  /** The thread reports the session, whatever its phase; if the supervisor was first, the thread's part ends here. */
  claim(): void {
    if (this.advance(phase.setup, phase.finishing) || this.advance(phase.running, phase.finishing)) return;
    if (this.phase === phase.killed) this.park();
  }

  idle(): void {
    Atomics.store(this.words, words.phase, phase.idle);
  }

  /**
   * The thread waits from here on, and so does all of its process: what CPU time it has used when the next session begins is known now,
   * which takes the call of the system out of the session's way.
   */
  rest(): void {
    this.noteCpu();
    this.isRested = true;
  }

  private noteCpu(): void {
    const { user, system } = process.cpuUsage();
    this.times[times.userMicros] = user;
    this.times[times.systemMicros] = system;
  }

  cpuSinceBegin(): CpuSeconds {
    const { user, system } = process.cpuUsage();
    return {
      userSeconds: (user - this.times[times.userMicros]!) / 1e6,
      systemSeconds: (system - this.times[times.systemMicros]!) / 1e6,
    };
  }

  /** Ends the thread's part after the supervisor has taken over: waits to be terminated. */
  park(): never {
    for (;;) Atomics.wait(this.words, words.phase, phase.killed);
  }
}
