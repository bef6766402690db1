/**
 * The words of a line, as a POSIX shell divides it: blanks separate, quotes and backslashes keep together. Nothing is
 * expanded, and `#` is a character like any other. Throws for a quote that is never closed.
 */
export function splitWords(line: string): string[] {
  const words: string[] = [];
  const piece = /\s+|'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|\\([\s\S])|([^\s'"\\]+)/gy;
  let word: string | undefined;
  while (piece.lastIndex < line.length) {
    const start = piece.lastIndex;
    const match = piece.exec(line);
    if (!match) throw new Error(line[start] === '\\' ? 'no escaped character' : 'no closing quotation');
    const [, single, double, escaped, plain] = match;
    const text = single ?? double?.replace(/\\([\\"])/g, '$1') ?? escaped ?? plain;
    if (text !== undefined) {
      word = (word ?? '') + text;
    } else if (word !== undefined) {
      words.push(word);
      word = undefined;
    }
  }
  return word === undefined ? words : [...words, word];
}

/** A word as job descriptions spell it: what would divide or end it there becomes `\xHH`. */
export function escapeWord(word: string): string {
  return word.replace(/[\\", \n]/g, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
