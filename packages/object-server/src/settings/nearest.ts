/** The name with the fewest single-letter changes to `wanted`; the first of equals. `names` is not empty. */
export function nearestName(wanted: string, names: readonly string[]): string {
  const distances = names.map((name) => editDistance(wanted, name));
  return names[distances.indexOf(Math.min(...distances))]!;
}

/** Levenshtein's distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(changed, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
