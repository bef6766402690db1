import { isWritable } from '../channels/channel-spec';
import { SandboxError } from '../errors';
import { firstInheritedFd } from '../executor/protocol';
import type { JailMode } from '../jail/forms';
import type { Manifest } from '../manifest/manifest';
import { parseManifest } from '../manifest/parse-manifest';
import { SessionError, sessionCode } from '../manifest/session-error';
import type { Nvram, NvramMount } from '../nvram/nvram';
import { createReport, reportCode } from '../report';
import type { Channel, FileType, LocalOptions, Mount, Report, Session } from '../session';
import { interruptedBy } from './interrupt';
import { isTar } from './is-tar';
import { type OpenedChannel, OpenedChannels } from './open-channels';
import { openProgram, type ProgramFile } from './open-program';
import { type PrivateExecutor, startPrivateExecutor } from './private-executor';
import { readNvram } from './read-nvram';
import { TraceFile } from './trace-file';

export type RunPhase = 'starting' | 'checking' | 'running' | 'done';

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
  /** Ends the guest; its reason is the signal's number. */
  signal?: AbortSignal;
  /** Something to know that is no part of the report. */
  onWarning(text: string): void;
  /** What happens now, at verbosity 2 and more, and before what may take its time. */
  onPhase?(phase: RunPhase): void;
}

/** The largest delay a timer can have, in milliseconds. */
const maxTimeoutMs = 2 ** 31 - 1;

const programKey = 'program';

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
  const fds = [program.fd, ...channels.all.map(({ fd }) => fd), ...(trace ? [trace.fd] : [])];
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
  const session = createSession(manifest, nvram, program, channels, options);
  const checked = await runOne(executor, { ...session, channels: [], mounts: [], local: { checkOnly: true } }, options);
  if (checked.code !== reportCode.ok || options.checkOnly) return checked;
  channels.cutOutputs();
  options.onPhase?.('running');
  trace?.add('untrusted code');
  const report = await runOne(executor, withTraces(session, nvram, channels, trace, fds.length), options);
  trace?.add('[report]');
  return report;
}

/** The descriptor in the executor of the n-th inherited file: the program is the first, then the channels. */
function fdOf(index: number): number {
  return firstInheritedFd + index;
}

function createSession(
  manifest: Manifest,
  nvram: Nvram,
  { sizeBytes }: ProgramFile,
  channels: OpenedChannels,
  options: RunOptions,
): Session {
  const source = { kind: 'inherited' as const, fd: fdOf(0), sizeBytes };
  return {
    tenant: 'local',
    program: { kind: 'module', source, cacheKey: programKey },
    args: nvram.args ?? [manifest.program],
    env: nvram.env,
    channels: channels.all.map((opened, index) => toChannel(opened, fdOf(index + 1), nvram)),
    mounts: findMounts(nvram, channels, options),
    systemImages: [],
    timeoutMs: Math.min(manifest.timeoutS * 1000, maxTimeoutMs),
    memoryBytes: manifest.memoryBytes,
    local: {
      memoryEtag: manifest.memoryEtag,
      saves: findSaves(nvram, channels),
      ...(nvram.startSeconds !== undefined && { startSeconds: nvram.startSeconds }),
    },
  };
}

function toChannel({ channel, kind, sizeBytes, isTerminal }: OpenedChannel, fd: number, nvram: Nvram): Channel {
  const { alias: name, type, etag, limits } = channel;
  const usual: FileType = isTerminal ? 'char' : kind === 'stream' || type === 0 || type === 2 ? 'pipe' : 'file';
  const fileType = nvram.fileTypes.get(name) ?? usual;
  return { name, type, etag, limits, fileType, inherited: { kind, fd, sizeBytes } };
}

/** The images to unpack. What is no archive remains a channel, as with ZeroVM, but not in silence. */
function findMounts(nvram: Nvram, channels: OpenedChannels, { onWarning }: RunOptions): Mount[] {
  return nvram.mounts.flatMap((mount): Mount[] => {
    const { channel, mountPoint, access } = mount;
    const { index, found } = getMountChannel(mount, channels);
    if (access !== 'ro') return [];
    if (found.kind !== 'file' || found.sizeBytes === 0 || !isTar(found.fd)) {
      onWarning(`${channel} is not a plain tar archive and is not mounted`);
      return [];
    }
    const source = { kind: 'inherited' as const, fd: fdOf(index + 1), sizeBytes: found.sizeBytes };
    return [{ kind: 'tar', source, mountPoint }];
  });
}

/** The directories to save. */
function findSaves(nvram: Nvram, channels: OpenedChannels): NonNullable<LocalOptions['saves']> {
  return nvram.mounts.flatMap((mount) => {
    if (mount.access !== 'wo') return [];
    const { index, found } = getMountChannel(mount, channels);
    if (isWritable(found.channel)) return [{ channel: index, directory: mount.mountPoint }];
    throw new SessionError(`NVRAM ${mount.line}: ${mount.channel} cannot be written`, sessionCode.fault);
  });
}

function getMountChannel(
  { line, channel }: NvramMount,
  channels: OpenedChannels,
): { index: number; found: OpenedChannel } {
  const index = channels.all.findIndex((one) => one.channel.alias === channel);
  const found = channels.all[index];
  if (!found) throw new SessionError(`NVRAM ${line}: no channel ${channel}`, sessionCode.fault);
  return { index, found };
}

/** Adds who wants to know the guest's calls: the trace file, and `/dev/debug` as far as its verbosity goes. */
function withTraces(
  session: Session,
  { verbosity }: Nvram,
  channels: OpenedChannels,
  trace: TraceFile | undefined,
  fdCount: number,
): Session {
  const originMs = trace?.originMs ?? Date.now();
  const traces: NonNullable<NonNullable<Session['local']>['trace']> = [];
  if (trace) traces.push({ fd: fdOf(fdCount - 1), calls: 'all', originMs });
  const debug = channels.all.findIndex(({ channel }) => channel.alias === '/dev/debug' && channel.limits.writes > 0);
  if (debug >= 0 && verbosity > 0) {
    const calls = verbosity === 1 ? 'failed' : verbosity === 2 ? 'paths' : 'all';
    traces.push({ fd: fdOf(debug + 1), calls, originMs });
  }
  return traces.length === 0 ? session : { ...session, local: { ...session.local, trace: traces } };
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
