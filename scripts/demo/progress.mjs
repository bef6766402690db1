/** A progress bar on standard error; a plain line at the end where there is no terminal. */
export function startProgress(label, total, unit) {
  const terminal = process.stderr.isTTY;
  const startedAt = Date.now();
  let done = 0;
  let drawnAt = 0;
  const draw = () => {
    const filled = Math.round((done / total) * 30);
    process.stderr.write(
      `\r${label.padEnd(10)} [${'█'.repeat(filled)}${' '.repeat(30 - filled)}] ${done}/${total} ${unit}`,
    );
  };
  return {
    add(count) {
      done += count;
      if (terminal && Date.now() - drawnAt > 50) {
        drawnAt = Date.now();
        draw();
      }
    },
    finish(remark = '') {
      const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
      if (terminal) draw();
      else process.stderr.write(`${label.padEnd(10)} ${done} ${unit}`);
      process.stderr.write(`, ${seconds} s${remark && `, ${remark}`}\n`);
    },
  };
}

/** Runs `action` over `items`, at most `width` at a time. */
export async function forEachConcurrently(items, width, action) {
  let next = 0;
  const lane = async () => {
    while (next < items.length) await action(items[next++]);
  };
  await Promise.all(Array.from({ length: width }, lane));
}
