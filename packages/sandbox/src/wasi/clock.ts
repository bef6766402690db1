import { performance } from 'node:perf_hooks';
import { clockIds } from './abi';
import type { HostContext } from './context';
import { errno } from './errno';

/** The guest's time, in nanoseconds. */
export interface Clock {
  readonly resolutionNs: bigint;
  /** Since 1970. */
  realtimeNs(): bigint;
  /** Since some moment before the guest started; never goes back. Also stands in for CPU time. */
  monotonicNs(): bigint;
  /** Lets time pass. */
  sleep(durationNs: bigint): void;
}

/** Finer clocks would help a guest to measure what it must not know. */
const microsecondNs = 1000n;

/** Nobody ever wakes it. */
let sleeper: Int32Array<SharedArrayBuffer> | undefined;

/** The host's clocks at a resolution of one microsecond. */
export function realClock(): Clock {
  // Taken per session: the wall clock may have been set since the worker started.
  const startMs = performance.now();
  const offsetMs = Date.now() - startMs;
  return {
    resolutionNs: microsecondNs,
    realtimeNs: () => BigInt(Math.floor((offsetMs + performance.now()) * 1000)) * microsecondNs,
    monotonicNs: () => BigInt(Math.floor((performance.now() - startMs) * 1000)) * microsecondNs,
    // Atomics.wait, unlike any system call, ends when the worker is terminated.
    sleep: (durationNs) => {
      sleeper ??= new Int32Array(new SharedArrayBuffer(4));
      Atomics.wait(sleeper, 0, 0, Number(durationNs) / 1e6);
    },
  };
}

/** ZeroVM's clock: starts at a given second, one microsecond per query, and a sleep only moves it on. */
export function deterministicClock(startS = 0): Clock {
  const startNs = BigInt(Math.floor(startS * 1e6)) * microsecondNs;
  let nowNs = startNs;
  const tick = (): bigint => {
    nowNs += microsecondNs;
    return nowNs - microsecondNs;
  };
  return {
    resolutionNs: microsecondNs,
    realtimeNs: tick,
    monotonicNs: () => tick() - startNs,
    sleep: (durationNs) => {
      nowNs += durationNs;
    },
  };
}

export function clockFunctions({ memory, clock }: HostContext) {
  return {
    clock_res_get(id: number, result: number): number {
      if (!isClock(id)) return errno.inval;
      memory.setUint64(result, clock.resolutionNs);
      return errno.success;
    },

    clock_time_get(id: number, _precisionNs: bigint, result: number): number {
      if (!isClock(id)) return errno.inval;
      memory.check(result, 8);
      memory.setUint64(result, id === clockIds.realtime ? clock.realtimeNs() : clock.monotonicNs());
      return errno.success;
    },
  };
}

function isClock(id: number): boolean {
  return id >= clockIds.realtime && id <= clockIds.threadCpu;
}
