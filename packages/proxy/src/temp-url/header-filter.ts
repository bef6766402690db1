/** Names of headers; one that ends in `*` stands for all that begin so. */
export type HeaderPatterns = readonly string[];

/** A function that tells which headers are taken away: those of `remove` that are not in `allow`. Names in lower case. */
export function createHeaderFilter(remove: HeaderPatterns, allow: HeaderPatterns): (name: string) => boolean {
  const isRemoved = createMatcher(remove);
  const isAllowed = createMatcher(allow);
  return (name) => isRemoved(name) && !isAllowed(name);
}

function createMatcher(patterns: HeaderPatterns): (name: string) => boolean {
  const exact = new Set(patterns.filter((pattern) => !pattern.endsWith('*')));
  const prefixes = patterns.filter((pattern) => pattern.endsWith('*')).map((pattern) => pattern.slice(0, -1));
  return (name) => exact.has(name) || prefixes.some((prefix) => name.startsWith(prefix));
}
