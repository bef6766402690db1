/**
 * Patterns of job descriptions: `*` matches any text, `/` included, and the whole name must match. Captures are what
 * greedy matching gives: the first star takes as much as it can. Found from the right in linear time, where a regular
 * expression of several stars would let a hostile pattern search for minutes.
 */
export interface Pattern {
  /** Text before the first star: what a listing can be narrowed to. */
  readonly prefix: string;
  /** What the stars took, or nothing if the name does not match. */
  match(name: string): string[] | undefined;
}

export function isWildcard(text: string): boolean {
  return text.includes('*');
}

export function starsIn(text: string): number {
  let stars = 0;
  for (let at = text.indexOf('*'); at >= 0; at = text.indexOf('*', at + 1)) stars++;
  return stars;
}

export function createPattern(text: string): Pattern {
  const pieces = text.split('*');
  const prefix = pieces[0]!;
  const suffix = pieces.at(-1)!;
  const stars = pieces.length - 1;
  return {
    prefix,
    match(name) {
      if (stars === 0) return name === text ? [] : undefined;
      if (name.length < prefix.length + suffix.length) return undefined;
      if (!name.startsWith(prefix) || !name.endsWith(suffix)) return undefined;
      const captures = new Array<string>(stars);
      let end = name.length - suffix.length;
      for (let star = stars - 1; star > 0; star--) {
        const piece = pieces[star]!;
        // lastIndexOf treats a negative position as 0, where the piece could still be found beyond `end`.
        const at = end < piece.length ? -1 : name.lastIndexOf(piece, end - piece.length);
        if (at < prefix.length) return undefined;
        captures[star] = name.slice(at + piece.length, end);
        end = at;
      }
      captures[0] = name.slice(prefix.length, end);
      return captures;
    },
  };
}

/** Fills the stars from left to right. Surplus captures are left over; surplus stars are not filled: not found. */
export function findFilled(text: string, captures: readonly string[]): string | undefined {
  const pieces = text.split('*');
  if (pieces.length - 1 > captures.length) return undefined;
  let filled = pieces[0]!;
  for (let star = 1; star < pieces.length; star++) filled += captures[star - 1]! + pieces[star]!;
  return filled;
}
