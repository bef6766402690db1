/** One account runs jobs of a thousand nodes, one after the other; how long does another account's tiny job take? */
import http from 'node:http';
import path from 'node:path';
import { compileWat } from '../compile-wat.mjs';
import { send } from '../http.mjs';
import { call, startServer } from '../processes.mjs';
import { latencies } from '../statistics.mjs';

const users = 'test:tester=testing .admin;other:user=testing .admin';
const nodeCount = 1000;

function jobOf(name, count, bin) {
  return Buffer.from(
    JSON.stringify([
      {
        name,
        count,
        exec: { path: `swift://~/${bin}/count.wasm` },
        devices: [
          { name: 'stdin', path: `swift://~/${bin}/object` },
          { name: 'stdout', content_type: 'text/plain' },
        ],
      },
    ]),
  );
}

function headersOf(token, job) {
  return {
    'x-auth-token': token,
    'x-zerovm-execute': '1.0',
    'content-type': 'application/json',
    'content-length': String(job.length),
  };
}

/** The long headers of a large job are more than `send` takes. */
function runLarge(server, job) {
  const headers = headersOf(server.token, job);
  return new Promise((resolve, reject) => {
    const options = { port: server.port, method: 'POST', path: server.account, headers, maxHeaderSize: 1 << 20 };
    const request = http.request(options, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode));
    });
    request.on('error', reject);
    request.end(job);
  });
}

async function prepare(server) {
  await call(server, 'PUT', '/bench-fair');
  await call(server, 'PUT', '/bench-fair/object', { body: Buffer.alloc(4096, 'x') });
  const body = await compileWat(new URL('../guests/count-bytes.wat', import.meta.url));
  await call(server, 'PUT', '/bench-fair/count.wasm', { body });
}

export async function fairness({ workDir }) {
  const server = await startServer(path.join(workDir, 'fairness'), { ZEROCLOUD_USERS: users });
  try {
    const login = await fetch(`${server.url}/auth/v1.0`, {
      headers: { 'x-auth-user': 'other:user', 'x-auth-key': 'testing' },
    });
    const other = {
      ...server,
      token: login.headers.get('x-auth-token'),
      storageUrl: `${server.url}/v1/AUTH_other`,
      account: '/v1/AUTH_other',
    };
    await prepare(server);
    await prepare(other);
    const tiny = jobOf('tiny', 1, 'bench-fair');
    const runTiny = async () => {
      const headers = headersOf(other.token, tiny);
      const answer = await send(other.port, 'POST', other.account, { headers, body: tiny, keep: true });
      if (answer.status !== 200 || answer.body.toString() !== '4096\n') throw new Error(`tiny job: ${answer.status}`);
    };
    const large = jobOf('large', nodeCount, 'bench-fair');
    await runTiny();
    let measuring = true;
    let largeCount = 0;
    const background = (async () => {
      while (measuring) {
        const status = await runLarge(server, large);
        if (status !== 200) throw new Error(`large job: ${status}`);
        largeCount++;
      }
    })();
    const times = await Promise.race([latencies(500, runTiny, 20), background]);
    measuring = false;
    await background;
    if (largeCount === 0) throw new Error('no large job ended meanwhile');
    const p99 = times.sort((one, two) => one - two)[Math.ceil(times.length * 0.99) - 1];
    return {
      name: 'tiny job of another account during jobs of 1,000 nodes, p99',
      unit: 'ms',
      ours: p99,
      reach: '<= 50 ms',
      ok: p99 <= 50,
    };
  } finally {
    await server.stop();
  }
}
