import { closeSync, constants, fstatSync, ftruncateSync, openSync, type Stats, statSync } from 'node:fs';
import { isatty } from 'node:tty';
import { isReadable, isWritable } from '../channels/channel-spec';
import type { ManifestChannel } from '../manifest/manifest';
import { SessionError, sessionCode } from '../manifest/session-error';
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
   * Throws `SessionError`.
   */
  static open(channels: readonly ManifestChannel[], bound: ReadonlyMap<string, number>): OpenedChannels {
    const opened = new OpenedChannels();
    try {
      for (const channel of channels) opened.add(channel, bound.get(channel.path) ?? findStandardFd(channel.path));
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

  private add(channel: ManifestChannel, standardFd: number | undefined): void {
    const readable = isReadable(channel);
    const writable = isWritable(channel);
    const fd = standardFd ?? this.openPath(channel, readable, writable);
    if (!isOpen(fd)) throw new SessionError(`cannot open ${channel.alias}: it is closed`, sessionCode.fault);
    const stat = fstatSync(fd);
    // A standard stream that is a file goes on where it stands: others may be writing to it as well.
    const kind = stat.isFile() && standardFd === undefined ? 'file' : 'stream';
    if (kind === 'stream' && readable && writable) {
      throw new SessionError(`${channel.alias}: only a regular file can be read and written`, sessionCode.invalid);
    }
    const sizeBytes = kind === 'file' && readable ? stat.size : 0;
    this.all.push({ channel, fd, kind, sizeBytes, isTerminal: stat.isCharacterDevice() && isatty(fd) });
  }

  private openPath({ path, alias }: ManifestChannel, readable: boolean, writable: boolean): number {
    const stat = findStat(path);
    if (stat && !stat.isFile() && !stat.isFIFO() && !stat.isCharacterDevice()) {
      throw new SessionError(`${alias}: neither a file, nor a FIFO, nor a character device`, sessionCode.notSupported);
    }
    // A FIFO that is written is opened for both, so that opening does not wait for its reader.
    const access = writable && (readable || stat?.isFIFO()) ? constants.O_RDWR : writable ? constants.O_WRONLY : 0;
    try {
      const fd = openSync(path, access | (writable ? constants.O_CREAT : 0) | constants.O_NOCTTY, 0o666);
      this.own.push(fd);
      return fd;
    } catch (cause) {
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

function findStat(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false });
}
