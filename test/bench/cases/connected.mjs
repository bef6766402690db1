/** Two connected nodes on a warm server: a tiny wasm program to another, and a Python script to another. */
import { readFile } from 'node:fs/promises';
import wabt from 'wabt';
import { postJob } from '../post-job.mjs';
import { call } from '../processes.mjs';
import { latencies, median } from '../statistics.mjs';

async function measure(server, name, description, expected) {
  const run = async () => {
    const { body } = await postJob(server, description);
    if (body !== expected) throw new Error(`connected nodes printed ${body}`);
  };
  const ours = median(await latencies(100, run, 30));
  return { name, unit: 'ms', ours, reach: '<= 20 ms', ok: ours <= 20 };
}

export async function connectedTiny({ server }) {
  await call(server, 'PUT', '/bench-connected');
  const { parseWat } = await wabt();
  const text = await readFile(new URL('../../support/guests/cat.wat', import.meta.url), 'utf8');
  const body = Buffer.from(parseWat('cat.wat', text).toBinary({}).buffer);
  await call(server, 'PUT', '/bench-connected/cat.wasm', { body });
  await call(server, 'PUT', '/bench-connected/object', { body: 'x'.repeat(4096) });
  const exec = { path: 'swift://~/bench-connected/cat.wasm' };
  const description = [
    {
      name: 'first',
      exec,
      devices: [
        { name: 'stdin', path: 'swift://~/bench-connected/object' },
        { name: 'stdout', path: 'zvm://second:stdin' },
      ],
    },
    { name: 'second', exec, devices: [{ name: 'stdout' }] },
  ];
  return measure(server, 'job: two connected tiny programs, p50', description, 'x'.repeat(4096));
}

export function connectedPython({ server }) {
  const exec = (code) => ({ path: 'file://python:python', args: `-c "${code}"` });
  const description = [
    {
      name: 'first',
      exec: exec(`print('hello')`),
      devices: [{ name: 'python' }, { name: 'stdout', path: 'zvm://second:stdin' }],
    },
    {
      name: 'second',
      exec: exec(String.raw`import\x20sys;print(sys.stdin.read().upper())`),
      devices: [{ name: 'python' }, { name: 'stdout', content_type: 'text/plain' }],
    },
  ];
  return measure(server, 'job: two connected Pythons, p50', description, 'HELLO\n\n');
}
