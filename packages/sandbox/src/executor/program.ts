import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync } from 'node:fs';
import type { ChannelSource } from '../channels/channel-spec';
import { BytesAccess, type RandomAccess } from '../channels/random-access';
import { ReadAheadFile } from '../channels/read-ahead';
import { SandboxError } from '../errors';
import { readImageMember } from '../images/image-programs';
import { findTarMember } from '../images/tar';
import { type ModuleLimits, moduleCacheLimits, moduleLimits, trustedModuleLimits } from '../limits';
import { admitModule } from '../module/admission';
import { engine } from '../module/engine';
import { rewriteModule } from '../module/rewrite';
import { findSection, sectionId } from '../module/sections';
import type { SystemImage } from '../session';
import { ModuleCache, type ReadyModule } from './module-cache';
import type { MountRequest, SessionRequest } from './protocol';

/** A program that can be instantiated, or why it cannot. */
export type LoadedProgram =
  | { kind: 'ready'; module: ReadyModule; trusted: boolean; cached?: string; evicted: string[] }
  | { kind: 'refused'; reason: string; trusted: boolean };

/** Finds, checks and compiles programs, and keeps the compiled ones. */
export class ProgramLoader {
  private readonly cache = new ModuleCache(moduleCacheLimits);
  /** Modules of system images are few, shared by all sessions, and never dropped. */
  private readonly systemModules = new Map<string, ReadyModule>();

  constructor(private readonly images: ReadonlyMap<string, SystemImage>) {}

  /** Throws `program-not-found`, `system-image-not-found`, `bad-image` or a system error; a bad module is a value. */
  load({ program, mounts }: Pick<SessionRequest, 'program' | 'mounts'>): LoadedProgram {
    if (program.kind === 'system-image') return this.loadSystemProgram(program.image, program.path);
    const { cacheKey } = program;
    const found = cacheKey === undefined ? undefined : this.cache.find(cacheKey);
    if (found) return { kind: 'ready', module: found, trusted: false, evicted: [] };
    const bytes =
      program.kind === 'module' ? readSource(program.source) : readMember(mounts[program.mount], program.path);
    if (!bytes) return { kind: 'refused', reason: tooLarge, trusted: false };
    const digest = createHash('sha256').update(bytes).digest('base64');
    const module = this.cache.findContent(digest) ?? prepare(bytes, moduleLimits);
    if (typeof module === 'string') return { kind: 'refused', reason: module, trusted: false };
    if (program.kind === 'module' && cacheKey !== undefined) module.own ??= keepOwn(program.source);
    return {
      kind: 'ready',
      module,
      trusted: false,
      cached: cacheKey,
      evicted: this.cache.add(digest, cacheKey, module),
    };
  }

  private loadSystemProgram(name: string, member: string): LoadedProgram {
    const image = this.images.get(name);
    if (!image) throw new SandboxError('system-image-not-found', `no system image ${name}`);
    // By path, since one image may have several names.
    const key = `${image.path}:${member}`;
    const found = this.systemModules.get(key);
    if (found) return { kind: 'ready', module: found, trusted: true, evicted: [] };
    const module = prepare(readImageMember(image, member), trustedModuleLimits);
    if (typeof module === 'string') return { kind: 'refused', reason: module, trusted: true };
    this.systemModules.set(key, module);
    return { kind: 'ready', module, trusted: true, evicted: [] };
  }
}

/** A kept module keeps its bytes: small ones came in the message, others are a file that loses its name with the session. */
function keepOwn(source: ChannelSource | undefined): ReadyModule['own'] {
  // A copy, since what came in a message is overwritten by the next one.
  if (source?.kind === 'bytes') return { kind: 'bytes', data: Uint8Array.from(source.data) };
  return source?.kind === 'file' ? { kind: 'file', fd: openSync(source.path, 'r') } : undefined;
}

/** The program's bytes, wherever they are; empty if they cannot be had any more. */
export function readProgram(
  { program, mounts }: Pick<SessionRequest, 'program' | 'mounts'>,
  own: ReadyModule['own'],
  images: ReadonlyMap<string, SystemImage>,
): Uint8Array {
  if (program.kind === 'system-image') return readImageMember(images.get(program.image)!, program.path);
  if (program.kind === 'mount') return readMember(mounts[program.mount], program.path) ?? noBytes;
  if (program.source) return readSource(program.source) ?? noBytes;
  if (own?.kind === 'file')
    return readSlice(new ReadAheadFile(own.fd, fstatSync(own.fd).size), 0, fstatSync(own.fd).size) ?? noBytes;
  return own?.data ?? noBytes;
}

const noBytes = new Uint8Array(0);

const tooLarge = `module of more than ${moduleLimits.moduleBytes} bytes`;

/** The compiled module, or one sentence on why there is none. */
function prepare(bytes: Uint8Array, limits: ModuleLimits): ReadyModule | string {
  const admission = admitModule(bytes, limits);
  if (!admission.admitted) return admission.reason;
  const { minPages, maxPages, sections } = admission.module;
  const hasStartFunction = findSection(sections, sectionId.start) !== undefined;
  const rewritten = rewriteModule(admission.module);
  try {
    const module = new engine.Module(rewritten);
    return { module, minPages, maxPages, hasStartFunction, sizeBytes: bytes.length };
  } catch (error) {
    if (error instanceof engine.CompileError || error instanceof RangeError) return error.message;
    throw error;
  }
}

/** All bytes of a program's source; undefined if there are more than a module may have. */
function readSource(source: ChannelSource | undefined): Uint8Array | undefined {
  if (!source) throw new SandboxError('executor-failed', 'the executor does not hold the program');
  return withContent(source, (content) => readSlice(content, 0, content.sizeBytes));
}

function readMember(mount: MountRequest | undefined, member: string): Uint8Array | undefined {
  if (mount?.kind !== 'tar') throw new SandboxError('program-not-found', `no archive holds the program ${member}`);
  return withContent(mount.source, (archive) => {
    const found = findTarMember(archive, member);
    if (!found) throw new SandboxError('program-not-found', `no program ${member} in the archive`);
    return readSlice(archive, found.offset, found.sizeBytes);
  });
}

function withContent<T>(source: ChannelSource, use: (content: RandomAccess) => T): T {
  if (source.kind === 'bytes') return use(new BytesAccess(source.data));
  if (source.kind === 'inherited') return use(new ReadAheadFile(source.fd, source.sizeBytes));
  const fd = openSync(source.path, 'r');
  try {
    return use(new ReadAheadFile(fd, fstatSync(fd).size));
  } finally {
    closeSync(fd);
  }
}

function readSlice(
  content: RandomAccess,
  offset: number,
  sizeBytes: number,
  maxBytes = moduleLimits.moduleBytes,
): Uint8Array | undefined {
  if (sizeBytes > maxBytes) return undefined;
  const bytes = new Uint8Array(sizeBytes);
  content.readAt(bytes, 0, sizeBytes, offset);
  return bytes;
}
