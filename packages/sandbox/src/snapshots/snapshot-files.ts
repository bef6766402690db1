import { openSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pageBytes } from '../limits';

/** Whose interpreter it is. */
export type SnapshotLanguage = 'python' | 'javascript';

/**
 * A snapshot on disk: the module of its sessions, the copied memory, and a few numbers. The memory is read into every
 * process that uses it; in a file it costs no process a second copy.
 */
export interface SnapshotFacts {
  /** Pages of the copied memory. */
  pages: number;
  /** Pages the program needs to start by itself, and the most it can have by its own declaration. */
  minPages: number;
  maxPages: number;
  /** Exported names and values of the mutable globals. */
  globals: [name: string, value: number][];
  /** Where the copied memory holds anything: start and end in bytes. */
  runs: [start: number, end: number][];
  language: SnapshotLanguage;
  /** Address of what serves a session: a Python function, or a JavaScript object. */
  serve: number;
  /** Address of Python's empty tuple. */
  emptyTuple: number;
}

/** Where a snapshot of an image's program is. */
export interface SnapshotReference {
  /** Real path of the image and the name of its program, as sessions address it. */
  imagePath: string;
  program: string;
  /** Path of the files without their endings. */
  file: string;
}

/** What follows the name of a snapshot. */
export const snapshotEndings = { module: '.wasm', memory: '.memory', facts: '.json' } as const;

export function writeSnapshot(file: string, module: Uint8Array, memory: Uint8Array, facts: SnapshotFacts): void {
  writeFileSync(file + snapshotEndings.module, module);
  writeFileSync(file + snapshotEndings.memory, memory);
  writeFileSync(file + snapshotEndings.facts, JSON.stringify(facts));
}

export interface OpenSnapshot {
  facts: SnapshotFacts;
  /** Descriptor of the copied memory, open as long as the process lives. */
  memoryFd: number;
  /** Bytes of the module. */
  module: Uint8Array;
}

export function openSnapshot(file: string): OpenSnapshot {
  const absolute = path.resolve(file);
  return {
    facts: JSON.parse(readFileSync(absolute + snapshotEndings.facts, 'utf8')) as SnapshotFacts,
    memoryFd: openSync(absolute + snapshotEndings.memory, 'r'),
    module: readFileSync(absolute + snapshotEndings.module),
  };
}

/** Granularity of runs, and how much emptiness is copied along rather than begin another run. */
const blockBytes = 4096;
const maxGapBlocks = 8;

/** The parts of a memory that are not zero. */
export function findRuns(memory: Uint8Array): [number, number][] {
  const empty = Buffer.alloc(blockBytes);
  const runs: [number, number][] = [];
  for (let start = 0; start < memory.length; start += blockBytes) {
    if (empty.compare(memory, start, start + blockBytes) === 0) continue;
    const last = runs[runs.length - 1];
    if (last && start - last[1] <= maxGapBlocks * blockBytes) last[1] = start + blockBytes;
    else runs.push([start, start + blockBytes]);
  }
  return runs;
}

export function pagesOf(memory: Uint8Array): number {
  return memory.byteLength / pageBytes;
}
