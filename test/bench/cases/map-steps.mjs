/** A map step: one job with a node for each of many small objects, in tiny wasm and in Python. */
import { compileWat } from '../compile-wat.mjs';
import { postJob } from '../post-job.mjs';
import { call } from '../processes.mjs';
import { median } from '../statistics.mjs';

const objectBytes = 16 << 10;
const rounds = 3;

async function measure(server, { name, count, container, exec, devices = [], expected, reach }) {
  await call(server, 'PUT', `/${container}`);
  const body = Buffer.alloc(objectBytes, 'words and ');
  for (let i = 0; i < count; i += 20) {
    const some = Array.from({ length: Math.min(20, count - i) }, (_, j) => String(i + j).padStart(4, '0'));
    await Promise.all(some.map((number) => call(server, 'PUT', `/${container}/in-${number}`, { body })));
  }
  const description = [
    {
      name: 'map',
      exec,
      devices: [
        ...devices,
        { name: 'stdin', path: `swift://~/${container}/in-*` },
        { name: 'stdout', content_type: 'text/plain' },
      ],
    },
  ];
  const rates = [];
  for (let round = 0; round <= rounds; round++) {
    const startedAt = performance.now();
    const answer = await postJob(server, description);
    const seconds = (performance.now() - startedAt) / 1000;
    if (answer.body !== `${expected}\n`.repeat(count)) throw new Error(`map step: ${answer.body.slice(0, 100)}`);
    if (round > 0) rates.push(count / seconds);
  }
  const ours = median(rates);
  return { name, unit: 'obj/s', ours, reach: `>= ${reach}/s`, ok: ours >= reach };
}

export async function mapTiny({ server }) {
  await call(server, 'PUT', '/bench-programs');
  const body = await compileWat(new URL('../guests/count-bytes.wat', import.meta.url));
  await call(server, 'PUT', '/bench-programs/count.wasm', { body });
  return measure(server, {
    name: 'job: map step over 1,000 objects of 16 KiB, tiny wasm',
    count: 1000,
    container: 'bench-map-tiny',
    exec: { path: 'swift://~/bench-programs/count.wasm' },
    expected: objectBytes,
    reach: 500,
  });
}

export function mapPython({ server }) {
  return measure(server, {
    name: 'job: map step over 200 objects of 16 KiB, Python',
    count: 200,
    container: 'bench-map-python',
    exec: { path: 'file://python:python', args: String.raw`-c "import\x20sys;print(len(sys.stdin.read()))"` },
    devices: [{ name: 'python' }],
    expected: objectBytes,
    reach: 150,
  });
}
