import { chmodSync, chownSync, closeSync, constants, fchownSync, lstatSync, mkdirSync, openSync } from 'node:fs';
import { chmod, chown, copyFile, link, lstat, rename, rm, unlink } from 'node:fs/promises';
import path from 'node:path';
import type { ChannelSource, ChannelSpec } from '../channels/channel-spec';
import { isWritable } from '../channels/channel-spec';
import { SandboxError } from '../errors';
import type { SlotUser } from '../jail/slot-user';
import { maxCopiedOutputBytes } from '../limits';
import type { ByteSource, ChannelLimits, InheritedFile, Output, Session } from '../session';
import type { CopyRequest, MountRequest, ProgramRequest, SessionRequest } from './protocol';

/**
 * The files an executor process may see: `in/` holds hard links to what the running session reads, `out/` what it writes.
 * Names in `in/` are unique per session. The files in `out/` are made here, one for each writable channel of the largest
 * session so far, and stay, empty between sessions: an executor may not create any, so that it cannot fill the disk with
 * more files than its session has outputs. If the slot has a user of its own,
 * that one may enter it and write to `out/`, and nobody else but the server.
 */
export class Slot {
  readonly inDirectory: string;
  readonly outDirectory: string;
  /** Files of `out/` that are there. */
  private readonly reserved = new Set<string>();

  constructor(
    private readonly directory: string,
    /** Where finished outputs wait for the caller; the same file system. */
    private readonly finishedDirectory: string,
    /** Who the executor runs as; undefined: who the server runs as. */
    readonly user?: SlotUser,
    /** Before the names of files in `out/`, where several sessions share one slot. */
    private readonly prefix = '',
  ) {
    this.inDirectory = path.join(directory, 'in');
    this.outDirectory = path.join(directory, 'out');
  }

  createSync(): void {
    mkdirSync(this.inDirectory, { recursive: true });
    mkdirSync(this.outDirectory, { recursive: true });
    const { user } = this;
    if (!user) return;
    for (const directory of [this.directory, this.inDirectory]) {
      chownSync(directory, process.getuid!(), user.gid);
      chmodSync(directory, 0o750);
    }
    chownSync(this.outDirectory, user.uid, user.gid);
    chmodSync(this.outDirectory, 0o700);
  }

  /** Makes a file readable for the executor under a name in `in/`. */
  async link(source: string, name: string): Promise<string> {
    const target = path.join(this.inDirectory, name);
    await linkSource(source, target);
    if (this.user) allowReading(target, this.user.readersGid);
    return target;
  }

  /** Removes the slot with everything in it. */
  async remove(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }

  /**
   * Turns a session into what the executor gets, linking its files into the slot. `granted` is undefined when there was
   * nothing to link, which saves the small session a turn of the event loop. `cached`: the executor has the module, or the copy.
   */
  grant(id: number, session: Session, cached: boolean): { request: SessionRequest; granted?: Promise<unknown> } {
    const links: Promise<unknown>[] = [];
    let next = 0;
    const grantSource = (source: ByteSource | InheritedFile): ChannelSource => {
      if (source.kind !== 'file') return source;
      const name = `${id}-${next++}`;
      links.push(this.link(source.path, name));
      return { kind: 'file', path: path.join(this.inDirectory, name) };
    };
    const request: SessionRequest = {
      id,
      program: grantProgram(session, cached, grantSource),
      args: session.args,
      env: session.env,
      channels: session.channels.map((channel, index): ChannelSpec => {
        const { name, type, fileType, etag, limits, source, discard, inherited } = channel;
        const isKept = isWritable(channel) && !discard && !inherited;
        return {
          name,
          type,
          fileType,
          etag,
          limits: finiteLimits(limits),
          source: source && grantSource(source),
          discard,
          inherited,
          spillPath: isKept ? this.reserve(`${this.prefix}${index}`) : undefined,
        };
      }),
      mounts: session.mounts.map(({ kind, source, mountPoint }): MountRequest => {
        return { kind, source: kind === 'directory' ? directorySource(source) : grantSource(source), mountPoint };
      }),
      systemImages: session.systemImages,
      memoryBytes: finite(session.memoryBytes),
      local: session.local,
      ...(session.copy && { copy: grantCopy(session.copy, cached, grantSource) }),
    };
    return links.length === 0 ? { request } : { request, granted: allLinked(links) };
  }

  /** Makes sure that a file of `out/` is there, for the executor to write. */
  reserve(name: string): string {
    const file = path.join(this.outDirectory, name);
    if (this.reserved.has(file)) return file;
    // Exclusively: whatever a broken executor has put in its place is not opened.
    const fd = openSync(file, 'wx', 0o600);
    try {
      if (this.user) fchownSync(fd, this.user.uid, this.user.gid);
    } finally {
      closeSync(fd);
    }
    this.reserved.add(file);
    return file;
  }

  /** Takes the links away again. */
  revoke(request: SessionRequest): Promise<unknown> {
    const parts = [...request.channels, ...request.mounts, request.program, ...(request.copy ? [request.copy] : [])];
    const files = parts.flatMap((part) => {
      return 'source' in part && part.source?.kind === 'file' && part.source.path.startsWith(this.inDirectory)
        ? [part.source.path]
        : [];
    });
    return Promise.all(files.map((file) => unlink(file).catch(() => undefined)));
  }

