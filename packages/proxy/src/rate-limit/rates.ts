/** From this many objects in the container on, so many requests a second. */
export interface SizeRate {
  minObjects: number;
  perSecond: number;
}

/**
 * The rate for a container of that size: between two of the sizes it goes in a straight line from one rate to the next
 * (`interpret_conf_limits` of swift/common/middleware/ratelimit.py). `undefined`: no limit.
 */
export function findRate(rates: readonly SizeRate[], objectCount: number): number | undefined {
  if (objectCount === 0) return undefined;
  const index = rates.findLastIndex(({ minObjects }) => minObjects <= objectCount);
  const lower = rates[index];
  const upper = rates[index + 1];
  if (!lower || !upper) return lower?.perSecond;
  const slope = (upper.perSecond - lower.perSecond) / (upper.minObjects - lower.minObjects);
  return (objectCount - lower.minObjects) * slope + lower.perSecond;
}
