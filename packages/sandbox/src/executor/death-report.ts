import { isWritable } from '../channels/channel-spec';
import { createReport, noAccounting, reportCode } from '../report';
import type { Output, Report, Session } from '../session';

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

/** Its outputs, of which nothing is left. */
export function lostOutputs({ channels }: Session): Output[] {
  return channels
    .filter(isWritable)
    .map(({ name }) => ({ name, sizeBytes: 0, isLost: true, body: { kind: 'bytes', data: new Uint8Array(0) } }));
}
