/** Middle value; these machines are shared, so one bad round must not decide. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

/** Runs `ours` and `floor` in turns, so that a slow spell of the machine hits both; returns the medians. */
export async function inTurns(rounds, ours, floor) {
  const [a, b] = [[], []];
  await ours();
  await floor();
  for (let i = 0; i < rounds; i++) {
    a.push(await ours());
    b.push(await floor());
  }
  return { ours: median(a), floor: median(b) };
}

/** Times `action` one at a time, `count` times after `warmup` runs; milliseconds. */
export async function latencies(count, action, warmup = 20) {
  for (let i = 0; i < warmup; i++) await action(i);
  const times = [];
  for (let i = 0; i < count; i++) {
    const startedAt = performance.now();
    await action(i);
    times.push(performance.now() - startedAt);
  }
  return times;
}
