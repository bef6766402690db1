import type { RandomAccess } from '../channels/random-access';
import { SandboxError } from '../errors';
import { badImage, blockBytes, parsePaxRecords, parseTarHeader, type TarHeader, text } from './tar-header';

/** A member that matters to a guest; devices, FIFOs and everything under `dev/` are left out by the reader. */
export interface TarEntry {
  kind: 'file' | 'directory' | 'symlink' | 'hardlink';
  /** Normalised: no leading or doubled slash, no `.`; the root itself is the empty string. Never has a `..`. */
  path: string;
  /** Where the content begins in the archive; files only. */
  offset: number;
  sizeBytes: number;
  /** Symlinks: the target as written. Hard links: the normalised path of the other name. */
  linkTarget: string;
  mode: number;
  /** Nanoseconds since the epoch. */
  modifiedNs: bigint;
}

/** Where a member's bytes are in its archive. */
export interface TarMember {
  offset: number;
  sizeBytes: number;
}

const tarLimits = {
  entries: 100_000,
  /** One path or link target, as Linux's PATH_MAX. */
  pathBytes: 4096,
  /** All paths and targets together: what an index may cost in memory. */
  totalPathBytes: 32 * 1024 * 1024,
  extendedHeaderBytes: 1024 * 1024,
};

/**
 * The members of a plain tar archive in order, read from the headers alone: ustar, GNU long names, pax. Contents stay
 * where they are. Throws `bad-image` for what is not a complete, sane archive and `image-too-large` beyond `tarLimits`.
 */
function* readTarEntries(archive: RandomAccess): Generator<TarEntry, void, undefined> {
  if (archive.sizeBytes === 0) throw badImage('the tar archive is empty');
  const block = new Uint8Array(blockBytes);
  const overrides: Overrides = {};
  let pathBytes = 0;
  let headerCount = 0;
  for (let at = 0; at < archive.sizeBytes; ) {
    if (archive.readAt(block, 0, blockBytes, at) < blockBytes) throw truncated();
    const header = parseTarHeader(block);
    if (header === undefined) return;
    // Each extended header counts too: an archive of nothing but those must end as well.
    if (++headerCount > tarLimits.entries * 3) throw tooLarge('has too many headers');
    applyPaxSize(header, overrides);
    const offset = at + blockBytes;
    const storedBytes = hasContent(header.type) ? header.sizeBytes : 0;
    if (header.sizeBytes < 0 || offset + storedBytes > archive.sizeBytes) throw truncated();
    at = offset + Math.ceil(storedBytes / blockBytes) * blockBytes;
    if (readExtendedHeader(archive, header, offset, overrides)) continue;
    const entry = toEntry(header, offset, overrides);
    clear(overrides);
    if (entry === undefined) continue;
    pathBytes += 2 * (entry.path.length + entry.linkTarget.length);
    if (pathBytes > tarLimits.totalPathBytes) throw tooLarge('has too many names');
    yield entry;
  }
}

/** All entries; at most `tarLimits.entries`. */
export function readTarIndex(archive: RandomAccess): TarEntry[] {
  const entries: TarEntry[] = [];
  for (const entry of readTarEntries(archive)) {
    if (entries.push(entry) > tarLimits.entries) throw tooLarge(`has more than ${tarLimits.entries} members`);
  }
  return entries;
}

/** The file with exactly this name (`./` and `/` in front do not count); the last one wins, as in unpacking. */
export function findTarMember(archive: RandomAccess, name: string): TarMember | undefined {
  let wanted: string;
  try {
    wanted = normalise(name);
  } catch {
    return undefined;
  }
  const files = new Map<string, TarMember>();
  for (const { kind, path, offset, sizeBytes, linkTarget } of readTarIndex(archive)) {
    const member = kind === 'file' ? { offset, sizeBytes } : kind === 'hardlink' ? files.get(linkTarget) : undefined;
    if (member === undefined) files.delete(path);
    else files.set(path, member);
  }
  return files.get(wanted);
}

/** What extended headers say about the member that follows them. */
interface Overrides {
  path?: string;
  linkPath?: string;
  sizeBytes?: number;
  modifiedNs?: bigint;
}

function clear(overrides: Overrides): void {
  overrides.path = overrides.linkPath = overrides.sizeBytes = overrides.modifiedNs = undefined;
}

