import { engine } from '@zerocloud/sandbox/module/engine';
import type { WasiFunctionName } from '@zerocloud/sandbox/wasi/functions';
import type { World } from './guest-world';

type Argument = number | bigint;

/** Results live below, texts and buffers above this address. */
const resultAt = 0x100;
const textAt = 0x1000;
const secondTextAt = 0x3000;
const bufferAt = 0x8000;
const bufferBytes = 0x20000;

const allRights = (1n << 30n) - 1n;
export const readRight = 2n;
export const writeRight = 64n;

/** Plays the guest: calls the host's functions with a memory of its own. Numbers are WASI's error numbers unless said otherwise. */
export class WasiCaller {
  readonly memory = new engine.Memory({ initial: 4, maximum: 16 });

  constructor(readonly world: World) {
    world.host.attach(this.memory);
  }

  get bytes(): Buffer {
    return Buffer.from(this.memory.buffer);
  }

  call(name: WasiFunctionName, ...args: Argument[]): number {
    return (this.world.host.imports.wasi_snapshot_preview1[name] as (...args: Argument[]) => number)(...args);
  }

  put(text: string | Uint8Array, at = textAt): [pointer: number, length: number] {
    const bytes = Buffer.from(text);
    this.bytes.set(bytes, at);
    return [at, bytes.length];
  }

  /** The new descriptor, or a negative error number. */
  open(path: string, { rights = readRight, flags = 0, fdFlags = 0, follow = true, at = 3 }: OpenOptions = {}): number {
    const [pointer, length] = this.put(path);
    const lookup = follow ? 1 : 0;
    const error = this.call('path_open', at, lookup, pointer, length, flags, rights, allRights, fdFlags, resultAt);
    return error === 0 ? this.bytes.readUInt32LE(resultAt) : -error;
  }

  /** The text read, or the error number. */
  read(fd: number, length: number, offset?: bigint): string | number {
    this.vectors([[bufferAt, Math.min(length, bufferBytes)]]);
    const error =
      offset === undefined
        ? this.call('fd_read', fd, 0, 1, resultAt)
        : this.call('fd_pread', fd, 0, 1, offset, resultAt);
    if (error !== 0) return error;
    return this.bytes.toString('latin1', bufferAt, bufferAt + this.bytes.readUInt32LE(resultAt));
  }

  /** How many bytes were taken, or the negative error number. */
  write(fd: number, data: string | Uint8Array, offset?: bigint): number {
    this.vectors([this.put(data, bufferAt)]);
    const error =
      offset === undefined
        ? this.call('fd_write', fd, 0, 1, resultAt)
        : this.call('fd_pwrite', fd, 0, 1, offset, resultAt);
    return error === 0 ? this.bytes.readUInt32LE(resultAt) : -error;
  }

  /** Puts a scatter/gather list at address 0. */
  vectors(list: [pointer: number, length: number][]): void {
    list.forEach(([pointer, length], i) => {
      this.bytes.writeUInt32LE(pointer, i * 8);
      this.bytes.writeUInt32LE(length, i * 8 + 4);
    });
  }

  /** The new position, or the negative error number. */
  seek(fd: number, offset: bigint, whence: number): number {
    const error = this.call('fd_seek', fd, offset, whence, resultAt);
    return error === 0 ? Number(this.bytes.readBigUInt64LE(resultAt)) : -error;
  }

  stat(path: string, follow = true): FileStat | number {
    const [pointer, length] = this.put(path);
    const error = this.call('path_filestat_get', 3, follow ? 1 : 0, pointer, length, resultAt);
    return error === 0 ? this.filestat() : error;
  }

  fstat(fd: number): FileStat | number {
    const error = this.call('fd_filestat_get', fd, resultAt);
    return error === 0 ? this.filestat() : error;
  }

  fdstat(fd: number): { type: number; flags: number; rights: bigint } {
    this.call('fd_fdstat_get', fd, resultAt);
    const { bytes } = this;
    return {
      type: bytes[resultAt]!,
      flags: bytes.readUInt16LE(resultAt + 2),
      rights: bytes.readBigUInt64LE(resultAt + 8),
    };
  }

  /** One of the `path_…` functions that take a descriptor and a path. */
  path(name: 'path_create_directory' | 'path_remove_directory' | 'path_unlink_file', path: string): number {
    return this.call(name, 3, ...this.put(path));
  }

  rename(from: string, to: string): number {
    return this.call('path_rename', 3, ...this.put(from), 3, ...this.put(to, secondTextAt));
  }

  link(from: string, to: string): number {
    return this.call('path_link', 3, 0, ...this.put(from), 3, ...this.put(to, secondTextAt));
  }

  symlink(target: string, path: string): number {
    return this.call('path_symlink', ...this.put(target), 3, ...this.put(path, secondTextAt));
  }

  /** The target, or the error number. */
  readlink(path: string): string | number {
    const error = this.call('path_readlink', 3, ...this.put(path), bufferAt, 4096, resultAt);
    if (error !== 0) return error;
    return this.bytes.toString('utf8', bufferAt, bufferAt + this.bytes.readUInt32LE(resultAt));
  }

  /** Names of a directory, read through a buffer of the given size as wasi-libc does. */
  list(fd: number, length = 4096): string[] {
    const names: string[] = [];
    for (let cookie = 0n; ; ) {
      const error = this.call('fd_readdir', fd, bufferAt, length, cookie, resultAt);
      if (error !== 0) throw new Error(`fd_readdir failed with ${error}`);
      const used = this.bytes.readUInt32LE(resultAt);
      let at = bufferAt;
      const end = bufferAt + used;
      while (at + 24 <= end && at + 24 + this.bytes.readUInt32LE(at + 16) <= end) {
        const nameLength = this.bytes.readUInt32LE(at + 16);
        names.push(this.bytes.toString('utf8', at + 24, at + 24 + nameLength));
        cookie = this.bytes.readBigUInt64LE(at);
        at += 24 + nameLength;
      }
      if (used < length) return names;
      if (at === bufferAt) throw new Error('the buffer is too small for an entry');
    }
  }

  /** Makes a file with this content. */
  create(path: string, content: string): void {
    const fd = this.open(path, { rights: writeRight, flags: 1 });
    if (fd < 0) throw new Error(`cannot create ${path}: ${fd}`);
    this.write(fd, content);
    this.call('fd_close', fd);
  }

  /** Content of a file (its first 128 KiB), or the negative error number of opening it. */
  content(path: string): string | number {
    const fd = this.open(path);
    if (fd < 0) return fd;
    const text = this.read(fd, bufferBytes);
    this.call('fd_close', fd);
    return text;
  }

  private filestat(): FileStat {
    const { bytes } = this;
    return {
      inode: bytes.readBigUInt64LE(resultAt + 8),
      type: bytes[resultAt + 16]!,
      links: Number(bytes.readBigUInt64LE(resultAt + 24)),
      size: Number(bytes.readBigUInt64LE(resultAt + 32)),
      accessedNs: bytes.readBigUInt64LE(resultAt + 40),
      modifiedNs: bytes.readBigUInt64LE(resultAt + 48),
    };
  }
}

interface OpenOptions {
  rights?: bigint;
  flags?: number;
  fdFlags?: number;
  follow?: boolean;
  at?: number;
}

export interface FileStat {
  inode: bigint;
  type: number;
  links: number;
  size: number;
  accessedNs: bigint;
  modifiedNs: bigint;
}
