import { rights, whence } from './abi';
import type { HostContext } from './context';
import { type Descriptor, requireRight } from './descriptor-table';
import { errno, WasiError } from './errno';
import { readDescriptor, writeDescriptor } from './transfer';

/** Transfers and positions. Every transfer is one call on its channel, whatever the number of buffers. */
export function transferFunctions(context: HostContext) {
  const { memory, descriptors, vectors } = context;

  return {
    fd_read(fd: number, buffers: number, count: number, result: number): number {
      const descriptor = descriptors.get(fd);
      memory.readIoVectors(buffers, count, vectors);
      memory.check(result, 4);
      memory.setUint32(result, readDescriptor(context, descriptor));
      return errno.success;
    },

    fd_pread(fd: number, buffers: number, count: number, offset: bigint, result: number): number {
      const descriptor = descriptors.get(fd);
      memory.readIoVectors(buffers, count, vectors);
      memory.check(result, 4);
      memory.setUint32(result, readDescriptor(context, descriptor, toPosition(offset)));
      return errno.success;
    },

    fd_write(fd: number, buffers: number, count: number, result: number): number {
      const descriptor = descriptors.get(fd);
      memory.readIoVectors(buffers, count, vectors);
      memory.check(result, 4);
      memory.setUint32(result, writeDescriptor(context, descriptor));
      return errno.success;
    },

    fd_pwrite(fd: number, buffers: number, count: number, offset: bigint, result: number): number {
      const descriptor = descriptors.get(fd);
      memory.readIoVectors(buffers, count, vectors);
      memory.check(result, 4);
      memory.setUint32(result, writeDescriptor(context, descriptor, toPosition(offset)));
      return errno.success;
    },

    fd_seek(fd: number, offset: bigint, from: number, result: number): number {
      const descriptor = descriptors.get(fd);
      checkSeekable(descriptor, rights.fdSeek);
      memory.check(result, 8);
      if (from !== whence.start && from !== whence.current && from !== whence.end) return errno.inval;
      const base = from === whence.start ? 0 : from === whence.current ? descriptor.position : sizeOf(descriptor);
      const position = descriptor.node.kind === 'device' ? 0 : base + Number(BigInt.asIntN(64, offset));
      if (position < 0 || !Number.isSafeInteger(position)) return errno.inval;
      descriptor.position = position;
      memory.setUint64(result, BigInt(position));
      return errno.success;
    },

    fd_tell(fd: number, result: number): number {
      const descriptor = descriptors.get(fd);
      checkSeekable(descriptor, rights.fdTell);
      memory.setUint64(result, BigInt(descriptor.position));
      return errno.success;
    },
  };
}

/** An offset argument; `inval` if it is negative or beyond any file. */
export function toPosition(offset: bigint): number {
  const position = Number(BigInt.asIntN(64, offset));
  if (position < 0 || !Number.isSafeInteger(position)) throw new WasiError(errno.inval);
  return position;
}

function checkSeekable(descriptor: Descriptor, right: number): void {
  const { node } = descriptor;
  if (node.kind === 'channel' && !node.channel.seekable) throw new WasiError(errno.spipe);
  requireRight(descriptor, right);
}

function sizeOf({ node }: Descriptor): number {
  if (node.kind === 'file') return node.content.sizeBytes;
  return node.kind === 'channel' ? node.channel.sizeBytes : 0;
}
