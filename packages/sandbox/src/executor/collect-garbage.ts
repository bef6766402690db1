import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Collects now what the engine would leave lying about as long as the thread only waits. */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  // The flag is the process's: another thread that warms itself up may have taken it back already.
  const collect = runInNewContext('globalThis.gc') as (() => void) | undefined;
  setFlagsFromString('--no-expose-gc');
  collect?.();
}
