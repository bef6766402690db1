import type { Metadata, MetadataLimits } from './object-store';

const userPrefixes = ['x-account-meta-', 'x-container-meta-', 'x-object-meta-'];

/** How many pairs are the user's own, and how long they are without what their names begin with. */
export function totalsOf(metadata: Metadata): { count: number; sizeBytes: number } {
  let count = 0;
  let sizeBytes = 0;
  for (const [name, value] of Object.entries(metadata)) {
    const prefix = value ? userPrefixes.find((candidate) => name.startsWith(candidate)) : undefined;
    if (prefix === undefined) continue;
    count++;
    sizeBytes += Buffer.byteLength(name) - prefix.length + Buffer.byteLength(value);
  }
  return { count, sizeBytes };
}

/** What is wrong with so much, for a client; `undefined` within the limits. */
export function findExcess(
  { count, sizeBytes }: { count: number; sizeBytes: number },
  { maxMetaCount, maxMetaOverallSize }: MetadataLimits,
): string | undefined {
  if (count > maxMetaCount) return `Too many metadata items; max ${maxMetaCount}`;
  return sizeBytes > maxMetaOverallSize ? `Total metadata too large; max ${maxMetaOverallSize}` : undefined;
}
