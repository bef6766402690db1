import { rights, structSizes } from '../wasi/abi';
import { GuestExit } from '../wasi/guest-end';
import type { QuickJs } from './quickjs';

type HostFunction = (...args: unknown[]) => number;
export type HostFunctions = Readonly<Record<string, HostFunction>>;

const rootFd = 3;
const followLinks = 1;
const open = { create: 1, directory: 2, truncate: 8 } as const;
const appendFlag = 1;
const isDirectory = 31;
const blockBytes = 65_536;
const monotonic = 1;

/** Kinds of file as Unix writes them into a mode, by WASI's file type. */
const modes: Readonly<Record<number, number>> = { 1: 0o60000, 2: 0o20000, 3: 0o40000, 4: 0o100000, 7: 0o120000 };

/**
 * What scripts ask of their session, done by the same functions that every other guest calls, so that quotas, counters and
 * rights are the same. Results are bytes moved or a descriptor, or the negative of an error number.
 */
export class JavaScriptCalls {
  constructor(
    private readonly engine: QuickJs,
    private readonly wasi: HostFunctions,
  ) {}

  /** All bytes of the range, by as many writes as it takes. */
  write(fd: number, pointer: number, length: number): number {
    for (let done = 0; done < length; ) {
      const count = this.transfer('fd_write', fd, pointer + done, length - done);
      if (count < 0) return count;
      done += count;
    }
    return length;
  }

  read(fd: number, pointer: number, length: number): number {
    return this.transfer('fd_read', fd, pointer, length);
  }

  /** Everything up to the end, given to `use` where it lies. */
  readAll(fd: number, use: (pointer: number, length: number) => number): number {
    const { engine } = this;
    let room = blockBytes;
    let pointer = engine.allocate(room);
    try {
      for (let length = 0; ; ) {
        const count = this.read(fd, pointer + length, room - length);
        if (count < 0) return count;
        if (count === 0) return use(pointer, length);
        length += count;
        if (length < room) continue;
        const larger = engine.allocate(room * 2);
        engine.bytes(larger, length).set(engine.bytes(pointer, length));
        engine.exports.wasm_free(pointer);
        pointer = larger;
        room *= 2;
      }
    } finally {
      engine.exports.wasm_free(pointer);
    }
  }

  /** `mode`: 0 read, 1 write, 2 append; 4 more for the other direction too. */
  open(path: string, mode: number): number {
    const kind = mode & 3;
    const both = (mode & 4) !== 0;
    const flags = kind === 0 ? 0 : kind === 1 ? open.create | open.truncate : open.create;
    const wanted = (kind === 0 || both ? rights.fdRead : 0) | (kind !== 0 || both ? rights.fdWrite : 0) | rights.fdSeek;
    return this.openPath(path, flags, wanted, kind === 2 ? appendFlag : 0);
  }

  close(fd: number): number {
    return -this.wasi.fd_close!(fd);
  }

  /** Names in a directory. */
  list(path: string): string[] | number {
    const fd = this.openPath(path, open.directory, rights.fdReaddir, 0);
    if (fd < 0) return fd;
    const names: string[] = [];
    try {
      return this.engine.withRoom(blockBytes + 4, (pointer) => {
        const used = pointer + blockBytes;
        for (let cookie = 0n; ; ) {
          const problem = this.wasi.fd_readdir!(fd, pointer, blockBytes, cookie, used);
          if (problem !== 0) return -problem;
          const length = this.engine.uint32(used);
          const bytes = this.engine.bytes(pointer, length);
          let at = 0;
          while (at + structSizes.dirent <= length) {
            const nameLength = bytes.readUInt32LE(at + 16);
            if (at + structSizes.dirent + nameLength > length) break;
            cookie = bytes.readBigUInt64LE(at);
            names.push(bytes.toString('utf8', at + structSizes.dirent, at + structSizes.dirent + nameLength));
            at += structSizes.dirent + nameLength;
          }
          if (length < blockBytes) return names;
        }
      });
    } finally {
      this.close(fd);
    }
  }

  stat(path: string): object | number {
    return this.engine.withRoom(structSizes.filestat, (result) => {
      const problem = this.withPath(path, (pointer, length) => {
        return this.wasi.path_filestat_get!(rootFd, followLinks, pointer, length, result);
      });
      if (problem !== 0) return -problem;
      const bytes = this.engine.bytes(result, structSizes.filestat);
      return {
        ino: Number(bytes.readBigUInt64LE(8)),
        mode: modes[bytes[16]!] ?? 0,
        nlink: Number(bytes.readBigUInt64LE(24)),
        size: Number(bytes.readBigUInt64LE(32)),
        mtime: Number(bytes.readBigUInt64LE(48) / 1_000_000n),
      };
    });
  }

  remove(path: string): number {
    return this.withPath(path, (pointer, length) => {
      const problem = this.wasi.path_unlink_file!(rootFd, pointer, length);
      return -(problem === isDirectory ? this.wasi.path_remove_directory!(rootFd, pointer, length) : problem);
    });
  }

  makeDirectory(path: string): number {
    return this.withPath(path, (pointer, length) => -this.wasi.path_create_directory!(rootFd, pointer, length));
  }

  sleep(milliseconds: number): number {
    if (!(milliseconds > 0)) return 0;
    const size = structSizes.subscription + structSizes.event + 4;
    return this.engine.withRoom(size, (pointer) => {
      const subscription = this.engine.bytes(pointer, size);
      subscription.fill(0);
      subscription.writeUInt32LE(monotonic, 16);
      subscription.writeBigUInt64LE(BigInt(Math.ceil(Math.min(milliseconds, 2 ** 40) * 1e6)), 24);
      const event = pointer + structSizes.subscription;
      return -this.wasi.poll_oneoff!(pointer, event, 1, event + structSizes.event);
    });
  }

  /** Four random numbers of 32 bits. */
  seed(): number[] {
    return this.engine.withRoom(16, (pointer) => {
      this.wasi.random_get!(pointer, 16);
      return [0, 4, 8, 12].map((offset) => this.engine.uint32(pointer + offset));
    });
  }

  exit(code: number): never {
    throw new GuestExit(code >>> 0);
  }

  private openPath(path: string, flags: number, wanted: number, fdFlags: number): number {
    return this.engine.withRoom(4, (result) => {
      const problem = this.withPath(path, (pointer, length) => {
        const base = BigInt(wanted);
        return this.wasi.path_open!(rootFd, followLinks, pointer, length, flags, base, 0n, fdFlags, result);
      });
      return problem === 0 ? this.engine.uint32(result) : -problem;
    });
  }

  private withPath(path: string, use: (pointer: number, length: number) => number): number {
    return this.engine.withText(path, use);
  }

  private transfer(name: 'fd_read' | 'fd_write', fd: number, pointer: number, length: number): number {
    return this.engine.withRoom(12, (vector) => {
      this.engine.setUint32(vector, pointer);
      this.engine.setUint32(vector + 4, length);
      const problem = this.wasi[name]!(fd, vector, 1, vector + 8);
      return problem === 0 ? this.engine.uint32(vector + 8) : -problem;
    });
  }
}
