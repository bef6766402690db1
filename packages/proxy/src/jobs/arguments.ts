/**
 * The guest's command line, as ZeroVM's runtime split it: blanks and tabs separate, `"…"` groups (and vanishes), and
 * after splitting `\xHH` stands for one byte, so that `\x20` is a blank inside an argument. Commas are ordinary text.
 */
export function splitArguments(line: string): string[] {
  const args: string[] = [];
  let current = '';
  let started = false;
  let quoted = false;
  for (const character of line) {
    if (character === '"') {
      quoted = !quoted;
      started = true;
    } else if (!quoted && (character === ' ' || character === '\t')) {
      if (started) args.push(decodeBytes(current));
      current = '';
      started = false;
    } else {
      current += character;
      started = true;
    }
  }
  if (started) args.push(decodeBytes(current));
  return args;
}

/** Bytes that are no UTF-8 become U+FFFD: arguments are text on the way to the sandbox. */
function decodeBytes(argument: string): string {
  if (!/\\x[0-9a-fA-F]{2}/.test(argument)) return argument;
  const bytes = Buffer.from(argument, 'utf8')
    .toString('latin1')
    .replace(/\\x([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
