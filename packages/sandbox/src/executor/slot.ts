import { mkdirSync } from 'node:fs';
import { link, rename, rm, unlink } from 'node:fs/promises';
import path from 'node:path';
import type { ChannelSource, ChannelSpec } from '../channels/channel-spec';
import { isWritable } from '../channels/channel-spec';
import { SandboxError } from '../errors';
import type { ByteSource, InheritedFile, Output, Session } from '../session';
import type { MountRequest, ProgramRequest, SessionRequest } from './protocol';

/**
 * The files an executor process may see: `in/` holds hard links to what the running session reads, `out/` what it writes.
 * Names are unique per session, so nothing of one session can be taken for another's.
 */
export class Slot {
  private readonly inDirectory: string;
  private readonly outDirectory: string;

  constructor(
    private readonly directory: string,
    /** Where finished outputs wait for the caller; the same file system. */
    private readonly finishedDirectory: string,
  ) {
    this.inDirectory = path.join(directory, 'in');
    this.outDirectory = path.join(directory, 'out');
  }

  createSync(): void {
    mkdirSync(this.inDirectory, { recursive: true });
    mkdirSync(this.outDirectory, { recursive: true });
  }

  /** Removes the slot with everything in it. */
  async remove(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }

  /**
   * Turns a session into what the executor gets, linking its files into the slot. `granted` is undefined when there was
   * nothing to link, which saves the small session a turn of the event loop. `cached`: the executor has the module.
   */
  grant(id: number, session: Session, cached: boolean): { request: SessionRequest; granted?: Promise<unknown> } {
    const links: Promise<void>[] = [];
    let next = 0;
    const grantSource = (source: ByteSource | InheritedFile): ChannelSource => {
      if (source.kind !== 'file') return source;
      const target = path.join(this.inDirectory, `${id}-${next++}`);
      links.push(linkSource(source.path, target));
      return { kind: 'file', path: target };
    };
    const request: SessionRequest = {
      id,
      program: grantProgram(session, cached, grantSource),
      args: session.args,
      env: session.env,
      channels: session.channels.map((channel, index): ChannelSpec => {
        const { source, ...spec } = channel;
        return {
          ...spec,
          ...(source && { source: grantSource(source) }),
          ...(isWritable(channel) && { spillPath: path.join(this.outDirectory, `${id}-${index}`) }),
        };
      }),
      mounts: session.mounts.map(({ kind, source, mountPoint }): MountRequest => {
        return { kind, source: kind === 'directory' ? directorySource(source) : grantSource(source), mountPoint };
      }),
      systemImages: session.systemImages,
      memoryBytes: session.memoryBytes,
      local: session.local,
    };
    return links.length === 0 ? { request } : { request, granted: allLinked(links) };
  }

  /** Takes the links away again. */
  async revoke(request: SessionRequest): Promise<void> {
    const files = [...request.channels, ...request.mounts, request.program].flatMap((part) => {
      return 'source' in part && part.source?.kind === 'file' && part.source.path.startsWith(this.inDirectory)
        ? [part.source.path]
        : [];
    });
    await Promise.all(files.map((file) => unlink(file).catch(() => undefined)));
  }

  /**
   * The outputs with their files moved out of the slot, where they stay until the caller takes them. Which file belongs to
   * an output is known here; what the executor says about paths is not believed.
   */
  async claim(request: SessionRequest, outputs: Output[]): Promise<Output[]> {
    return Promise.all(
      outputs.map(async (output) => {
        if (output.body.kind !== 'file') return output;
        const file = request.channels.find(({ name }) => name === output.name)?.spillPath;
        if (!file) throw new SandboxError('executor-failed', `no output ${output.name} was asked for`);
        const claimed = path.join(this.finishedDirectory, `${path.basename(this.directory)}-${path.basename(file)}`);
        await rename(file, claimed);
        return { ...output, body: { kind: 'file' as const, path: claimed } };
      }),
    );
  }

  /** Removes claimed outputs that the caller does not want any more. */
  async drop(outputs: readonly Output[]): Promise<void> {
    const files = outputs.flatMap(({ body }) => (body.kind === 'file' ? [body.path] : []));
    await Promise.all(files.map((file) => unlink(file).catch(() => undefined)));
  }

  /** Removes whatever a session left in `out/`. */
  async discard(request: SessionRequest): Promise<void> {
    const files = request.channels.flatMap(({ spillPath }) => spillPath ?? []);
    await Promise.all(files.map((file) => unlink(file).catch(() => undefined)));
  }
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

/** Directories cannot be hard-linked; only trusted ones are mounted, and those may be read where they are. */
function directorySource(source: ByteSource | InheritedFile): ChannelSource {
  if (source.kind === 'file') return { kind: 'file', path: source.path };
  throw new SandboxError('bad-image', 'a directory mount needs a path');
}

/** Waits for every link, so that none appears after the others were taken away. */
async function allLinked(links: Promise<void>[]): Promise<void> {
  for (const end of await Promise.allSettled(links)) if (end.status === 'rejected') throw end.reason;
}

async function linkSource(source: string, target: string): Promise<void> {
  try {
    await link(source, target);
  } catch (cause) {
    throw new SandboxError('source-not-found', 'a source of the session cannot be opened', { cause });
  }
}
