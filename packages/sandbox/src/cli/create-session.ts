import { isWritable } from '../channels/channel-spec';
import { firstInheritedFd } from '../executor/protocol';
import type { Manifest } from '../manifest/manifest';
import { SessionError, sessionCode } from '../manifest/session-error';
import type { Nvram, NvramMount } from '../nvram/nvram';
import type { Channel, FileType, InheritedSnapshot, LocalOptions, Mount, Session } from '../session';
import { isTar } from './is-tar';
import type { OpenedChannel, OpenedChannels } from './open-channels';
import type { ProgramFile } from './open-program';
import type { OpenedSnapshot } from './snapshot-cache';
import type { TraceFile } from './trace-file';

/** The largest delay a timer can have, in milliseconds. */
const maxTimeoutMs = 2 ** 31 - 1;

const programKey = 'program';

/**
 * The descriptor in the executor of the n-th inherited file: the program, the channels in their order, the module and the
 * memory of the snapshot, the trace.
 */
function fdOf(index: number): number {
  return firstInheritedFd + index;
}

/** What a session is made of. */
export interface SessionParts {
  manifest: Manifest;
  nvram: Nvram;
  program: ProgramFile;
  channels: OpenedChannels;
  /** Two more inherited files. */
  snapshot?: OpenedSnapshot;
}

/** The session of a manifest, over the files that its executor inherits. Throws `SessionError` for a wrong configuration. */
export function createSession(
  { manifest, nvram, program, channels, snapshot }: SessionParts,
  onWarning: (text: string) => void,
): Session {
  const source = { kind: 'inherited' as const, fd: fdOf(0), sizeBytes: program.sizeBytes };
  return {
    tenant: 'local',
    program: { kind: 'module', source, cacheKey: programKey },
    args: nvram.args ?? [manifest.program],
    env: nvram.env,
    channels: channels.all.map((opened, index) => toChannel(opened, fdOf(index + 1), nvram)),
    mounts: findMounts(nvram, channels, onWarning),
    systemImages: [],
    timeoutMs: Math.min(manifest.timeoutS * 1000, maxTimeoutMs),
    memoryBytes: manifest.memoryBytes,
    local: {
      memoryEtag: manifest.memoryEtag,
      saves: findSaves(nvram, channels),
      ...(snapshot && { snapshot: toInherited(snapshot, channels) }),
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

function toInherited({ facts, module, memory }: OpenedSnapshot, channels: OpenedChannels): InheritedSnapshot {
  const first = channels.all.length + 1;
  return {
    facts,
    module: { kind: 'inherited', fd: fdOf(first), sizeBytes: module.sizeBytes },
    memory: { kind: 'inherited', fd: fdOf(first + 1), sizeBytes: memory.sizeBytes },
  };
}

/** The images to unpack. What is no archive remains a channel, as with ZeroVM, but not in silence. */
function findMounts(nvram: Nvram, channels: OpenedChannels, onWarning: (text: string) => void): Mount[] {
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
export function addTraces(
  session: Session,
  { verbosity }: Nvram,
  channels: OpenedChannels,
  trace: TraceFile | undefined,
): Session {
  const originMs = trace?.originMs ?? Date.now();
  const traces: NonNullable<NonNullable<Session['local']>['trace']> = [];
  const snapshotFiles = session.local?.snapshot ? 2 : 0;
  if (trace) traces.push({ fd: fdOf(channels.all.length + 1 + snapshotFiles), calls: 'all', originMs });
  const debug = channels.all.findIndex(({ channel }) => channel.alias === '/dev/debug' && channel.limits.writes > 0);
  if (debug >= 0 && verbosity > 0) {
    const calls = verbosity === 1 ? 'failed' : verbosity === 2 ? 'paths' : 'all';
    traces.push({ fd: fdOf(debug + 1), calls, originMs });
  }
  return traces.length === 0 ? session : { ...session, local: { ...session.local, trace: traces } };
}
