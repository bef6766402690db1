import { readSync, writeSync } from 'node:fs';
import Bunzip from 'seek-bzip';

/**
 * A process that inflates what comes in and writes it out. The library reads and writes byte by byte and cannot be
 * interrupted, so both ends block. It ends with 1 and a sentence on stderr when the input is not bzip2, or not all of it.
 */

const pieceBytes = 64 * 1024;
const stdinFd = 0;
const stdoutFd = 1;

const piece = Buffer.allocUnsafe(pieceBytes);
let length = 0;
let at = 0;

/** False at the end of the input. */
function fill(): boolean {
  if (at < length) return true;
  length = readSync(stdinFd, piece);
  at = 0;
  return length > 0;
}

class Input extends Bunzip.Stream {
  override readByte(): number {
    return fill() ? piece[at++]! : -1;
  }

  eof(): boolean {
    return !fill();
  }
}

const output = Buffer.allocUnsafe(pieceBytes);
let filled = 0;

function send(): void {
  for (let sent = 0; sent < filled; ) sent += writeSync(stdoutFd, output, sent, filled - sent);
  filled = 0;
}

class Output extends Bunzip.Stream {
  override writeByte(byte: number): void {
    output[filled++] = byte;
    if (filled === pieceBytes) send();
  }
}

try {
  if (fill()) Bunzip.decode(new Input(), new Output(), true);
  send();
} catch (error) {
  send();
  process.stderr.write(String((error as Error).message));
  process.exitCode = 1;
}
