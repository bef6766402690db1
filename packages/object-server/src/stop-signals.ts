/**
 * How soon behind the first a signal still is the same one: a terminal and many supervisors signal the whole group, and
 * npm passes on to us what it got itself.
 */
const echoMs = 500;

/** Calls `first` at the first SIGTERM or SIGINT, and `again` at those that come half a second later, or after that. */
export function onStopSignals(first: (signal: NodeJS.Signals) => void, again: (signal: NodeJS.Signals) => void): void {
  let firstMs: number | undefined;
  const hear = (signal: NodeJS.Signals) => {
    if (firstMs !== undefined) {
      if (performance.now() - firstMs >= echoMs) again(signal);
      return;
    }
    firstMs = performance.now();
    first(signal);
  };
  process.on('SIGTERM', hear).on('SIGINT', hear);
}
