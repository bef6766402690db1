import { writeSync } from 'node:fs';
import { type WasiFunctionName, wasiModuleName } from './functions';
import { GuestExit } from './guest-end';
import type { WasiImports } from './host';

type HostFunction = (...args: (number | bigint)[]) => number;

export interface CallTrace {
  /** Open for appending. */
  fd: number;
  calls: 'all' | 'paths' | 'failed';
  /** Wall-clock milliseconds that count as 0. */
  originMs: number;
}

/** Calls that are logged where `paths` is asked for, besides those that fail. */
const noteworthy = /^path_|^fd_close$|^proc_/;

/**
 * The same imports, with a line of ZeroVM's trace format for every guest call:
 * `<elapsed> [<delta>]: fd_write(1, 0x3000, 1, 0x2ff0) = 0`. Numbers from 4096 on are shown as addresses.
 */
export function traceCalls(imports: WasiImports, traces: readonly CallTrace[]): WasiImports {
  const traced = {} as WasiImports[typeof wasiModuleName];
  const lastMs = traces.map(({ originMs }) => Date.now() - originMs);
  const log = (name: string, args: readonly (number | bigint)[], result: string, failed: boolean): void => {
    const call = `${name}(${args.map(formatArgument).join(', ')}) = ${result}`;
    traces.forEach(({ fd, calls, originMs }, index) => {
      if (calls !== 'all' && !failed && !(calls === 'paths' && noteworthy.test(name))) return;
      const nowMs = Date.now() - originMs;
      const line = `${formatSeconds(nowMs)} [${formatSeconds(nowMs - lastMs[index]!)}]: ${call}\n`;
      lastMs[index] = nowMs;
      writeSync(fd, line);
    });
  };
  for (const [name, call] of Object.entries(imports[wasiModuleName])) {
    traced[name as WasiFunctionName] = ((...args: (number | bigint)[]) => {
      try {
        const result = (call as HostFunction)(...args);
        log(name, args, String(result), result !== 0);
        return result;
      } catch (error) {
        log(name, args, '?', !(error instanceof GuestExit));
        throw error;
      }
    }) as never;
  }
  return { [wasiModuleName]: traced };
}

/** Seconds with six digits, as in ZeroVM's traces. */
export function formatSeconds(ms: number): string {
  return (ms / 1000).toFixed(6);
}

function formatArgument(value: number | bigint): string {
  const unsigned = typeof value === 'bigint' ? BigInt.asUintN(64, value) : value >>> 0;
  return unsigned < 4096 ? String(unsigned) : `0x${unsigned.toString(16)}`;
}
