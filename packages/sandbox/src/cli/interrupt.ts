import os from 'node:os';
import { SessionError, sessionCode } from '../manifest/session-error';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

/** The end of a session whose command got a signal. */
export function interruptedBy({ reason }: AbortSignal): SessionError {
  return new SessionError(`Signal ${reason} from trusted code`, sessionCode.interrupted);
}

/** Turns a signal to this process into an abort with the signal's number, so that the guest ends first. */
export async function withInterrupt<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const listeners = signals.map((name) => {
    const listener = () => controller.abort(os.constants.signals[name]);
    process.on(name, listener);
    return { name, listener };
  });
  try {
    return await work(controller.signal);
  } finally {
    for (const { name, listener } of listeners) process.off(name, listener);
  }
}
