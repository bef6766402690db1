import type { MessageForm, MessageHead } from '../storage-node';

/**
 * Outputs that are HTTP messages (`message/http`, `message/cgi`): the head, cut off from the body. Lines end with LF or
 * CRLF, also mixed. What is no such message is no error: the output is used as it is.
 */

/** Longest head; an output whose head is longer is no message. */
export const maxHeadBytes = 64 * 1024;

const maxHeaders = 128;
const statusLine = /^HTTP\/1\.\d ([2-5]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/;
const statusValue = /^([2-5]\d\d)(?:$|[ \t])/;
const headerLine = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)$/;

export interface FoundHead {
  head: MessageHead;
  /** Length of the head with its blank line. */
  sizeBytes: number;
}

/** Reads the head at the start of `bytes`, which need not be more than the first `maxHeadBytes` of the output. */
export function findMessageHead(bytes: Uint8Array, form: MessageForm): FoundHead | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, maxHeadBytes));
  const head: MessageHead = { headers: [] };
  let at = 0;
  for (let line = 0; ; line++) {
    const end = text.indexOf(0x0a, at);
    if (end < 0) return undefined;
    const content = text.toString('latin1', at, end > at && text[end - 1] === 0x0d ? end - 1 : end);
    at = end + 1;
    if (line === 0 && form === 'http') {
      const status = statusLine.exec(content)?.[1];
      if (status === undefined) return undefined;
      head.status = Number(status);
    } else if (content === '') {
      return { head, sizeBytes: at };
    } else if (!addHeader(head, content, form)) {
      return undefined;
    }
  }
}

/** False when the line is no header, or one too many. */
function addHeader(head: MessageHead, line: string, form: MessageForm): boolean {
  const [, name, value] = headerLine.exec(line) ?? [];
  if (name === undefined || value === undefined || head.headers.length === maxHeaders) return false;
  if (form === 'cgi' && name.toLowerCase() === 'status') {
    const status = statusValue.exec(value)?.[1];
    if (status === undefined) return false;
    head.status = Number(status);
  } else {
    head.headers.push([name.toLowerCase(), value.trimEnd()]);
  }
  return true;
}
