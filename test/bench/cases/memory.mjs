/** Resident memory of every process of the server while 1 GiB goes in, out, and through a job. */
import { compileWat } from '../compile-wat.mjs';
import { filler, send } from '../http.mjs';
import { call, residentBytes, settledResidentBytes } from '../processes.mjs';

const sizeBytes = 1 << 30;
const allowedBytes = 64 << 20;

/** Runs `action`, sampling; resolves with the largest growth of any process over its own idle size, in bytes. */
async function growthDuring(server, idle, action) {
  let growth = 0;
  const sample = () => {
    for (const [pid, bytes] of residentBytes(server.pid)) {
      if (idle.has(pid)) growth = Math.max(growth, bytes - idle.get(pid));
    }
  };
  const timer = setInterval(sample, 20);
  await action();
  sample();
  clearInterval(timer);
  return growth;
}

export async function memory({ server }) {
  await call(server, 'PUT', '/bench-memory');
  const program = new URL('../guests/count-bytes.wat', import.meta.url);
  await call(server, 'PUT', '/bench-memory/count.wasm', {
    body: await compileWat(program),
  });
  const token = { 'x-auth-token': server.token };
  const put = (target, bytes) =>
    send(server.port, 'PUT', server.account + target, {
      headers: { ...token, 'content-length': String(bytes) },
      body: filler(bytes),
    });
  const get = (target) => send(server.port, 'GET', server.account + target, { headers: token });
  const job = async (target, bytes) => {
    const description = [
      {
        name: 'count',
        exec: { path: 'swift://~/bench-memory/count.wasm' },
        devices: [{ name: 'stdin', path: `swift://~${target}` }, { name: 'stdout' }],
      },
    ];
    const body = Buffer.from(JSON.stringify(description));
    const headers = {
      ...token,
      'x-zerovm-execute': '1.0',
      'content-type': 'application/json',
      'content-length': String(body.length),
    };
    const answer = await send(server.port, 'POST', server.account, { headers, body, keep: true });
    if (answer.body.toString() !== `${bytes}\n`) throw new Error(`job counted ${answer.body}`);
  };

  // Once over everything with 1 MiB, so that code and buffers are there; that is the idle server.
  await put('/bench-memory/small', 1 << 20);
  await get('/bench-memory/small');
  await job('/bench-memory/small', 1 << 20);
  const idle = await settledResidentBytes(server.pid);
  const growths = {
    put: await growthDuring(server, idle, () => put('/bench-memory/object', sizeBytes)),
    get: await growthDuring(server, idle, () => get('/bench-memory/object')),
    job: await growthDuring(server, idle, () => job('/bench-memory/object', sizeBytes)),
  };
  const mib = Object.fromEntries(Object.entries(growths).map(([what, bytes]) => [what, bytes / (1 << 20)]));
  const largest = Math.max(...Object.values(mib));
  return {
    name: `memory above idle during 1 GiB PUT, GET, job (${Object.values(mib)
      .map((value) => value.toFixed(0))
      .join(', ')})`,
    unit: 'MiB',
    ours: largest,
    reach: '<= 64 MiB',
    ok: largest <= allowedBytes / (1 << 20),
  };
}
