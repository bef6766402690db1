import { constants, createGunzip } from 'node:zlib';
import { blockBytes, parsePaxRecords, parseTarHeader } from '@zerocloud/sandbox/images/tar-header';

/** How much of a posted archive is looked at for the job description. */
export const headBytes = 128 * 1024;

/** What a gzipped head may inflate to before the look-out ends. */
const maxInflatedBytes = 1024 * 1024;

const mapNames = ['boot/cluster.map', 'boot/system.map'] as const;

/**
 * The job description inside the first bytes of a tar; the cluster map wins if both are there. Nothing is found in less
 * than one block, and nothing behind damage. Throws when the first block is no tar header.
 */
export function findBootMap(head: Uint8Array): Uint8Array | undefined {
  const found = new Map<string, Uint8Array>();
  let at = 0;
  let overrides: Map<string, string> | undefined;
  while (at + blockBytes <= head.length && !found.has(mapNames[0])) {
    const header = parseHeader(head.subarray(at, at + blockBytes), at === 0);
    if (!header) break;
    const start = at + blockBytes;
    const sizeBytes = Number(overrides?.get('size') ?? header.sizeBytes);
    if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0) break;
    const data = head.subarray(start, start + sizeBytes);
    at = start + Math.ceil(sizeBytes / blockBytes) * blockBytes;
    if (header.type === 'x') {
      overrides = data.length === sizeBytes ? findPaxRecords(data) : undefined;
      continue;
    }
    const name = overrides?.get('path') ?? header.name;
    overrides = undefined;
    if (header.type === '0' && data.length === sizeBytes && isMapName(name)) found.set(name, data);
  }
  return found.get(mapNames[0]) ?? found.get(mapNames[1]);
}

function isMapName(name: string): boolean {
  return name === mapNames[0] || name === mapNames[1];
}

function parseHeader(block: Uint8Array, isFirst: boolean): ReturnType<typeof parseTarHeader> {
  try {
    return parseTarHeader(block);
  } catch (error) {
    if (isFirst) throw error;
    return undefined;
  }
}

function findPaxRecords(data: Uint8Array): Map<string, string> | undefined {
  try {
    return parsePaxRecords(data);
  } catch {
    return undefined;
  }
}

/** The start of what a gzip stream holds, from its first bytes. Throws when those are damaged. */
export async function inflateHead(head: Uint8Array): Promise<Buffer> {
  // With this flush at the end, a stream that is only its beginning is no damage.
  const gunzip = createGunzip({ finishFlush: constants.Z_SYNC_FLUSH });
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  gunzip.end(head);
  for await (const chunk of gunzip) {
    chunks.push(chunk);
    sizeBytes += chunk.length;
    if (sizeBytes >= maxInflatedBytes) break;
  }
  return Buffer.concat(chunks);
}

/** Header block of a tar with one regular file, for `tarTrailer` to end. */
export function tarHeader(name: string, sizeBytes: number): Buffer {
  const block = Buffer.alloc(blockBytes);
  block.write(name, 0);
  block.write('0000755\0', 100);
  block.write('0001750\0', 108);
  block.write('0001750\0', 116);
  block.write(`${sizeBytes.toString(8).padStart(11, '0')}\0`, 124);
  block.write('00000000000\0', 136);
  block.write('        ', 148);
  block.write('0', 156);
  block.write('ustar\x0000', 257);
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

/** Padding of the last file and the two zero blocks at the end. */
export function tarTrailer(sizeBytes: number): Buffer {
  return Buffer.alloc(((blockBytes - (sizeBytes % blockBytes)) % blockBytes) + 2 * blockBytes);
}
