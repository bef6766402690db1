/** `\xHH` in values of the guest's configuration, for what its syntax takes: comma, quote, backslash, newline, blank. */

/** Undoes the escapes; other backslashes stay as they are. */
export function unescapeValue(text: string): string {
  if (!text.includes('\\x')) return text;
  const bytes = Buffer.from(text);
  const out = Buffer.alloc(bytes.length);
  let length = 0;
  for (let at = 0; at < bytes.length; ) {
    const digits = bytes.toString('latin1', at, at + 4);
    if (/^\\x[0-9a-fA-F]{2}$/.test(digits)) {
      out[length++] = Number.parseInt(digits.slice(2), 16);
      at += 4;
    } else {
      out[length++] = bytes[at++]!;
    }
  }
  return out.toString('utf8', 0, length);
}

/** A value that reads back as it is: a word of a command line, or a variable. */
export function escapeValue(text: string): string {
  return text.replace(/[\x00-\x20",#=\\\x7f]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** Words of a command line: divided at blanks and tabs, `"…"` keeps them together; escapes are undone afterwards. */
export function splitArguments(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quoted = false;
  for (const char of text) {
    if (char === '"') {
      quoted = !quoted;
      word ??= '';
    } else if (!quoted && (char === ' ' || char === '\t')) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? '') + char;
    }
  }
  if (word !== undefined) words.push(word);
  return words.map(unescapeValue);
}

/** The words as `splitArguments` takes them apart; an empty one needs its quotes. */
export function joinArguments(words: readonly string[]): string {
  return words.map((word) => (word === '' ? '""' : escapeValue(word))).join(' ');
}

/** Without the blanks around it. Only those of ASCII: any other, such as a no-break space, is part of the value. */
export function trimBlanks(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/** A blank, or one of tab, newline, vertical tab, form feed, carriage return. */
function isBlank(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d);
}
