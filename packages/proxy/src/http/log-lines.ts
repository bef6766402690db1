import pino, { type Logger } from 'pino';

/** Pino's number of the level `info`. */
export const infoLevel = 30;

/** Lines are handed on together, at the latest after this time: the stream looks at all it holds with each write. */
const bundleLines = 64;
const bundleMs = 200;

/** Bundles with lines in them, to be handed on when the process ends. */
const waiting = new Set<() => void>();
process.prependListener('exit', () => {
  for (const flush of waiting) flush();
});

/** JSON with its line end, or what makes it when the line is handed on, which nobody waits for. */
type LogLine = string | (() => string);

/**
 * Writes lines that the caller has put together to the logger's stream: for what is logged with every request, where the
 * logger's own way costs more than the request itself.
 */
export function createLogLines(log: Logger): (line: LogLine) => void {
  const stream = (log as unknown as Record<symbol, { write(lines: string): unknown }>)[pino.symbols.streamSym]!;
  let lines: LogLine[] = [];
  const flush = () => {
    waiting.delete(flush);
    if (lines.length > 0) stream.write(lines.map(textOf).join(''));
    lines = [];
  };
  return (line) => {
    lines.push(line);
    if (lines.length >= bundleLines) {
      flush();
    } else if (!waiting.has(flush)) {
      waiting.add(flush);
      setTimeout(flush, bundleMs).unref();
    }
  };
}

function textOf(line: LogLine): string {
  return typeof line === 'string' ? line : line();
}

const needsEscape = /[^\x20-\x7e]|["\\]/;

/** As JSON; most texts need no escaping, and the search for what does costs less than making sure. */
export function quoted(text: string): string {
  return needsEscape.test(text) ? JSON.stringify(text) : `"${text}"`;
}
