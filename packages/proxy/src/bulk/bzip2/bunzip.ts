import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';

/** The bytes are not bzip2, or not all of it. */
export class BzipError extends Error {}

const heapMiB = 64;

/**
 * Inflates bzip2 in a process of its own, for a block of a megabyte takes tenths of a second. (In a thread it would be the
 * whole server's end now and then: Node 20 aborts when a thread goes while V8 is still compiling for it.) Of input and
 * output no more is under way than the pipes hold, however much a small input inflates to. Throws a `BzipError`, or what
 * the source throws.
 */
export async function* bunzip(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const child = spawn(process.execPath, [`--max-old-space-size=${heapMiB}`, path.join(__dirname, 'inflater.js')], {
    env: {},
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const closed = once(child, 'close') as Promise<[number | null, string | null]>;
  closed.catch(() => undefined);
  const sentence = readText(child.stderr);
  let failure: { error: unknown } | undefined;
  async function* input(): AsyncGenerator<Uint8Array> {
    try {
      yield* source;
    } catch (error) {
      failure = { error };
      throw error;
    }
  }
  // A process that has seen enough takes no more input, and says itself what it thinks of it.
  const fed = pipeline(input, child.stdin).catch(() => undefined);
  try {
    yield* child.stdout;
    const [code, signal] = await closed;
    if (failure) throw failure.error;
    if (signal !== null) throw new Error(`the process that inflates was ended by ${signal}`);
    if (code !== 0) throw new BzipError(await sentence);
  } finally {
    child.kill('SIGKILL');
    await Promise.allSettled([closed, fed, sentence]);
  }
}

async function readText(stream: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  for await (const chunk of stream) if (text.length < 1000) text += chunk;
  return text;
}
