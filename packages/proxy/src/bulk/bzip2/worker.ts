import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import Bunzip from 'seek-bzip';
import { type FromWorker, pieceBytes, signalWords } from './protocol';

/** The library reads and writes byte by byte and cannot be interrupted, so this thread sleeps where it has to wait. */

const { signals } = workerData as { signals: Int32Array };
const port = parentPort!;
const say = (message: FromWorker) => port.postMessage(message);

let piece: Uint8Array = new Uint8Array(0);
let at = 0;
let isOver = false;

/** False at the end of the input. */
function fill(): boolean {
  if (at < piece.length) return true;
  if (isOver) return false;
  const seen = Atomics.load(signals, signalWords.input);
  say({ kind: 'input-wanted' });
  let received = receiveMessageOnPort(port);
  while (!received) {
    Atomics.wait(signals, signalWords.input, seen);
    received = receiveMessageOnPort(port);
  }
  if (received.message === undefined) {
    isOver = true;
    return false;
  }
  piece = received.message;
  at = 0;
  return fill();
}

class Input extends Bunzip.Stream {
  override readByte(): number {
    return fill() ? piece[at++]! : -1;
  }

  eof(): boolean {
    return !fill();
  }
}

let output = new Uint8Array(pieceBytes);
let length = 0;

function send(): void {
  if (length === 0) return;
  for (let free = Atomics.load(signals, signalWords.window); free === 0; ) {
    Atomics.wait(signals, signalWords.window, 0);
    free = Atomics.load(signals, signalWords.window);
  }
  Atomics.sub(signals, signalWords.window, 1);
  say({ kind: 'data', data: output.subarray(0, length) });
  output = new Uint8Array(pieceBytes);
  length = 0;
}

class Output extends Bunzip.Stream {
  override writeByte(byte: number): void {
    output[length++] = byte;
    if (length === pieceBytes) send();
  }
}

try {
  if (fill()) Bunzip.decode(new Input(), new Output(), true);
  send();
  say({ kind: 'end' });
} catch (error) {
  send();
  say({ kind: 'failed', sentence: String((error as Error).message) });
}
