/**
 * How long a name is if it is longer than `maxLength`. Names of accounts, containers and objects count in characters (code
 * points), as in Swift, whose names are Python's text when it looks at their length.
 */
export function findExcessiveLength(name: string, maxLength: number): number | undefined {
  if (name.length <= maxLength) return undefined;
  const length = [...name].length;
  return length > maxLength ? length : undefined;
}
