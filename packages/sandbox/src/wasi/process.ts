import { errno } from './errno';
import { GuestExit, GuestSignal } from './guest-end';

/** WASI numbers signals as Linux does up to TERM; behind it Linux has one more (STKFLT). */
const lastSharedSignal = 15;
const lastSignal = 30;

export function processFunctions() {
  return {
    proc_exit(code: number): number {
      throw new GuestExit(code >>> 0);
    },

    proc_raise(signal: number): number {
      if (signal < 0 || signal > lastSignal) return errno.inval;
      if (signal === 0) return errno.success;
      throw new GuestSignal(signal > lastSharedSignal ? signal + 1 : signal);
    },

    sched_yield: (): number => errno.success,
  };
}
