import { closeSync, constants, open, openSync } from 'node:fs';
import { interruptedBy } from './interrupt';

/** Milliseconds until a thread that was not waiting yet is woken again. */
const retryMs = 20;

/**
 * Opens a FIFO for reading, which waits until somebody writes to it. An abort ends the wait. Rejects with `SessionError`
 * after an abort, and with the system error if it cannot be opened.
 */
export function openFifo(path: string, signal: AbortSignal | undefined): Promise<number> {
  return new Promise((resolve, reject) => {
    let waking: NodeJS.Timeout | undefined;
    // Nothing ends a thread that waits in open(2) but what it waits for: a writer.
    const wake = () => {
      try {
        closeSync(openSync(path, constants.O_WRONLY | constants.O_NONBLOCK));
      } catch {
        // Nobody waits there at the moment.
      }
      waking = setTimeout(wake, retryMs);
    };
    signal?.addEventListener('abort', wake, { once: true });
    open(path, constants.O_RDONLY, (error, fd) => {
      clearTimeout(waking);
      signal?.removeEventListener('abort', wake);
      if (error) return reject(error);
      if (!signal?.aborted) return resolve(fd);
      closeSync(fd);
      reject(interruptedBy(signal));
    });
  });
}
