import { isUtf8 } from 'node:buffer';

/**
 * Header text between Node and Swift. Swift's header values are UTF-8; Node hands them over as latin1 (a character is
 * a byte) and writes them so. Responses must end with Buffers, never strings, or Node would encode the head as UTF-8
 * once more.
 */

const beyondAscii = /[\x80-\xff]/;
const beyondAsciiText = /[^\0-\x7f]/;

/** Text of a header value; `undefined` when the bytes are no UTF-8. */
export function decodeHeaderText(value: string): string | undefined {
  if (!beyondAscii.test(value)) return value;
  const bytes = Buffer.from(value, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : undefined;
}

/** The same for text that need not be UTF-8: then every byte stays a character. */
export function decodeHeaderTextLossless(value: string): string {
  return decodeHeaderText(value) ?? value;
}

/** The form in which Node must be given a header value so that it goes out as UTF-8. */
export function encodeHeaderText(text: string): string {
  return beyondAsciiText.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text;
}

/** `x-object-meta-color` as Swift prints it, `X-Object-Meta-Color`. */
export function headerName(name: string): string {
  let printed = printedNames.get(name);
  if (printed === undefined) {
    printed = name.replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());
    if (printedNames.size >= maxPrintedNames) printedNames.clear();
    printedNames.set(name, printed);
  }
  return printed;
}

const printedNames = new Map<string, string>();
const maxPrintedNames = 1000;
