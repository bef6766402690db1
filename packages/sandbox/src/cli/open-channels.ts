import { closeSync, constants, fstatSync, ftruncateSync, openSync, type Stats, statSync } from 'node:fs';
import { isatty } from 'node:tty';
import { isReadable, isWritable } from '../channels/channel-spec';
import type { ManifestChannel } from '../manifest/manifest';
import { SessionError, sessionCode } from '../manifest/session-error';
import { openFifo } from './open-fifo';
import { isOpen, reasonOf, standardFds } from './standard-streams';

/** A channel's file, FIFO or device, open in this process. */
export interface OpenedChannel {
  channel: ManifestChannel;
  fd: number;
  kind: 'file' | 'stream';
  /** Length of a regular file that keeps what it has; 0 for what is written from the beginning. */
  sizeBytes: number;
  isTerminal: boolean;
}

/** What is open for one session; `close` it. */
export class OpenedChannels {
  readonly all: OpenedChannel[] = [];
  private readonly own: number[] = [];

  /**
   * Opens every channel as ZeroVM does: what is only read must exist, what is only written is created, what is both is
   * created and kept. Nothing is cut before `cutOutputs`. `bound` are paths that stand for descriptors of this process.
   * A FIFO waits for its writer. Rejects with `SessionError`.
   */
  static async open(
    channels: readonly ManifestChannel[],
    { bound, signal }: { bound?: ReadonlyMap<string, number>; signal?: AbortSignal },
  ): Promise<OpenedChannels> {
    const opened = new OpenedChannels();
    try {
      for (const channel of channels) {
        const fd = bound?.get(channel.path) ?? findStandardFd(channel.path);
        opened.add(channel, fd ?? (await opened.openPath(channel, signal)), fd !== undefined);
      }
    } catch (error) {
      opened.close();
      throw error;
    }
    return opened;
  }

  find(alias: string): OpenedChannel | undefined {
    return this.all.find(({ channel }) => channel.alias === alias);
  }

  /** The program is accepted: what is written from the beginning loses what it had. */
  cutOutputs(): void {
    for (const { channel, fd, kind } of this.all) {
      if (kind === 'file' && isWritable(channel) && !isReadable(channel)) ftruncateSync(fd, 0);
    }
  }

  close(): void {
    for (const fd of this.own.splice(0)) closeSync(fd);
  }

  private add(channel: ManifestChannel, fd: number, isStandard: boolean): void {
    const readable = isReadable(channel);
    const writable = isWritable(channel);
    if (!isOpen(fd)) throw new SessionError(`cannot open ${channel.alias}: it is closed`, sessionCode.fault);
    const stat = fstatSync(fd);
    // A standard stream that is a file goes on where it stands: others may be writing to it as well.
    const kind = stat.isFile() && !isStandard ? 'file' : 'stream';
    if (kind === 'stream' && readable && writable) {
      throw new SessionError(`${channel.alias}: only a regular file can be read and written`, sessionCode.invalid);
    }
    const sizeBytes = kind === 'file' && readable ? stat.size : 0;
    this.all.push({ channel, fd, kind, sizeBytes, isTerminal: stat.isCharacterDevice() && isatty(fd) });
  }

  private async openPath(channel: ManifestChannel, signal: AbortSignal | undefined): Promise<number> {
    const { path, alias } = channel;
    const readable = isReadable(channel);
    const writable = isWritable(channel);
    const stat = findStat(channel);
    if (stat && !stat.isFile() && !stat.isFIFO() && !stat.isCharacterDevice()) {
      throw new SessionError(`${alias}: neither a file, nor a FIFO, nor a character device`, sessionCode.notSupported);
    }
    // A FIFO that is written is opened for both, so that opening does not wait for its reader.
    const access = writable && (readable || stat?.isFIFO()) ? constants.O_RDWR : writable ? constants.O_WRONLY : 0;
    try {
      const fd =
        stat?.isFIFO() && !writable
          ? await openFifo(path, signal)
          : openSync(path, access | (writable ? constants.O_CREAT : 0) | constants.O_NOCTTY, 0o666);
      this.own.push(fd);
      return fd;
    } catch (cause) {
      if (cause instanceof SessionError) throw cause;
      if (['EMFILE', 'ENFILE'].includes(String((cause as NodeJS.ErrnoException).code))) {
        throw new SessionError('channels number reached maximum', sessionCode.tooManyChannels, { cause });
      }
      throw new SessionError(`cannot open ${alias}: ${reasonOf(cause)}`, sessionCode.fault, { cause });
    }
  }
}

function findStandardFd(path: string): number | undefined {
  if (path === '/dev/stdin') return standardFds.stdin;
  if (path === '/dev/stdout') return standardFds.stdout;
  return path === '/dev/stderr' ? standardFds.stderr : undefined;
}

/** Not found where there is nothing yet; a path that leads nowhere is a `SessionError`. */
function findStat({ path, alias }: ManifestChannel): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (cause) {
    throw new SessionError(`cannot open ${alias}: ${reasonOf(cause)}`, sessionCode.fault, { cause });
  }
}
