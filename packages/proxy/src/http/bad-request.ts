import type { Socket } from 'node:net';
import { HttpError } from '../errors';
import { methodNotAllowedXml } from '../s3/unknown-method';

/** What Node's parser stumbled over, as a status. Everything not listed is a plain 400. */
const statusOfParserError: Record<string, number> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_INVALID_EOF_STATE: 400,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/**
 * Answers a request that is no HTTP, and closes: after such bytes nobody knows where the next request starts. Says
 * nothing when an earlier answer of the connection is still under way, for it would land in the middle of that.
 */
export function answerBadRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  const { _httpMessage: running } = socket as Socket & { _httpMessage?: unknown };
  if (error.code === 'ECONNRESET' || !socket.writable || running) {
    socket.destroy(error);
    return;
  }
  const answer = new HttpError(isUnknownMethod(error) ? 405 : (statusOfParserError[error.code ?? ''] ?? 400));
  const isS3 = answer.status === 405 && isS3Request(error);
  const text = isS3 ? methodNotAllowedXml() : answer.body;
  const body = Buffer.from(text);
  socket.end(
    `HTTP/1.1 ${answer.status} ${answer.reason}\r\nContent-Type: ${isS3 ? 'application/xml' : answer.headers['content-type']}\r\n` +
      `Content-Length: ${body.length}\r\nDate: ${new Date().toUTCString()}\r\nConnection: close\r\n\r\n${text}`,
  );
}

/** A well-formed request line with a method that Node does not know: to Swift that is a method not allowed. */
function isUnknownMethod(error: Error & { code?: string; rawPacket?: Buffer }): boolean {
  if (error.code !== 'HPE_INVALID_METHOD' || !error.rawPacket) return false;
  return /^[A-Za-z_-]+ \S+ HTTP\/1\.[01]\r\n/.test(error.rawPacket.toString('latin1', 0, 8192));
}

/** A client of S3 reads only its own form of errors. */
function isS3Request({ rawPacket }: Error & { rawPacket?: Buffer }): boolean {
  return /\r\nauthorization: AWS/i.test(rawPacket?.toString('latin1', 0, 8192) ?? '');
}
