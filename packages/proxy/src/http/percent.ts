/** Percent-encoding of bytes that need not be text: names in the bodies of bulk requests and their answers. */

const unreserved = /[A-Za-z0-9_.~/-]/;

/** Every byte but those of letters, digits and `_.-~/` as `%XX`: Python's `quote`. */
export function quoteBytes(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) {
    const character = String.fromCharCode(byte);
    text += unreserved.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return text;
}

export function quoteText(text: string): string {
  return quoteBytes(Buffer.from(text));
}

/** Python's `unquote_to_bytes`: a `%` without two hex digits stays as it is. */
export function unquoteBytes(bytes: Buffer): Buffer {
  if (!bytes.includes(percent)) return bytes;
  const text = bytes.toString('latin1').replace(/%([0-9a-f]{2})/gi, (_, hex: string) => {
    return String.fromCharCode(Number.parseInt(hex, 16));
  });
  return Buffer.from(text, 'latin1');
}

const percent = '%'.charCodeAt(0);
