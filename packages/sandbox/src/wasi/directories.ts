import type { DirectoryNode, RootNode } from '../images/nodes';
import { structSizes } from './abi';
import type { HostContext } from './context';
import { type Descriptor, type DirectoryListing, getDirectory } from './descriptor-table';
import { errno } from './errno';
import { fileTypeOf } from './filestat';

/** Preopened directories and listings. */
export function directoryFunctions(context: HostContext) {
  const { memory, descriptors, root } = context;

  /** A listing goes on where it stopped; any other cookie counts from the start again. */
  const listingAt = (descriptor: Descriptor, directory: DirectoryNode, cookie: bigint): DirectoryListing => {
    const { listing } = descriptor;
    if (listing !== undefined && listing.nextCookie === cookie && cookie !== 0n) return listing;
    const entries = entriesWithDots(directory, root.entriesOf(directory));
    const fresh: DirectoryListing = { nextCookie: 0n, next: undefined, entries };
    advance(fresh);
    fresh.nextCookie = 0n;
    while (fresh.nextCookie < cookie && fresh.next !== undefined) advance(fresh);
    descriptor.listing = fresh;
    return fresh;
  };

  return {
    fd_prestat_get(fd: number, result: number): number {
      const path = descriptors.find(fd)?.preopenPath;
      if (path === undefined) return errno.badf;
      const start = memory.check(result, structSizes.prestat);
      memory.setUint32(start, 0);
      memory.setUint32(start + 4, Buffer.byteLength(path));
      return errno.success;
    },

    fd_prestat_dir_name(fd: number, buffer: number, length: number): number {
      const path = descriptors.find(fd)?.preopenPath;
      if (path === undefined) return errno.badf;
      const name = Buffer.from(path);
      if (length >>> 0 < name.byteLength) return errno.nametoolong;
      memory.slice(buffer, name.byteLength).set(name);
      return errno.success;
    },

    /** A full buffer (`used` = `length`) says that there is more; its last entry may be cut anywhere. */
    fd_readdir(fd: number, buffer: number, length: number, cookie: bigint, used: number): number {
      const { descriptor, directory } = getDirectory(descriptors, fd, 'fdReaddir');
      const target = memory.slice(buffer, length);
      memory.check(used, 4);
      const listing = listingAt(descriptor, directory, BigInt.asUintN(64, cookie));
      let at = 0;
      while (listing.next !== undefined && at < target.byteLength) {
        const entry = encodeEntry(listing.next, listing.nextCookie);
        const fitting = entry.subarray(0, target.byteLength - at);
        target.set(fitting, at);
        at += fitting.byteLength;
        if (fitting.byteLength === entry.byteLength) advance(listing);
      }
      memory.setUint32(used, at);
      return errno.success;
    },
  };
}

function advance(listing: DirectoryListing): void {
  const step = listing.entries.next();
  listing.next = step.done === true ? undefined : step.value;
  listing.nextCookie++;
}

function* entriesWithDots(
  directory: DirectoryNode,
  entries: ReadonlyMap<string, RootNode>,
): Generator<[string, RootNode], undefined, undefined> {
  yield ['.', directory];
  yield ['..', directory.parent];
  yield* entries;
  return undefined;
}

function encodeEntry([name, node]: [string, RootNode], cookie: bigint): Uint8Array {
  const nameBytes = Buffer.byteLength(name);
  const entry = Buffer.alloc(structSizes.dirent + nameBytes);
  entry.writeBigUInt64LE(cookie + 1n, 0);
  entry.writeBigUInt64LE(node.inode, 8);
  entry.writeUInt32LE(nameBytes, 16);
  entry.writeUInt8(fileTypeOf(node), 20);
  entry.write(name, structSizes.dirent);
  return entry;
}
