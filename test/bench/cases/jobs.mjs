/** Latency of jobs on a warm server: a tiny wasm program against a GET of the same object, and a Python script. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileWat } from '../compile-wat.mjs';
import { send } from '../http.mjs';
import { runLoad } from '../load.mjs';
import { call, cpuSeconds, startBareJobs, startServer } from '../processes.mjs';
import { latencies, median } from '../statistics.mjs';

/** Makes the objects of the tiny job; returns what runs it once, and what reads its input. */
async function prepareTinyJob(server) {
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
  return { runJob, get };
}

/** Requests until all that is in their way is compiled for good: what a server answers for the rest of its life. */
const warmUp = 6000;

export async function tinyJob({ server }) {
  const { runJob, get } = await prepareTinyJob(server);
  const jobMs = [];
  const getMs = [];
  for (let round = 0; round < 5; round++) {
    jobMs.push(...(await latencies(300, runJob, round === 0 ? warmUp : 20)));
    getMs.push(...(await latencies(300, get, round === 0 ? warmUp : 20)));
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

/** The same program in a bare process behind bare node:http: what processes, their wake-ups and HTTP cost by themselves. */
export async function bareJob({ server }) {
  const { runJob } = await prepareTinyJob(server);
  const floor = await startBareJobs();
  try {
    const body = Buffer.alloc(256, 'x');
    const headers = { 'content-length': String(body.length) };
    const runBare = async () => {
      const answer = await send(floor.port, 'POST', '/', { headers, body, keep: true });
      if (answer.body.toString() !== '4096\n') throw new Error(`bare job: ${answer.status} ${answer.body}`);
    };
    await latencies(1, runJob, warmUp);
    await latencies(1, runBare, warmUp);
    const times = { ours: [], floor: [] };
    for (let round = 0; round < 5; round++) {
      times.ours.push(...(await latencies(300, runJob, 20)));
      times.floor.push(...(await latencies(300, runBare, 20)));
    }
    const [ours, base] = [median(times.ours), median(times.floor)];
    const name = 'job: tiny wasm over 4 KiB against a bare process that does the same, p50';
    return { name, unit: 'ms', ours, floor: base, ratio: ours / base, reach: 'for comparison' };
  } finally {
    await floor.stop();
  }
}

const builtImage = fileURLToPath(new URL('../../../images/python', import.meta.url));
const script = Buffer.from('#!file://python:python\nprint("hello")\n');
const pythonHeaders = (server) => ({
  'x-auth-token': server.token,
  'x-zerovm-execute': '1.0',
  'content-type': 'application/python',
  'content-length': String(script.length),
});

/** Runs `use` with a server whose Python is the built image, or the one from npm. */
async function withPython(workDir, image, use) {
  const directory = image === 'built' ? builtImage : path.join(workDir, 'no-image');
  const server = await startServer(path.join(workDir, `python-${image}`), { ZEROCLOUD_PYTHON_IMAGE: directory });
  try {
    return await use(server);
  } finally {
    await server.stop();
  }
}

const pythonLatency = (image, limitMs) =>
  async function pythonJob({ workDir }) {
    const name = `job: Python hello over HTTP, image ${image === 'built' ? 'built here' : 'from npm'}, p50`;
    if (image === 'built' && !existsSync(builtImage)) return { name, skipped: 'needs npm run image:python' };
    return withPython(workDir, image, async (server) => {
      const headers = pythonHeaders(server);
      const runJob = async () => {
        const answer = await send(server.port, 'POST', server.account, { headers, body: script, keep: true });
        if (answer.status !== 200 || answer.body.toString() !== 'hello\n')
          throw new Error(`job: ${answer.status} ${answer.body}`);
      };
      const ours = median(await latencies(300, runJob, 300));
      return { name, unit: 'ms', ours, reach: `<= ${limitMs} ms`, ok: ours <= limitMs };
    });
  };

export const pythonJob = pythonLatency('built', 4);
export const pythonJobNpm = pythonLatency('npm', 5);

/** What one core can do: jobs of eight clients at a time, by the processor time of all processes of the server. */
export async function pythonJobRate({ workDir }) {
  const image = existsSync(builtImage) ? 'built' : 'npm';
  const name = `job: Python hello over HTTP, 8 clients, jobs for a second of one core, image ${image}`;
  return withPython(workDir, image, async (server) => {
    const load = { port: server.port, connections: 8, method: 'POST', path: server.account, expect: 200 };
    const { 'content-length': _length, ...headers } = pythonHeaders(server);
    await runLoad({ ...load, headers, body: script, durationMs: 3000 });
    const before = cpuSeconds(server.pid);
    const { count } = await runLoad({ ...load, headers, body: script, durationMs: 5000 });
    const ours = count / (cpuSeconds(server.pid) - before);
    return { name, unit: 'jobs/s', ours, reach: '>= 150', ok: ours >= 150 };
  });
}

/** An account's first job waits for an executor of its own, and finds one that is warm but has given memory back. */
export async function firstJob({ workDir }) {
  const name = 'job: first one of an account over HTTP, Python, worst of 5';
  const users = Array.from({ length: 5 }, (_, i) => `first${i}:user=secret .admin`);
  const dataDir = path.join(workDir, 'first-jobs');
  const server = await startServer(dataDir, { ZEROCLOUD_USERS: ['test:tester=testing .admin', ...users].join(';') });
  try {
    const times = [];
    for (let i = 0; i < users.length; i++) {
      const login = await fetch(`${server.url}/auth/v1.0`, {
        headers: { 'x-auth-user': `first${i}:user`, 'x-auth-key': 'secret' },
      });
      const headers = { ...pythonHeaders(server), 'x-auth-token': login.headers.get('x-auth-token') };
      // The next spare executor is made after each of them, and rests two seconds later.
      await new Promise((resolve) => setTimeout(resolve, 4000));
      const startedAt = performance.now();
      const answer = await send(server.port, 'POST', `/v1/AUTH_first${i}`, { headers, body: script, keep: true });
      times.push(performance.now() - startedAt);
      if (answer.body.toString() !== 'hello\n') throw new Error(`job: ${answer.status} ${answer.body}`);
    }
    const ours = Math.max(...times);
    return { name, unit: 'ms', ours, reach: '<= 150 ms', ok: ours <= 150 };
  } finally {
    await server.stop();
  }
}
