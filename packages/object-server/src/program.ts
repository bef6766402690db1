import { setFlagsFromString } from 'node:v8';
import { engineFlags } from '@zerocloud/sandbox/engine-flags';
import pino, { type Logger } from 'pino';
import { type Role, settingsHelp } from './settings';
import { onStopSignals } from './stop-signals';

/** A program of ours: how to start it, and what `--help` says. */
export interface Program {
  /** First lines of `--help`. */
  usage: string;
  /** Whose settings `--help` lists. */
  roles: readonly Role[];
  /** Reads the environment and starts; rejects with one clear sentence (or the list of wrong settings). */
  start(env: Record<string, string | undefined>): Promise<Running>;
}

export interface Running {
  url: string;
  /** Finishes running requests, then closes everything. */
  close(): Promise<void>;
}

/**
 * Runs a program until SIGTERM or SIGINT. Standard output gets exactly one line, `listening on <url>`, when it is
 * ready. The first signal finishes running requests; one that comes half a second later, or after that, exits at once with
 * status 1.
 */
export async function runProgram({ usage, roles, start }: Program): Promise<void> {
  const [argument] = process.argv.slice(2);
  if (argument === '--help' || argument === '-h') {
    process.stdout.write(settingsHelp(usage, roles));
    return;
  }
  if (argument !== undefined) {
    fail(new Error(`Unknown argument ${argument}; settings are environment variables, --help lists them.`));
  }
  for (const flag of engineFlags) setFlagsFromString(flag);
  const stopping = new Promise<unknown>((resolve) => onStopSignals(resolve, () => process.exit(1)));
  const running = await Promise.resolve(process.env).then(start).catch(fail);
  process.stdout.write(`listening on ${running.url}\n`);
  await stopping;
  await running.close().catch(fail);
  process.exit(0);
}

function fail(error: Error): never {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}

/**
 * A failure that nobody waited for is a bug, and goes to the log as one; but it concerns one request, and must not end those of everybody
 * else, as Node would have it. What is thrown outside of promises still ends the process.
 */
export function outliveStrayFailures(log: Logger): void {
  process.on('unhandledRejection', (err) => log.error({ err }, 'a failure that nobody waited for'));
}

/** Logs as JSON lines on standard error; a few at a time, for a write each would cost a tenth of every request. */
export function createLogger(level: string): Logger {
  const destination = pino.destination({ fd: 2, sync: false, minLength: 4096, periodicFlush: 200 });
  // Also after an uncaught error, whose own line is in there.
  process.once('exit', () => destination.flushSync());
  return pino({ level, base: undefined }, destination);
}
