/** Swift's form of a time in milliseconds: seconds with exactly five decimals. */
export function formatTimestamp(ticks: number): string {
  const seconds = Math.floor(ticks / ticksPerSecond);
  return `${String(seconds).padStart(10, '0')}.${String(ticks % ticksPerSecond).padStart(5, '0')}`;
}

/** A tick is Swift's smallest time step, 10 µs. */
const ticksPerSecond = 100_000;
const ticksPerMs = 100;

/**
 * Timestamps for writes: every call gives a later one, also within one millisecond and when the clock steps back, so
 * that of two requests the later one wins.
 */
export function createTimestamps(now: () => number): () => string {
  let last = 0;
  return () => {
    last = Math.max(Math.floor(now() * ticksPerMs), last + 1);
    return formatTimestamp(last);
  };
}

/** `2026-11-22T17:36:03.305520`, as listings show times. */
export function isoTimestamp(timestamp: string): string {
  const [seconds = '0', fraction = ''] = timestamp.split('.');
  return `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19)}.${fraction.padEnd(6, '0')}`;
}

/** An HTTP date that is not before the timestamp, as Swift rounds `Last-Modified` up. */
export function httpDate(timestamp: string): string {
  const seconds = Math.ceil(Number(timestamp));
  let date = knownDates.get(seconds);
  if (date === undefined) {
    date = new Date(seconds * 1000).toUTCString();
    if (knownDates.size >= maxKnownDates) knownDates.clear();
    knownDates.set(seconds, date);
  }
  return date;
}

/** Writing a date costs more than all other headers of an answer; objects that are read much are read again. */
const knownDates = new Map<number, string>();
const maxKnownDates = 4096;
