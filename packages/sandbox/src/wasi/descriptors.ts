import { allFdFlags, allRights, rights, structSizes } from './abi';
import type { HostContext } from './context';
import { toPosition } from './descriptor-io';
import type { Descriptor } from './descriptor-table';
import { errno, WasiError } from './errno';
import { fileTypeOf, setTimes, writeFilestat } from './filestat';

const lastAdvice = 5;

/** Everything on open descriptors but transfers and directories. */
export function descriptorFunctions(context: HostContext) {
  const { memory, descriptors, root } = context;

  const release = (descriptor: Descriptor | undefined): void => {
    const node = descriptor?.node;
    if (node?.kind === 'file') root.closeFile(node);
    else if (node?.kind === 'channel' && node.channel.closed && !descriptors.holds(node)) node.channel.closed();
  };
  /** Nothing is cached on the way to a channel that could be lost without the host: syncing has nothing to do. */
  const sync = (fd: number): number => {
    descriptors.get(fd);
    return errno.success;
  };

  return {
    fd_close(fd: number): number {
      release(descriptors.remove(fd));
      return errno.success;
    },

    fd_renumber(from: number, to: number): number {
      release(descriptors.move(from, to));
      return errno.success;
    },

    fd_sync: sync,
    fd_datasync: sync,

    fd_advise(fd: number, offset: bigint, length: bigint, advice: number): number {
      descriptors.getWithRight(fd, rights.fdAdvise);
      if (BigInt.asIntN(64, offset) < 0n || BigInt.asIntN(64, length) < 0n) return errno.inval;
      return advice >= 0 && advice <= lastAdvice ? errno.success : errno.inval;
    },

    fd_allocate(fd: number, offset: bigint, length: bigint): number {
      const descriptor = getWritable(descriptors.get(fd));
      const end = toPosition(offset) + toPosition(length);
      if (BigInt.asUintN(64, length) === 0n) return errno.inval;
      return sizeOf(descriptor) >= end ? errno.success : resize(context, descriptor, end);
    },

    fd_fdstat_get(fd: number, result: number): number {
      const { node, flags, rightsBase, rightsInheriting } = descriptors.get(fd);
      const start = memory.check(result, structSizes.fdstat);
      memory.bytes.fill(0, start, start + structSizes.fdstat);
      memory.setUint8(start, fileTypeOf(node));
      memory.setUint16(start + 2, flags);
      memory.setUint64(start + 8, BigInt(rightsBase));
      memory.setUint64(start + 16, BigInt(rightsInheriting));
      return errno.success;
    },

    fd_fdstat_set_flags(fd: number, flags: number): number {
      const descriptor = descriptors.getWithRight(fd, rights.fdFdstatSetFlags);
      if (flags >>> 0 > allFdFlags) return errno.inval;
      descriptor.flags = flags;
      return errno.success;
    },

    /** Rights can only be given up. */
    fd_fdstat_set_rights(fd: number, base: bigint, inheriting: bigint): number {
      const descriptor = descriptors.get(fd);
      const kept = (wanted: bigint, held: number): boolean => (BigInt.asUintN(64, wanted) & ~BigInt(held)) === 0n;
      if (!kept(base, descriptor.rightsBase) || !kept(inheriting, descriptor.rightsInheriting)) return errno.notcapable;
      descriptor.rightsBase = toRights(base);
      descriptor.rightsInheriting = toRights(inheriting);
      descriptor.canRead &&= (descriptor.rightsBase & rights.fdRead) !== 0;
      descriptor.canWrite &&= (descriptor.rightsBase & rights.fdWrite) !== 0;
      return errno.success;
    },

    fd_filestat_get(fd: number, result: number): number {
      writeFilestat(context, result, descriptors.getWithRight(fd, rights.fdFilestatGet).node);
      return errno.success;
    },

    fd_filestat_set_size(fd: number, size: bigint): number {
      return resize(context, getWritable(descriptors.get(fd)), toPosition(size));
    },

    fd_filestat_set_times(fd: number, accessedNs: bigint, modifiedNs: bigint, flags: number): number {
      const { node } = descriptors.getWithRight(fd, rights.fdFilestatSetTimes);
      setTimes(context, node, accessedNs, modifiedNs, flags);
      return errno.success;
    },
  };
}

/** Unknown rights are dropped. */
export function toRights(value: bigint): number {
  return Number(BigInt.asUintN(64, value) & BigInt(allRights));
}

function getWritable(descriptor: Descriptor): Descriptor {
  if (descriptor.node.kind === 'directory') throw new WasiError(errno.isdir);
  if (!descriptor.canWrite) throw new WasiError(errno.badf);
  return descriptor;
}

function sizeOf({ node }: Descriptor): number {
  if (node.kind === 'file') return node.content.sizeBytes;
  return node.kind === 'channel' ? node.channel.sizeBytes : 0;
}

function resize({ root }: HostContext, { node }: Descriptor, sizeBytes: number): number {
  if (node.kind === 'channel') return node.channel.truncate(sizeBytes);
  if (node.kind !== 'file') return errno.inval;
  node.content.resize(sizeBytes);
  root.touch(node);
  return errno.success;
}
