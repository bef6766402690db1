import { Socket } from 'node:net';
import { encodeFrame, FrameDecoder, maxFrameBytes } from './frames';
import { lineFd } from './protocol';

/**
 * An executor's side of the line between its main thread and the server: messages about time, and the news that the server is
 * gone. Frames as on the other socket; Node's own channel between processes would have the server take in whatever
 * a broken executor sends, up to 4 GiB, and end by an exception of the engine's reader if it is nothing sensible.
 */
export class ServerLine {
  private readonly socket = new Socket({ fd: lineFd, readable: true, writable: true });

  constructor({ onMessage, onEnd }: { onMessage?(message: unknown): void; onEnd(): void }) {
    const decoder = new FrameDecoder(maxFrameBytes);
    this.socket.on('data', (chunk: Buffer) => {
      for (const message of decoder.push(chunk)) onMessage?.(message);
    });
    this.socket.on('error', onEnd);
    this.socket.on('close', onEnd);
  }

  send(message: unknown): void {
    for (const part of encodeFrame(message)) this.socket.write(part);
  }
}
