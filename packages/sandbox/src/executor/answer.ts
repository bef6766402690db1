import { SandboxError } from '../errors';
import type { Control } from './control';
import type { ExecutorReply, SessionRequest } from './protocol';
import { describeFault, type SessionRunner } from './run-session';

/** Runs a session and says how it went, whatever happens. Does not return if the supervisor reports the session instead. */
export function answerSession(runner: SessionRunner, control: Control, request: SessionRequest): ExecutorReply {
  try {
    return runner.run(request);
  } catch (error) {
    // Whoever was faster reports; from here on it must not be the supervisor.
    control.claim();
    if (error instanceof SandboxError) {
      return { kind: 'failed', id: request.id, code: error.code, message: error.message };
    }
    const fault = describeFault(error);
    return { kind: 'failed', id: request.id, code: 'executor-failed', message: 'the session could not be run', fault };
  }
}
