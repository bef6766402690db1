import { readSync } from 'node:fs';
import { blockBytes, parseTarHeader } from '../images/tar-header';

/** Whether an open file begins as a plain tar archive does. */
export function isTar(fd: number): boolean {
  const block = new Uint8Array(blockBytes);
  if (readSync(fd, block, 0, blockBytes, 0) < blockBytes) return false;
  try {
    parseTarHeader(block);
    return true;
  } catch {
    return false;
  }
}
