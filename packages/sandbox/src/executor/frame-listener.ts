import type { Duplex } from 'node:stream';
import { FrameDecoder } from './frames';

export interface FrameListener {
  /** Of the largest frame. */
  maxBytes: number;
  /** May throw: the value is none that can be. */
  onValue(value: unknown): void;
  /** What came is not our protocol: a broken or compromised process. Nothing is heard of it after that. */
  onBroken(error: unknown): void;
}

/** Hears what a process that is not trusted says on a socket, value by value. */
export function listenForFrames(socket: Duplex, { maxBytes, onValue, onBroken }: FrameListener): void {
  const decoder = new FrameDecoder(maxBytes);
  socket.on('data', (chunk: Buffer) => {
    // What still comes from one that was killed is not looked at.
    if (socket.destroyed) return;
    try {
      for (const value of decoder.push(chunk)) onValue(value);
    } catch (error) {
      onBroken(error);
      socket.destroy();
    }
  });
}
