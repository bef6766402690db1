import { SandboxError } from '../errors';
import type { JailMode } from '../jail/forms';
import { parseManifest } from '../manifest/parse-manifest';
import { SessionError, sessionCode } from '../manifest/session-error';
import { createReport, reportCode } from '../report';
import type { Report, Session } from '../session';
import { addTraces, createSession } from './create-session';
import { interruptedBy } from './interrupt';
import { OpenedChannels } from './open-channels';
import { openProgram } from './open-program';
import { type PrivateExecutor, startPrivateExecutor } from './private-executor';
import { readNvram } from './read-nvram';
import { findStart } from './snapshot-start';
import { TraceFile } from './trace-file';

export type RunPhase = 'copying' | 'starting' | 'checking' | 'running' | 'done';

export interface RunOptions {
  /** Report the program as not validated. The engine checks it all the same. */
  skipValidation?: boolean;
  /** Check everything, run nothing. */
  checkOnly?: boolean;
  /** Absolute path; a block is appended. */
  tracePath?: string;
  /** Paths in the manifest that stand for descriptors of this process. */
  bound?: ReadonlyMap<string, number>;
  /** How strongly the guest's process is confined at least. */
  jail?: JailMode;
  /** The environment of the command: where interpreters and their snapshots are. */
  env: Readonly<Record<string, string | undefined>>;
  /** Ends the guest; its reason is the signal's number. */
  signal?: AbortSignal;
  /** Something to know that is no part of the report. */
  onWarning(text: string): void;
  /** What happens now, at verbosity 2 and more, and before what may take its time. */
  onPhase?(phase: RunPhase): void;
}

/**
 * Runs one session as ZeroVM's command does: manifest, program, channels, guest, report. Whatever goes wrong is told by
 * the report. Rejects only if this host cannot run sandboxes.
 */
export async function runManifest(manifestText: string, options: RunOptions): Promise<Report> {
  const closers: (() => void | Promise<void>)[] = [];
  try {
    const trace = options.tracePath === undefined ? undefined : TraceFile.open(options.tracePath);
    if (trace) closers.push(() => trace.close());
    const report = await runSession(manifestText, options, trace, closers);
    return options.skipValidation && report.validation === 0 ? { ...report, validation: 2 } : report;
  } catch (error) {
    if (error instanceof SessionError) {
      return createReport({ validation: 2, state: error.state, code: error.code });
    }
    throw error;
  } finally {
    options.onPhase?.('done');
    for (const close of closers.reverse()) await close();
  }
}

async function runSession(
  manifestText: string,
  options: RunOptions,
  trace: TraceFile | undefined,
  closers: (() => void | Promise<void>)[],
): Promise<Report> {
  trace?.add('[manifest parsing]');
  const manifest = parseManifest(manifestText);
  trace?.add('[user module loading]');
  const program = openProgram(manifest.program);
  closers.push(() => program.close());
  trace?.add('[channels mounting]');
  const channels = await OpenedChannels.open(manifest.channels, options);
  closers.push(() => channels.close());
  const nvram = readNvram(channels);
  if (nvram.precache && manifest.job !== undefined) {
    throw new SessionError('snapshots for daemons are not supported', sessionCode.notSupported);
  }
  const snapshot = await findStart({ manifest, nvram, program, channels }, options);
  if (snapshot) closers.push(() => snapshot.close());
  // In the order that `createSession` counts on.
  const fds = [program.fd, ...channels.all.map(({ fd }) => fd)];
  if (snapshot) fds.push(snapshot.module.fd, snapshot.memory.fd);
  if (trace) fds.push(trace.fd);
  options.onPhase?.('starting');
  const executor = await startPrivateExecutor({
    inheritedFds: fds,
    jail: options.jail ?? 'auto',
    onFault: options.onWarning,
  });
  closers.push(() => executor.close());
  options.onPhase?.('checking');
  trace?.add(`[jail: ${executor.jail}]`);
  trace?.add('[user module validation]');
  const session = createSession({ manifest, nvram, program, channels, snapshot }, options.onWarning);
  const local = { checkOnly: true, ...(session.local?.snapshot && { snapshot: session.local.snapshot }) };
  const checked = await runOne(executor, { ...session, channels: [], mounts: [], local }, options);
  if (checked.code !== reportCode.ok || options.checkOnly) return checked;
  channels.cutOutputs();
  options.onPhase?.('running');
  trace?.add('untrusted code');
  const report = await runOne(executor, addTraces(session, nvram, channels, trace), options);
  trace?.add('[report]');
  return report;
}

async function runOne(executor: PrivateExecutor, session: Session, options: RunOptions): Promise<Report> {
  const { signal } = options;
  try {
    if (signal?.aborted) throw interruptedBy(signal);
    const { report } = await executor.run(session, signal);
    return report;
  } catch (error) {
    if (signal?.aborted) throw interruptedBy(signal);
    if (error instanceof SandboxError && error.code !== 'executor-failed') {
      throw new SessionError(error.message, sessionCode.fault, { cause: error });
    }
    throw error;
  }
}
