import { isUtf8 } from 'node:buffer';
import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

/**
 * Swift lets clients put raw UTF-8 into paths and into the names of metadata (`PUT /v1/a/größe`,
 * `X-Object-Meta-Größe: 5`). Neither is HTTP, and Node's parser refuses both. This file gives such a request a second
 * chance, off the hot path: the refused head is taken back from the parser, the path is percent-encoded, each such name
 * is replaced by a stand-in, and the head goes to a fresh parser, followed by whatever else the connection brings;
 * `restoreHeaderNames` then undoes the replacement.
 *
 * Whatever two parsers could read differently is a way to smuggle requests past a proxy in front of us. So the second
 * chance is given only where there is nothing to misread: the head begins exactly where the previous message ended, it
 * came in one piece, each of its lines is plain `name: value`, and only the path and names of metadata go beyond ASCII,
 * the latter in UTF-8. The connection ends with the answer. Everything else keeps the 400 that it had.
 */

/** Takes a refused request over from Node. True: it is being served, the caller must not touch the socket any more. */
export function retryBeyondAscii(server: Server, error: Error, socket: Socket): boolean {
  const { code, rawPacket } = error as Error & { code?: string; rawPacket?: Buffer };
  if ((code !== 'HPE_INVALID_HEADER_TOKEN' && code !== 'HPE_INVALID_URL') || !rawPacket) return false;
  const { _httpMessage: running, [messageEnd]: end = 0 } = socket as HttpSocket;
  const packetStart = socket.bytesRead - rawPacket.length;
  if (running || packetStart !== end) return false;
  const rewritten = rewriteHead(rawPacket);
  if (!rewritten) return false;
  // `rewritten.bytes` is a copy: the packet belongs to the parser. Listening for data detaches the parser.
  for (const event of ['data', 'end', 'drain']) socket.removeAllListeners(event);
  server.emit('connection', new RewrittenConnection(socket, rewritten));
  return true;
}

const messageEnd = Symbol('offset in the connection at which the last message ended');

interface HttpSocket extends Socket {
  [messageEnd]?: number;
  _httpMessage?: unknown;
  /** Milliseconds since the parser's current message began; 0 between messages. */
  parser?: { duration?(): number } | null;
}

/**
 * To be called when a request was answered. If nothing of a next message was read by then, the next byte of the
 * connection begins one.
 */
export function noteMessageEnd(socket: Socket): void {
  const { parser } = socket as HttpSocket;
  if (parser?.duration?.() === 0) (socket as HttpSocket)[messageEnd] = socket.bytesRead;
}

/** Gives a request that came through `retryBeyondAscii` its names back, as latin1 bytes like all header text. */
export function restoreHeaderNames(req: IncomingMessage): boolean {
  const socket = req.socket as unknown;
  if (!(socket instanceof RewrittenConnection)) return false;
  for (const [standIn, name] of socket.names) {
    const value = req.headers[standIn];
    delete req.headers[standIn];
    if (value !== undefined) req.headers[name] = value;
  }
  req.rawHeaders = req.rawHeaders.map((text) => socket.names.get(text) ?? text);
  return true;
}

interface RewrittenHead {
  bytes: Buffer;
  /** Stand-in → name, lower case where that is ASCII. */
  names: Map<string, string>;
}

const standInPrefix = 'x-zerocloud-name-';
const requestLine = /^[A-Z]+ \/[\x21-\x7e\x80-\xff]* HTTP\/1\.1$/;
const headerLine = /^([!#$%&'*+.^_`|~0-9A-Za-z\x80-\xff-]+):([\t\x20-\x7e\x80-\xff]*)$/;
/** S3 allows anything visible in the names of metadata, and ignores what it does not like. */
const s3MetadataLine = /^(x-amz-meta-[\x21-\x39\x3b-\x7e]+):([\t\x20-\x7e\x80-\xff]*)$/i;
const metadataName = /^x-(?:account|container|object)-meta-/;

/** Exported for tests. `undefined`: not such a request, or not one that is beyond doubt. */
export function rewriteHead(packet: Buffer): RewrittenHead | undefined {
  const headEnd = packet.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const [first, ...lines] = packet.toString('latin1', 0, headEnd).split('\r\n');
  if (!requestLine.test(first!)) return undefined;
  const names = new Map<string, string>();
  const target = first!.replace(/[\x80-\xff]/g, (byte) => `%${byte.charCodeAt(0).toString(16)}`);
  const rewritten = [target];
  for (const line of lines) {
    const plain = headerLine.exec(line);
    const [, name, value] = plain ?? s3MetadataLine.exec(line) ?? [];
    if (name === undefined) return undefined;
    const lower = name.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
    if (lower.startsWith(standInPrefix)) return undefined;
    if (plain && !/[\x80-\xff]/.test(name)) {
      rewritten.push(line);
      continue;
    }
    if (plain && (!metadataName.test(lower) || !isUtf8(Buffer.from(name, 'latin1')))) return undefined;
    const standIn = `${standInPrefix}${names.size}`;
    names.set(standIn, lower);
    rewritten.push(`${standIn}:${value}`);
  }
  if (names.size === 0 && target === first) return undefined;
  const head = Buffer.from(`${rewritten.join('\r\n')}\r\n\r\n`, 'latin1');
  return { bytes: Buffer.concat([head, packet.subarray(headEnd + 4)]), names };
}

/** A connection that begins with the rewritten head and goes on as the socket it wraps. */
class RewrittenConnection extends Duplex {
  readonly names: Map<string, string>;
  readonly encrypted = false;

  constructor(
    private readonly socket: Socket,
    { bytes, names }: RewrittenHead,
  ) {
    super({ allowHalfOpen: true });
    this.names = names;
    this.push(bytes);
    socket.on('data', (chunk) => {
      if (!this.push(chunk)) socket.pause();
    });
    socket.on('end', () => this.push(null));
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
  }

  get remoteAddress(): string | undefined {
    return this.socket.remoteAddress;
  }

  override _read(): void {
    this.socket.resume();
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.socket.write(chunk, encoding, done);
  }

  override _final(done: () => void): void {
    this.socket.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.socket.destroy();
    done(error);
  }
}
