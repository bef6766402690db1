/**
 * Word count as map-reduce in one request: 16 objects of 16 MiB, a mapper for each, one reducer. Against the same source built
 * natively and run by xargs over the same files, and against a client that downloads the objects and counts natively.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { postJob } from '../post-job.mjs';
import { call, cpuSeconds } from '../processes.mjs';
import { median } from '../statistics.mjs';
import { text } from './word-count.mjs';

const run = promisify(execFile);
const objectCount = 16;
const objectBytes = 16 << 20;
const rounds = 5;
const name = 'job: map-reduce word count over 16 objects, 256 MiB';

export async function mapReduce({ server, workDir }) {
  if (!existsSync('/usr/bin/clang')) return { name, skipped: 'needs clang and what it takes to build for wasm32-wasi' };
  const directory = path.join(workDir, 'map-reduce');
  const [texts, counts] = [path.join(directory, 'texts'), path.join(directory, 'counts')];
  for (const each of [texts, counts]) await mkdir(each, { recursive: true });
  const source = fileURLToPath(new URL('../guests/map-reduce.c', import.meta.url));
  const [native, wasm] = [path.join(directory, 'words'), path.join(directory, 'words.wasm')];
  await run('clang', ['-O2', source, '-o', native]);
  await run('clang', ['--target=wasm32-wasi', '-O3', source, '-o', wasm]);
  await call(server, 'PUT', '/bench-map-reduce');
  await call(server, 'PUT', '/bench-map-reduce/words.wasm', { body: await readFile(wasm) });
  const chunks = text(objectCount * objectBytes);
  for (let i = 0; i < objectCount; i++) {
    const body = Buffer.concat(Array.from({ length: objectBytes >> 20 }, () => chunks.next().value));
    await writeFile(path.join(texts, `${i}.txt`), body);
    await call(server, 'PUT', `/bench-map-reduce/${i}.txt`, { body });
  }
  const exec = (args) => ({ path: 'swift://~/bench-map-reduce/words.wasm', args });
  const description = [
    {
      name: 'map',
      exec: exec('map /dev/stdin /dev/out/reduce'),
      connect: ['reduce'],
      devices: [{ name: 'stdin', path: 'swift://~/bench-map-reduce/*.txt' }],
    },
    { name: 'reduce', exec: exec('reduce /dev/in'), devices: [{ name: 'stdout', content_type: 'text/plain' }] },
  ];
  const inShell = (each) => {
    const mapper = `ls ${texts} | xargs -P2 -I{} sh -c '${each}'`;
    return run('sh', ['-c', `rm -f ${counts}/*; ${mapper} && ${native} reduce ${counts}`]).then(({ stdout }) => stdout);
  };
  const ways = {
    job: () => postJob(server, description).then(({ body }) => body),
    native: () => inShell(`${native} map ${texts}/{} ${counts}/{}`),
    download: () => {
      const url = `${server.storageUrl}/bench-map-reduce/{}`;
      return inShell(`curl -sf -H "X-Auth-Token: ${server.token}" ${url} | ${native} map /dev/stdin ${counts}/{}`);
    },
  };
  const expected = await ways.native();
  const seconds = { job: [], native: [], download: [] };
  const cpu = { job: [], native: [], download: [] };
  for (let round = 0; round <= rounds; round++) {
    for (const [way, action] of Object.entries(ways)) {
      const startedAt = performance.now();
      const cpuBefore = cpuSeconds(process.pid);
      const output = await action();
      if (output !== expected) throw new Error(`${way} counted ${output}, expected ${expected}`);
      if (round === 0) continue;
      seconds[way].push((performance.now() - startedAt) / 1000);
      cpu[way].push(cpuSeconds(process.pid) - cpuBefore);
    }
  }
  const [ours, floor, download] = [median(seconds.job), median(seconds.native), median(seconds.download)];
  const cpuText = Object.values(cpu)
    .map((values) => median(values).toFixed(2))
    .join(', ');
  return {
    name: `${name} (download and count: ${download.toFixed(2)} s)`,
    /** Processor time of job, native, download: what a busy machine does not blur. */
    cpu: cpuText,
    unit: 's',
    ours,
    floor,
    ratio: ours / floor,
    reach: '<= 1.6, < download',
    ok: ours / floor <= 1.6 && ours < download,
  };
}
