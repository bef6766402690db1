import { randomFillSync } from 'node:crypto';
import type { HostContext } from './context';
import { errno } from './errno';

/** Fills the bytes. */
export type RandomSource = (target: Uint8Array) => void;

/** The host's cryptographic generator. */
export const hostRandom: RandomSource = (target) => {
  randomFillSync(target);
};

/** The same bytes for the same seed (mulberry32); for sessions that must be repeatable, never for secrets. */
export function deterministicRandom(seed = 0): RandomSource {
  let state = seed | 0;
  return (target) => {
    for (let i = 0; i < target.byteLength; i++) {
      state = (state + 0x6d2b79f5) | 0;
      let value = Math.imul(state ^ (state >>> 15), state | 1);
      value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
      target[i] = value >>> 24;
    }
  };
}

/** Gigabytes are filled in pieces, so that the worker can be terminated between them. */
const pieceBytes = 1024 * 1024;

export function randomFunctions({ memory, random }: HostContext) {
  return {
    random_get(buffer: number, length: number): number {
      const target = memory.slice(buffer, length);
      for (let at = 0; at < target.byteLength; at += pieceBytes) random(target.subarray(at, at + pieceBytes));
      return errno.success;
    },
  };
}
