import type { DirectoryNode, RootNode } from './nodes';
import type { RootTree } from './root-tree';
import { blockBytes } from './tar-header';

const chunkBytes = 1024 * 1024;
const nameBytes = 100;
/** Eleven octal digits. */
const maxOctalSize = 8 * 1024 ** 3;

const types = { file: '0', symlink: '2', directory: '5', extended: 'x' } as const;

/**
 * A plain tar of what is below a directory of a guest's root, in pieces: files, directories and symbolic links in the order
 * of their names, with pax headers for what ustar cannot say. Channels and devices are left out. Hard links become files.
 */
export function* writeTar(root: RootTree, top: DirectoryNode): Generator<Uint8Array, void, undefined> {
  const open = [entriesOf(root, top, '')];
  const seen = new Set([top]);
  for (let level = open.at(-1); level !== undefined; level = open.at(-1)) {
    const next = level.pop();
    if (next === undefined) {
      open.pop();
      continue;
    }
    const { path, node } = next;
    yield* writeMember(path, node);
    if (node.kind === 'directory' && !seen.has(node)) {
      seen.add(node);
      open.push(entriesOf(root, node, path));
    }
  }
  yield new Uint8Array(2 * blockBytes);
}

/** The entries of one directory, last name first. */
function entriesOf(root: RootTree, directory: DirectoryNode, path: string): { path: string; node: RootNode }[] {
  return [...root.entriesOf(directory)]
    .sort(([one], [other]) => Buffer.compare(Buffer.from(other), Buffer.from(one)))
    .map(([name, node]) => ({ path: `${path}${name}${node.kind === 'directory' ? '/' : ''}`, node }));
}

function* writeMember(path: string, node: RootNode): Generator<Uint8Array, void, undefined> {
  if (node.kind === 'channel' || node.kind === 'device') return;
  const sizeBytes = node.kind === 'file' ? node.content.sizeBytes : 0;
  const target = node.kind === 'symlink' ? node.target : '';
  const modifiedS = Number(node.modifiedNs / 1_000_000_000n);
  const extended = paxRecords({
    path: Buffer.byteLength(path) > nameBytes ? path : undefined,
    linkpath: Buffer.byteLength(target) > nameBytes ? target : undefined,
    size: sizeBytes >= maxOctalSize ? String(sizeBytes) : undefined,
  });
  if (extended.length > 0) {
    yield header({ path: 'PaxHeader', type: types.extended, sizeBytes: extended.length, mode: 0o644, modifiedS });
    yield padded(extended);
  }
  yield header({ path, type: types[node.kind], sizeBytes, mode: node.mode, modifiedS, target });
  if (node.kind !== 'file') return;
  for (let position = 0; position < sizeBytes; ) {
    const chunk = new Uint8Array(Math.min(chunkBytes, sizeBytes - position));
    node.content.readAt(chunk, 0, chunk.length, position);
    position += chunk.length;
    yield position === sizeBytes ? padded(chunk) : chunk;
  }
}

interface Member {
  path: string;
  type: string;
  sizeBytes: number;
  mode: number;
  modifiedS: number;
  target?: string;
}

function header({ path, type, sizeBytes, mode, modifiedS, target = '' }: Member): Uint8Array {
  const block = Buffer.alloc(blockBytes);
  const octal = (value: number, at: number, digits: number) =>
    block.write(`${Math.max(0, value).toString(8).padStart(digits, '0')}\0`, at);
  Buffer.from(path).copy(block, 0, 0, nameBytes);
  octal(mode & 0o7777, 100, 7);
  octal(0, 108, 7);
  octal(0, 116, 7);
  octal(sizeBytes < maxOctalSize ? sizeBytes : 0, 124, 11);
  octal(Math.min(modifiedS, maxOctalSize - 1), 136, 11);
  block.write(type, 156);
  Buffer.from(target).copy(block, 157, 0, nameBytes);
  block.write('ustar\x0000', 257);
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

/** Each record begins with its own length, its digits included. */
function paxRecords(values: Record<string, string | undefined>): Buffer {
  const records = Object.entries(values).flatMap(([key, value]) => {
    if (value === undefined) return [];
    const rest = ` ${key}=${value}\n`;
    let length = Buffer.byteLength(rest);
    while (String(length).length + Buffer.byteLength(rest) !== length) {
      length = String(length).length + Buffer.byteLength(rest);
    }
    return [`${length}${rest}`];
  });
  return Buffer.from(records.join(''));
}

function padded(bytes: Uint8Array): Uint8Array {
  const rest = bytes.length % blockBytes;
  if (rest === 0) return bytes;
  const full = new Uint8Array(bytes.length + blockBytes - rest);
  full.set(bytes);
  return full;
}
