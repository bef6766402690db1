/**
 * Answers that take long: as long as the work goes on, a space now and then keeps the connection open, and its outcome
 * follows. A client sees a status before anything is done, so what became of the work stands in the body.
 */
export interface HeartbeatOptions {
  everyMs: number;
  /** Sent instead of the first space: the declaration of an XML document may have no space before it. */
  first?: string;
  /** Sent at once, before the work has taken any time. */
  immediately?: string;
  /** Between spaces, if any were sent, and the outcome. */
  separator: string;
}

export function withHeartbeat(work: Promise<Buffer>, options: HeartbeatOptions): AsyncGenerator<Buffer> {
  // It may fail before anybody reads, and tells who does.
  work.catch(() => undefined);
  return beats(work, options);
}

async function* beats(
  work: Promise<Buffer>,
  { everyMs, first = ' ', immediately, separator }: HeartbeatOptions,
): AsyncGenerator<Buffer> {
  let beat = first;
  let hasBegun = false;
  if (immediately !== undefined) {
    yield Buffer.from(immediately);
    hasBegun = true;
  }
  let timer: NodeJS.Timeout | undefined;
  try {
    for (;;) {
      const tick = new Promise<undefined>((resolve) => {
        timer = setTimeout(() => resolve(undefined), everyMs);
      });
      const outcome = await Promise.race([work, tick]);
      clearTimeout(timer);
      if (outcome) {
        yield hasBegun ? Buffer.concat([Buffer.from(separator), outcome]) : outcome;
        return;
      }
      yield Buffer.from(beat);
      beat = ' ';
      hasBegun = true;
    }
  } finally {
    clearTimeout(timer);
  }
}