  /**
   * The outputs with their files out of the slot, where they stay until the caller takes them. Which file belongs to
   * an output is known here; what the executor says about paths, or has put there instead of a file, is not believed.
   * A file may still be open in the executor, so it is copied; where that would take too long (`isMoved`), the caller
   * ends the executor before anybody reads the output.
   */
  async claim(request: SessionRequest, outputs: Output[]): Promise<Output[]> {
    const settled = await Promise.allSettled(
      outputs.map(async (output) => {
        if (output.body.kind !== 'file') return output;
        const file = request.channels.find(({ name }) => name === output.name)?.spillPath;
        if (!file) throw new SandboxError('executor-failed', `no output ${output.name} was asked for`);
        const name = `${path.basename(this.directory)}-${request.id}-${path.basename(file)}`;
        const claimed = path.join(this.finishedDirectory, name);
        this.reserved.delete(file);
        const moved = isMoved(output) ? claimed : `${claimed}-open`;
        try {
          await rename(file, moved);
          await checkOutput(moved, output.sizeBytes);
          if (moved !== claimed) await copyOutput(moved, claimed, output.sizeBytes);
          if (this.user) await takeOver(claimed, this.user.readersGid);
        } catch (error) {
          for (const each of [moved, claimed]) await rm(each, { recursive: true, force: true });
          throw error;
        }
        return { ...output, body: { kind: 'file' as const, path: claimed } };
      }),
    );
    const taken = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const failed = settled.find((one) => one.status === 'rejected');
    if (failed === undefined) return taken;
    // What was taken beside the one that is wrong.
    await this.drop(taken);
    throw failed.reason;
  }

  /** Removes claimed outputs that the caller does not want any more. */
  async drop(outputs: readonly Output[]): Promise<void> {
    const files = outputs.flatMap(({ body }) => (body.kind === 'file' ? [body.path] : []));
    await Promise.all(files.map((file) => unlink(file).catch(() => undefined)));
  }
}

/** The output's file is the very one that the executor wrote to. */
export function isMoved({ body, sizeBytes }: Output): boolean {
  return body.kind === 'file' && sizeBytes > maxCopiedOutputBytes;
}

/** Accepts an ordinary file of the right size. */
async function checkOutput(file: string, sizeBytes: number): Promise<void> {
  const stat = await lstat(file);
  if (!stat.isFile() || stat.nlink !== 1 || stat.size !== sizeBytes || (stat.mode & 0o7000) !== 0) {
    throw new SandboxError('executor-failed', 'an output is not what its executor says');
  }
}

/** Shares the blocks where the file system can. The original goes. */
async function copyOutput(file: string, target: string, sizeBytes: number): Promise<void> {
  await copyFile(file, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  await Promise.all([checkOutput(target, sizeBytes), unlink(file)]);
}

/** Makes an output the server's own, which executors may read. */
async function takeOver(file: string, readersGid: number): Promise<void> {
  await chown(file, process.getuid!(), readersGid);
  await chmod(file, 0o640);
}

function grantProgram(
  { program }: Session,
  cached: boolean,
  grantSource: (source: ByteSource | InheritedFile) => ChannelSource,
): ProgramRequest {
  if (program.kind !== 'module') return program;
  const { kind, cacheKey } = program;
  return cached ? { kind, cacheKey } : { kind, cacheKey, source: grantSource(program.source) };
}

function grantCopy(
  copy: NonNullable<Session['copy']>,
  cached: boolean,
  grantSource: (source: ByteSource) => ChannelSource,
): CopyRequest {
  if (copy.kind === 'make') return copy;
  return cached ? { kind: copy.kind, id: copy.id } : { ...copy, source: grantSource(copy.source) };
}

/** Messages hold no infinite numbers; what is beyond all others is as good. */
function finite(limit: number): number {
  return Number.isFinite(limit) ? limit : limit > 0 ? Number.MAX_VALUE : -1;
}

function finiteLimits(limits: ChannelLimits): ChannelLimits {
  const { reads, readBytes, writes, writeBytes } = limits;
  if (Number.isFinite(reads + readBytes + writes + writeBytes)) return limits;
  return {
    reads: finite(reads),
    readBytes: finite(readBytes),
    writes: finite(writes),
    writeBytes: finite(writeBytes),
  };
}

/** Directories cannot be hard-linked; only trusted ones are mounted, and those may be read where they are. */
function directorySource(source: ByteSource | InheritedFile): ChannelSource {
  if (source.kind === 'file') return { kind: 'file', path: source.path };
  throw new SandboxError('bad-image', 'a directory mount needs a path');
}

/** Waits for every link, so that none appears after the others were taken away. */
async function allLinked(links: Promise<unknown>[]): Promise<void> {
  for (const end of await Promise.allSettled(links)) if (end.status === 'rejected') throw end.reason;
}

async function linkSource(source: string, target: string): Promise<void> {
  try {
    await link(source, target);
  } catch (cause) {
    throw new SandboxError('source-not-found', 'a source of the session cannot be opened', { cause });
  }
}

/** Lets executors' group read a file that others must not: its mode is changed once, by the first session that reads it. */
function allowReading(file: string, readersGid: number): void {
  const { mode, uid, gid } = lstatSync(file);
  if ((mode & 0o004) !== 0 || (gid === readersGid && (mode & 0o040) !== 0)) return;
  chownSync(file, uid, readersGid);
  chmodSync(file, (mode & 0o707) | 0o040);
}
