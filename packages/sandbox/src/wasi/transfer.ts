import type { OpenChannel } from '../channels/open-channel';
import type { DeviceName, FileNode } from '../images/nodes';
import { fdFlags } from './abi';
import type { HostContext } from './context';
import type { Descriptor } from './descriptor-table';
import { errno, WasiError } from './errno';

/** A device gives at most this much per call; guests must accept short reads. */
const deviceReadBytes = 1024 * 1024;

/**
 * Reads into `context.vectors`, at `position` or (undefined) where the descriptor stands, which then moves on.
 * Returns the bytes read. Throws `badf`, `isdir`, `spipe` (a position on a stream), `dquot`.
 */
export function readDescriptor(context: HostContext, descriptor: Descriptor, position?: number): number {
  const { node } = descriptor;
  if (node.kind === 'directory') throw new WasiError(errno.isdir);
  if (!descriptor.canRead) throw new WasiError(errno.badf);
  const start = position ?? descriptor.position;
  let count: number;
  if (node.kind === 'channel') {
    if (position !== undefined && !node.channel.seekable) throw new WasiError(errno.spipe);
    count = node.channel.read(context.memory.bytes, context.vectors, start);
    if (count < 0) throw channelError(count);
  } else if (node.kind === 'file') {
    count = readFile(context, node, start);
  } else {
    return node.kind === 'device' ? readDevice(context, node.device) : 0;
  }
  if (position === undefined) descriptor.position = start + count;
  return count;
}

/** The counterpart; also `nospc` and `inval` (an offset that no write may have). */
export function writeDescriptor(context: HostContext, descriptor: Descriptor, position?: number): number {
  const { node } = descriptor;
  if (node.kind === 'directory') throw new WasiError(errno.isdir);
  if (!descriptor.canWrite) throw new WasiError(errno.badf);
  const appends = (descriptor.flags & fdFlags.append) !== 0;
  if (node.kind === 'channel') return writeChannel(context, descriptor, node.channel, appends, position);
  if (node.kind !== 'file')
    return node.kind === 'device' && node.device === 'full' ? full() : context.vectors.totalBytes;
  const start = appends ? node.content.sizeBytes : (position ?? descriptor.position);
  const count = writeFile(context, node, start);
  if (position === undefined) descriptor.position = start + count;
  return count;
}

function writeChannel(
  { memory, vectors }: HostContext,
  descriptor: Descriptor,
  channel: OpenChannel,
  appends: boolean,
  position: number | undefined,
): number {
  if (position !== undefined && !channel.seekable) throw new WasiError(errno.spipe);
  const start = appends ? channel.sizeBytes : (position ?? descriptor.position);
  const count = channel.write(memory.bytes, vectors, start);
  if (count < 0) throw channelError(count);
  if (position === undefined) descriptor.position = channel.appends ? channel.sizeBytes : start + count;
  return count;
}

function readFile({ memory, vectors }: HostContext, { content }: FileNode, position: number): number {
  const { bytes } = memory;
  let done = 0;
  for (let i = 0; i < vectors.count; i++) {
    const length = vectors.lengths[i]!;
    const count = content.readAt(bytes, vectors.pointers[i]!, length, position + done);
    done += count;
    if (count < length) break;
  }
  return done;
}

/** All or nothing: a file that does not fit the budget takes no byte. */
function writeFile({ memory, vectors, root }: HostContext, node: FileNode, position: number): number {
  const { content } = node;
  if (vectors.totalBytes === 0) return 0;
  content.resize(Math.max(content.sizeBytes, position + vectors.totalBytes));
  let done = 0;
  for (let i = 0; i < vectors.count; i++) {
    const length = vectors.lengths[i]!;
    content.writeAt(memory.bytes, vectors.pointers[i]!, length, position + done);
    done += length;
  }
  root.touch(node);
  return done;
}

function readDevice({ memory, vectors, random }: HostContext, device: DeviceName): number {
  if (device === 'null') return 0;
  let done = 0;
  for (let i = 0; i < vectors.count && done < deviceReadBytes; i++) {
    const pointer = vectors.pointers[i]!;
    const count = Math.min(vectors.lengths[i]!, deviceReadBytes - done);
    const target = memory.bytes.subarray(pointer, pointer + count);
    if (device === 'random') random(target);
    else target.fill(0);
    done += count;
  }
  return done;
}

function full(): never {
  throw new WasiError(errno.nospc);
}

function channelError(result: number): WasiError {
  return new WasiError(-result as WasiError['errno']);
}
