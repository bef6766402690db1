import type { RootNode } from '../images/nodes';
import type { FileType } from '../session';
import { fileTypes, setTimeFlags, structSizes } from './abi';
import type { HostContext } from './context';
import { errno, WasiError } from './errno';

/** WASI has no FIFO, so a pipe is "unknown". */
const channelFileTypes: Record<FileType, number> = {
  file: fileTypes.regularFile,
  char: fileTypes.characterDevice,
  block: fileTypes.blockDevice,
  pipe: fileTypes.unknown,
};

export function fileTypeOf(node: RootNode): number {
  switch (node.kind) {
    case 'directory':
      return fileTypes.directory;
    case 'file':
      return fileTypes.regularFile;
    case 'symlink':
      return fileTypes.symbolicLink;
    case 'device':
      return fileTypes.characterDevice;
    case 'channel':
      return channelFileTypes[node.channel.spec.fileType];
  }
}

/** Streams have no size, as in ZeroVM. */
function sizeOf(node: RootNode): number {
  if (node.kind === 'file') return node.content.sizeBytes;
  if (node.kind === 'symlink') return Buffer.byteLength(node.target);
  return node.kind === 'channel' && node.channel.seekable ? node.channel.sizeBytes : 0;
}

export function writeFilestat({ memory }: HostContext, pointer: number, node: RootNode): void {
  const start = memory.check(pointer, structSizes.filestat);
  memory.bytes.fill(0, start, start + structSizes.filestat);
  memory.setUint64(start, 1n);
  memory.setUint64(start + 8, node.inode);
  memory.setUint8(start + 16, fileTypeOf(node));
  memory.setUint64(start + 24, BigInt(node.links));
  memory.setUint64(start + 32, BigInt(sizeOf(node)));
  memory.setUint64(start + 40, node.accessedNs);
  memory.setUint64(start + 48, node.modifiedNs);
  memory.setUint64(start + 56, node.changedNs);
}

/** `*_filestat_set_times`. Throws `inval` for contradictory flags and `perm` for what is in `/dev`. */
export function setTimes(
  { clock }: HostContext,
  node: RootNode,
  accessedNs: bigint,
  modifiedNs: bigint,
  flags: number,
): void {
  const { accessed, accessedNow, modified, modifiedNow } = setTimeFlags;
  const both = (one: number, other: number): boolean => (flags & one) !== 0 && (flags & other) !== 0;
  if (flags >>> 0 > 15 || both(accessed, accessedNow) || both(modified, modifiedNow)) throw new WasiError(errno.inval);
  if (node.kind === 'channel' || node.kind === 'device' || (node.kind === 'directory' && node.fixed)) {
    throw new WasiError(errno.perm);
  }
  const now = clock.realtimeNs();
  if ((flags & accessed) !== 0) node.accessedNs = BigInt.asUintN(64, accessedNs);
  if ((flags & accessedNow) !== 0) node.accessedNs = now;
  if ((flags & modified) !== 0) node.modifiedNs = BigInt.asUintN(64, modifiedNs);
  if ((flags & modifiedNow) !== 0) node.modifiedNs = now;
  node.changedNs = now;
}
