/** Latency of jobs on a warm server: a tiny wasm program against a GET of the same object, and a Python script. */
import { existsSync } from 'node:fs';
import { compileWat } from '../compile-wat.mjs';
import { send } from '../http.mjs';
import { call } from '../processes.mjs';
import { latencies, median } from '../statistics.mjs';

export async function tinyJob({ server }) {
  await call(server, 'PUT', '/bench-job');
  await call(server, 'PUT', '/bench-job/object', { body: Buffer.alloc(4096, 'x') });
  await call(server, 'PUT', '/bench-job/count.wasm', {
    body: await compileWat(new URL('../guests/count-bytes.wat', import.meta.url)),
  });
  const token = { 'x-auth-token': server.token };
  const job = Buffer.from(
    JSON.stringify([
      {
        name: 'count',
        exec: { path: 'swift://~/bench-job/count.wasm' },
        devices: [
          { name: 'stdin', path: 'swift://~/bench-job/object' },
          { name: 'stdout', content_type: 'text/plain' },
        ],
      },
    ]),
  );
  const headers = {
    ...token,
    'x-zerovm-execute': '1.0',
    'content-type': 'application/json',
    'content-length': String(job.length),
  };
  const runJob = async () => {
    const answer = await send(server.port, 'POST', server.account, { headers, body: job, keep: true });
    if (answer.status !== 200 || answer.body.toString() !== '4096\n') {
      throw new Error(`job: ${answer.status} ${answer.headers['x-nexe-status']} ${answer.body}`);
    }
  };
  const get = async () => {
    const answer = await send(server.port, 'GET', `${server.account}/bench-job/object`, { headers: token });
    if (answer.bytes !== 4096) throw new Error(`GET: ${answer.status}`);
  };
  const jobMs = [];
  const getMs = [];
  for (let round = 0; round < 5; round++) {
    jobMs.push(...(await latencies(300, runJob, round === 0 ? 3000 : 20)));
    getMs.push(...(await latencies(300, get, round === 0 ? 3000 : 20)));
  }
  const [ours, base] = [median(jobMs), median(getMs)];
  return {
    name: 'job: tiny wasm over 4 KiB against GET, p50',
    unit: 'ms',
    ours,
    floor: base,
    ratio: ours / base,
    reach: '<= 4 and <= 3 ms more',
    ok: ours / base <= 4 && ours - base <= 3,
  };
}

export async function pythonJob({ server }) {
  const script = Buffer.from('#!file://python:python\nprint("hello")\n');
  const headers = {
    'x-auth-token': server.token,
    'x-zerovm-execute': '1.0',
    'content-type': 'application/python',
    'content-length': String(script.length),
  };
  const runJob = async () => {
    const answer = await send(server.port, 'POST', server.account, { headers, body: script, keep: true });
    if (answer.status !== 200 || answer.body.toString() !== 'hello\n')
      throw new Error(`job: ${answer.status} ${answer.body}`);
  };
  const ours = median(await latencies(300, runJob, 300));
  const limitMs = existsSync(new URL('../../../images/python', import.meta.url)) ? 4 : 5;
  return { name: 'job: Python hello, p50', unit: 'ms', ours, reach: `<= ${limitMs} ms`, ok: ours <= limitMs };
}
