import { createReport, noAccounting, reportCode } from '../report';
import type { Report, Session } from '../session';

/**
 * The report of a session whose process is gone without a word: killed because nothing else ended it, or taken down by
 * a fatal error of the engine. Nothing is known of its counters, and its CPU time is taken as all of the time.
 */
export function createDeathReport(
  session: Session,
  { timedOut, elapsedMs }: { timedOut: boolean; elapsedMs: number },
): Report {
  return createReport({
    validation: session.program.kind === 'system-image' ? 2 : 0,
    accounting: { ...noAccounting, userSeconds: elapsedMs / 1000 },
    state: timedOut ? 'session timeout' : 'sandbox process died',
    code: reportCode.interrupted,
    elapsedMs,
  });
}
