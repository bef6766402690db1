/** 256 MiB of records from four mappers to three reducers, each record to the reducer that its key names. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { postJob } from '../post-job.mjs';
import { call } from '../processes.mjs';
import { median } from '../statistics.mjs';

const run = promisify(execFile);
const mappers = 4;
const reducers = 3;
const objectBytes = 64 << 20;
const recordBytes = 128;
const rounds = 5;
const name = 'job: shuffle of 256 MiB, 4 mappers to 3 reducers';

function records(seed) {
  const body = Buffer.alloc(objectBytes, 'r');
  for (let at = 0, x = seed; at < objectBytes; at += recordBytes) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    body[at] = x >>> 24;
  }
  return body;
}

export async function shuffle({ server, workDir }) {
  if (!existsSync('/usr/bin/clang')) return { name, skipped: 'needs clang and what it takes to build for wasm32-wasi' };
  const source = fileURLToPath(new URL('../guests/shuffle.c', import.meta.url));
  const wasm = path.join(workDir, 'shuffle.wasm');
  await run('clang', ['--target=wasm32-wasi', '-O3', source, '-o', wasm]);
  await call(server, 'PUT', '/bench-shuffle');
  await call(server, 'PUT', '/bench-shuffle/shuffle.wasm', { body: await readFile(wasm) });
  let sum = 0;
  for (let i = 0; i < mappers; i++) {
    const body = records(i + 1);
    for (let at = 0; at < objectBytes; at += recordBytes) sum += body[at];
    await call(server, 'PUT', `/bench-shuffle/${i}.records`, { body });
  }
  const exec = (args) => ({ path: 'swift://~/bench-shuffle/shuffle.wasm', args });
  const description = [
    {
      name: 'map',
      exec: exec('map'),
      connect: ['reduce'],
      devices: [{ name: 'stdin', path: 'swift://~/bench-shuffle/*.records' }],
    },
    {
      name: 'reduce',
      count: reducers,
      exec: exec('reduce'),
      devices: [{ name: 'stdout', content_type: 'text/plain' }],
    },
  ];
  const rates = [];
  for (let round = 0; round <= rounds; round++) {
    const startedAt = performance.now();
    const { body } = await postJob(server, description);
    const seconds = (performance.now() - startedAt) / 1000;
    const totals = body
      .trim()
      .split('\n')
      .map((line) => line.split(' ').map(Number));
    const [count, total] = [0, 1].map((at) => totals.reduce((a, numbers) => a + numbers[at], 0));
    if (count !== (mappers * objectBytes) / recordBytes || total !== sum) throw new Error(`shuffled ${body}`);
    if (round > 0) rates.push((mappers * objectBytes) / 1e6 / seconds);
  }
  const ours = median(rates);
  return { name, unit: 'MB/s', ours, reach: '>= 400 MB/s', ok: ours >= 400 };
}
