/** A piece of a form, in the order of its bytes. */
interface Piece {
  data: Buffer;
  /** The headers of a part, one character per byte, if the piece ends with them. */
  header?: string;
}

/** A body that is no form; the message is for the client. */
export class FormSyntaxError extends Error {}

/** Longer headers of a part busboy refuses, so there is no need to wait for their end. */
const maxHeaderBytes = 16 * 1024;

/**
 * The bytes of a form as they came, cut behind the headers of each part, for busboy shows neither the parameters of a
 * part's Content-Type nor its Content-Encoding. No byte is changed: what a form means is for busboy to say.
 *
 * Refuses a body that does not begin with the boundary (behind empty lines), which busboy would skip in silence.
 */
export async function* cutAtHeaders(source: AsyncIterable<Uint8Array>, boundary: string): AsyncGenerator<Piece> {
  const delimiter = Buffer.from(`\r\n--${boundary}\r\n`, 'latin1');
  // The first boundary needs no line before it.
  let rest: Buffer = Buffer.from('\r\n');
  let hasStarted = false;
  for await (const chunk of source) {
    rest = Buffer.concat([rest, chunk]);
    if (!hasStarted) {
      while (rest[2] === 0x0d && rest[3] === 0x0a) rest = rest.subarray(2);
      if (rest.length < delimiter.length) continue;
      if (rest.indexOf(delimiter) !== 0) throw invalidStart();
      hasStarted = true;
    }
    let at = rest.indexOf(delimiter);
    for (; at >= 0; at = rest.indexOf(delimiter)) {
      const end = rest.indexOf('\r\n\r\n', at + delimiter.length - 2) + 4;
      if (end < 4) break;
      // busboy sees the end of headers only with the byte behind them: so that is never in one piece with the next headers.
      yield { data: rest.subarray(0, at + 1) };
      yield { data: rest.subarray(at + 1, end), header: rest.toString('latin1', at + delimiter.length, end) };
      rest = rest.subarray(end);
    }
    const keepBytes = at < 0 ? delimiter.length - 1 : Math.max(0, rest.length - at);
    const cut = keepBytes > maxHeaderBytes + delimiter.length ? rest.length : rest.length - keepBytes;
    if (cut <= 0) continue;
    yield { data: rest.subarray(0, cut) };
    rest = rest.subarray(cut);
  }
  if (!hasStarted) throw invalidStart();
  yield { data: rest };
}

/** One of the headers of a part; `undefined` when it is not among them. */
export function findHeader(header: string, name: 'content-type' | 'content-encoding'): string | undefined {
  const lines = header.replace(/\r\n(?=[ \t])/g, '').split('\r\n');
  const line = lines.find((candidate) => candidate.toLowerCase().startsWith(`${name}:`));
  return line?.slice(name.length + 1).trim();
}

function invalidStart(): FormSyntaxError {
  return new FormSyntaxError('invalid starting boundary');
}
