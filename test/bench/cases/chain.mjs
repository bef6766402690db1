/** A chain of ten trivial jobs against one of them. */
import { readFile } from 'node:fs/promises';
import wabt from 'wabt';
import { postJob } from '../post-job.mjs';
import { call } from '../processes.mjs';
import { inTurns } from '../statistics.mjs';

const length = 10;

export async function chain({ server }) {
  await call(server, 'PUT', '/bench-chain');
  const { parseWat } = await wabt();
  const text = await readFile(new URL('../../support/guests/cat.wat', import.meta.url), 'utf8');
  await call(server, 'PUT', '/bench-chain/cat.wasm', {
    body: Buffer.from(parseWat('cat.wat', text).toBinary({}).buffer),
  });
  // Each job prints the next one; the last prints a word.
  const job = (step) => [
    {
      name: 'step',
      exec: { path: 'swift://~/bench-chain/cat.wasm' },
      devices: [
        { name: 'stdin', path: `swift://~/bench-chain/${step}` },
        { name: 'stdout', content_type: 'message/cgi' },
      ],
    },
  ];
  for (let step = 1; step <= length; step++) {
    const head = step < length ? 'Content-Type: application/json\nX-Zerovm-Execute: 1.0' : 'Content-Type: text/plain';
    const body = `${head}\n\n${step < length ? JSON.stringify(job(step + 1)) : 'done'}`;
    await call(server, 'PUT', `/bench-chain/${step}`, { body });
  }
  const milliseconds = (first) => async () => {
    const startedAt = performance.now();
    const { body } = await postJob(server, job(first));
    if (body !== 'done') throw new Error(`chain: ${body}`);
    return performance.now() - startedAt;
  };
  const [whole, last] = [milliseconds(1), milliseconds(length)];
  for (let i = 0; i < 100; i++) await last();
  const { ours, floor } = await inTurns(50, whole, last);
  return {
    name: 'job: chain of 10 trivial jobs against one, p50',
    unit: 'ms',
    ours,
    floor,
    ratio: ours / floor,
    reach: '<= 10 x one + 10 ms',
    ok: ours <= 10 * floor + 10,
  };
}
