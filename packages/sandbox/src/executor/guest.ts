import { type CompiledModule, engine, type ModuleImports } from '../module/engine';
import { reportCode } from '../report';
import type { Report } from '../session';
import { GuestExit, GuestSignal } from '../wasi/guest-end';

/** How a guest ended, in the words of the report. */
export type Ending = Pick<Report, 'exitCode' | 'state' | 'code' | 'detail'>;

/** Makes an instance, which runs a start function of the module if it has one, and returns its `_start`. */
export function instantiate(module: CompiledModule, imports: ModuleImports): () => void {
  return new engine.Instance(module, imports).exports._start as () => void;
}

/** Runs a guest to its end, whatever that is. */
export function runGuest(run: () => void): Ending {
  try {
    run();
    return { exitCode: 0, state: 'ok', code: reportCode.ok };
  } catch (error) {
    return describeEnd(error);
  }
}

/** Throws again what no guest can cause: the host's own failures. */
function describeEnd(error: unknown): Ending {
  if (error instanceof GuestExit) return { exitCode: error.exitCode >>> 0, state: 'ok', code: reportCode.ok };
  if (error instanceof GuestSignal) return interrupted(`Signal ${error.signal} from untrusted code`);
  if (error instanceof engine.RuntimeError) return interrupted(`trap: ${error.message}`);
  if (error instanceof RangeError) {
    const deep = error.message.includes('call stack');
    return interrupted(`trap: ${deep ? 'call stack exhausted' : error.message}`);
  }
  if (error instanceof engine.Exception) return interrupted('trap: uncaught exception');
  throw error;
}

function interrupted(state: string): Ending {
  return { exitCode: 0, state, code: reportCode.interrupted };
}
