import { closeSync, fstatSync, openSync } from 'node:fs';
import { IoVectors } from '../channels/io-vectors';
import type { OpenChannel } from '../channels/open-channel';
import { readFully } from '../channels/random-access';
import { SandboxError } from '../errors';
import { maxPages, pageBytes } from '../limits';
import type { SnapshotFacts } from './snapshot-files';

/**
 * The copy of an application as one file: the memory, with holes where it is empty, then the facts as JSON, then their length
 * in eight hexadecimal digits. An executor of the tenant has written it, with the application's code in its process: only
 * executors of that tenant read it, and they believe nothing that would reach beyond the memory.
 */

const lengthDigits = 8;
const maxFactsBytes = 8 * 1024 ** 2;

/** Writes a copy to a channel. False if it does not fit the channel's limits. */
export function writeDaemonFile(channel: OpenChannel, memory: Uint8Array, facts: SnapshotFacts): boolean {
  const write = (bytes: Uint8Array, start: number, end: number, position: number) =>
    channel.write(bytes, IoVectors.of(start, end - start), position) === end - start;
  for (const [start, end] of facts.runs) if (!write(memory, start, end, start)) return false;
  const text = Buffer.from(JSON.stringify(facts));
  const tail = Buffer.concat([text, Buffer.from(text.length.toString(16).padStart(lengthDigits, '0'))]);
  return write(tail, 0, tail.length, memory.byteLength);
}

/** Opens a copy; the descriptor is the caller's. */
export function openDaemonFile(path: string): { facts: SnapshotFacts; memoryFd: number } {
  const memoryFd = openSync(path, 'r');
  try {
    return { facts: readFacts(memoryFd), memoryFd };
  } catch (cause) {
    closeSync(memoryFd);
    throw new SandboxError('executor-failed', 'the copy of an application is damaged', { cause });
  }
}

function readFacts(fd: number): SnapshotFacts {
  const { size } = fstatSync(fd);
  const digits = readText(fd, size - lengthDigits, lengthDigits);
  const length = /^[0-9a-f]{8}$/.test(digits) ? Number.parseInt(digits, 16) : Number.NaN;
  if (!(length <= maxFactsBytes)) throw new RangeError('no facts');
  const start = size - lengthDigits - length;
  const facts = JSON.parse(readText(fd, start, length)) as SnapshotFacts;
  const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
  let position = 0;
  for (const [from, to] of facts.runs) {
    if (!isCount(from) || !isCount(to) || from < position || to <= from) throw new RangeError('wrong runs');
    position = to;
  }
  const numbers = [facts.pages, facts.minPages, facts.maxPages, facts.serve, facts.emptyTuple];
  const isWhole = facts.pages <= maxPages && facts.pages * pageBytes === start && position <= start;
  if (!isWhole || !numbers.every(isCount) || facts.language !== 'python') throw new RangeError('wrong facts');
  for (const [name, value] of facts.globals) {
    if (!name.startsWith('zerocloud:global:') || !Number.isSafeInteger(value)) throw new RangeError('wrong globals');
  }
  return facts;
}

function readText(fd: number, position: number, length: number): string {
  if (position < 0) throw new RangeError('too short');
  const bytes = Buffer.alloc(length);
  if (readFully(fd, bytes, 0, length, position) !== length) throw new RangeError('too short');
  return bytes.toString('utf8');
}
