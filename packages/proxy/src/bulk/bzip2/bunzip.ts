import { on } from 'node:events';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { type FromWorker, signalWords, windowCount } from './protocol';

/** The bytes are not bzip2, or not all of it. */
export class BzipError extends Error {}

/**
 * Inflates bzip2 in a thread of its own, for a block of a megabyte takes tenths of a second. A few pieces are under way
 * at most, in either direction, however much a small input inflates to. Throws a `BzipError`, or what the source throws.
 */
export async function* bunzip(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const signals = new Int32Array(new SharedArrayBuffer(4 * Object.keys(signalWords).length));
  signals[signalWords.window] = windowCount;
  const input = source[Symbol.asyncIterator]();
  const worker = new Worker(path.join(__dirname, 'worker.js'), {
    workerData: { signals },
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: 64 },
  });
  const changed = (word: number) => {
    Atomics.add(signals, word, 1);
    Atomics.notify(signals, word);
  };
  try {
    for await (const [message] of on(worker, 'message') as AsyncIterable<[FromWorker]>) {
      if (message.kind === 'end') return;
      if (message.kind === 'failed') throw new BzipError(message.sentence);
      if (message.kind === 'data') {
        yield message.data;
        changed(signalWords.window);
      } else {
        const { value, done } = await input.next();
        worker.postMessage(done ? undefined : value);
        changed(signalWords.input);
      }
    }
  } finally {
    await worker.terminate();
    await input.return?.();
  }
}
