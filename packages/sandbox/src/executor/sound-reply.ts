import { isWritable } from '../channels/channel-spec';
import type { SandboxErrorCode } from '../errors';
import { noAccounting } from '../report';
import type { Accounting, Channel, Output, Report, Session } from '../session';
import type { ExecutorReply } from './protocol';

/**
 * What a broken executor answers reaches callers, headers and logs of the server, so a reply is taken for one only if
 * its executor could have meant it. Whether what it says is true is the tenant's own affair.
 */

type Done = Extract<ExecutorReply, { kind: 'done' }>;
type Failed = Extract<ExecutorReply, { kind: 'failed' }>;

/** No sentence, name or key is longer; a fault in the log is cut. */
const maxTextLength = 128 * 1024;
const maxFaultLength = 4000;
const failures: readonly SandboxErrorCode[] = [
  'system-image-not-found',
  'program-not-found',
  'bad-image',
  'image-too-large',
  'source-not-found',
  'executor-failed',
];
const counters = Object.keys(noAccounting) as (keyof Accounting)[];
const nothingPiped: ReadonlySet<string> = new Set();

/** Throws on anything but an outcome of this session. `piped` are its channels that are ends of pipes, of which nothing is kept. */
export function demandOutcome(reply: Done, session: Session, piped = nothingPiped): void {
  demand(isReport(reply.report), 'a report');
  const { outputs, evicted, cached } = reply;
  demand(Array.isArray(evicted) && evicted.every(isString), 'what it dropped');
  demand(cached === undefined || isString(cached), 'what it keeps');
  demand(Array.isArray(outputs), 'outputs');
  const channels = session.channels.filter(isWritable);
  demand(outputs.length === channels.length, 'the outputs that were asked for');
  channels.forEach((channel, index) => {
    demand(isOutput(outputs[index]!, channel, piped.has(channel.name)), `the output ${channel.name}`);
  });
}

/** Throws on anything but the failure of a session. */
export function demandFailure({ code, message }: Failed): void {
  demand(failures.includes(code) && isString(message), 'a failure');
}

/** A host's failure as it can be logged. */
export function faultText(fault: unknown): string {
  return String(fault).slice(0, maxFaultLength);
}

function demand(holds: boolean, what: string): void {
  if (!holds) throw new TypeError(`a reply without ${what}`);
}

function isReport(report: Report): boolean {
  const { validation, daemon, exitCode, etags, accounting, state, code, elapsedMs, detail } = report;
  return (
    (validation === 0 || validation === 1 || validation === 2) &&
    typeof daemon === 'boolean' &&
    [exitCode, code, elapsedMs].every(Number.isFinite) &&
    counters.every((counter) => Number.isFinite(accounting[counter])) &&
    Array.isArray(etags) &&
    etags.every(({ name, md5 }) => isString(name) && isDigest(md5)) &&
    isString(state) &&
    (detail === undefined || isString(detail))
  );
}

function isOutput({ name, sizeBytes, md5, isLost, body }: Output, channel: Channel, isPiped: boolean): boolean {
  if (name !== channel.name || !Number.isSafeInteger(sizeBytes) || sizeBytes < 0 || isLost !== undefined) return false;
  if (md5 !== undefined && !isDigest(md5)) return false;
  const isKept = !channel.discard && !channel.inherited && !isPiped;
  if (body.kind === 'file') return isKept;
  return body.kind === 'bytes' && Buffer.isBuffer(body.data) && body.data.length === (isKept ? sizeBytes : 0);
}

function isString(text: unknown): text is string {
  return typeof text === 'string' && text.length <= maxTextLength;
}

function isDigest(md5: unknown): boolean {
  return typeof md5 === 'string' && /^[0-9a-f]{32}$/.test(md5);
}