/** Takes in a header that only describes the next one; false if it is a member itself. */
function readExtendedHeader(archive: RandomAccess, header: TarHeader, offset: number, overrides: Overrides): boolean {
  const { type, sizeBytes } = header;
  if (type === 'g' || type === 'V') return true;
  if (type !== 'x' && type !== 'L' && type !== 'K') return false;
  if (sizeBytes > tarLimits.extendedHeaderBytes) throw badImage('an extended header in the tar archive is too large');
  const data = new Uint8Array(sizeBytes);
  archive.readAt(data, 0, sizeBytes, offset);
  if (type === 'L') overrides.path = text(data, 0, sizeBytes);
  else if (type === 'K') overrides.linkPath = text(data, 0, sizeBytes);
  else applyPax(parsePaxRecords(data), overrides);
  return true;
}

function applyPax(records: Map<string, string>, overrides: Overrides): void {
  for (const [key, value] of records) {
    if (key.startsWith('GNU.sparse.')) throw badImage('sparse members in tar archives are not supported');
    if (key === 'path') overrides.path = value;
    else if (key === 'linkpath') overrides.linkPath = value;
    else if (key === 'size') overrides.sizeBytes = decimal(value);
    else if (key === 'mtime') overrides.modifiedNs = nanoseconds(value);
  }
}

/** A size in a pax header belongs to the member behind it, not to further extended headers. */
function applyPaxSize(header: TarHeader, overrides: Overrides): void {
  if (overrides.sizeBytes !== undefined && !'xgLKV'.includes(header.type)) header.sizeBytes = overrides.sizeBytes;
}

function hasContent(type: string): boolean {
  return !'123456'.includes(type);
}

const kinds: Record<string, TarEntry['kind']> = { 1: 'hardlink', 2: 'symlink', 5: 'directory', D: 'directory' };

function toEntry(header: TarHeader, offset: number, overrides: Overrides): TarEntry | undefined {
  const { type } = header;
  if (type === 'S' || type === 'M') throw badImage('sparse and multi-volume tar archives are not supported');
  if (type === '3' || type === '4' || type === '6') return undefined;
  const name = overrides.path ?? header.name;
  const path = normalise(name);
  if (path === 'dev' || path.startsWith('dev/')) return undefined;
  const linkName = overrides.linkPath ?? header.linkName;
  if (linkName.length > tarLimits.pathBytes) throw badImage('a link in the tar archive is too long');
  const kind = kinds[type] ?? (name.endsWith('/') ? 'directory' : 'file');
  if (kind !== 'directory' && path === '') throw badImage('a member of the tar archive has no name');
  const isLink = kind === 'hardlink' || kind === 'symlink';
  return {
    kind,
    path,
    offset,
    sizeBytes: kind === 'file' ? header.sizeBytes : 0,
    linkTarget: kind === 'hardlink' ? normalise(linkName) : isLink ? linkName : '',
    mode: header.mode,
    modifiedNs: overrides.modifiedNs ?? BigInt(header.modifiedS) * 1_000_000_000n,
  };
}

function normalise(name: string): string {
  if (name.length > tarLimits.pathBytes) throw badImage('a name in the tar archive is too long');
  if (name.includes('\0')) throw badImage('a name in the tar archive contains NUL');
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw badImage('a name in the tar archive leads outside of it');
  return parts.join('/');
}

function decimal(value: string): number {
  const number = /^[0-9]+$/.test(value) ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(number)) throw badImage('malformed pax header in the tar archive');
  return number;
}

/** `1700000000.25`; digits beyond nanoseconds are dropped. */
function nanoseconds(value: string): bigint {
  const match = /^(-?)([0-9]{1,12})(?:\.([0-9]*))?$/.exec(value);
  if (match === null) throw badImage('malformed pax header in the tar archive');
  const [, sign, seconds, fraction = ''] = match;
  const total = BigInt(seconds!) * 1_000_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, '0'));
  return sign === '-' ? -total : total;
}

function truncated(): SandboxError {
  return badImage('the tar archive is truncated');
}

function tooLarge(problem: string): SandboxError {
  return new SandboxError('image-too-large', `the tar archive ${problem}`);
}
