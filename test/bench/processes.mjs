/** Starts and stops the servers a bench compares: ours, as a user starts it, and the floors. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Starts a node script that prints `listening on http://HOST:PORT`; resolves when it does. */
async function startProcess(script, env) {
  const child = spawn(process.execPath, [path.join(root, script)], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const port = /listening on http:\/\/[^:]+:(\d+)/.exec(line)?.[1];
    if (port) {
      return {
        pid: child.pid,
        port: Number(port),
        async stop() {
          const exited = once(child, 'exit');
          child.kill('SIGTERM');
          await exited;
        },
      };
    }
  }
  throw new Error(`${script} ended before it listened`);
}

/** Our server, standalone, with default settings on a free port, or another script that makes one. */
export async function startServer(dataDir, env = {}, script = 'packages/proxy/dist/main.js') {
  const server = await startProcess(script, {
    ZEROCLOUD_PORT: '0',
    ZEROCLOUD_DATA_DIR: dataDir,
    ...env,
  });
  const url = `http://127.0.0.1:${server.port}`;
  const answer = await fetch(`${url}/auth/v1.0`, {
    headers: { 'x-auth-user': 'test:tester', 'x-auth-key': 'testing' },
  });
  const token = answer.headers.get('x-auth-token');
  if (!token) throw new Error(`login failed with ${answer.status}`);
  return { ...server, url, token, storageUrl: `${url}/v1/AUTH_test`, account: '/v1/AUTH_test' };
}

export const startBareJobs = () => startProcess('test/bench/floor-jobs.mjs', {});

export const startFloor = (dataDir) => startProcess('test/bench/floor-server.mjs', { FLOOR_DIR: dataDir });

/** One request of ours that must succeed. */
export async function call(server, method, target, { headers = {}, body, expect = [200, 201, 202, 204] } = {}) {
  const answer = await fetch(server.storageUrl + target, {
    method,
    headers: { 'x-auth-token': server.token, ...headers },
    body,
    ...(body && typeof body.pipe === 'function' ? { duplex: 'half' } : {}),
  });
  if (!expect.includes(answer.status)) {
    throw new Error(`${method} ${target}: ${answer.status} ${await answer.text()}`);
  }
  return answer;
}

/** A process and all its descendants. */
function processTree(pid) {
  const parents = new Map();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      parents.set(Number(name), Number(readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1].split(' ')[1]));
    } catch {
      // The process ended between the listing and the read.
    }
  }
  const tree = [pid];
  for (let i = 0; i < tree.length; i++) {
    for (const [child, parent] of parents) if (parent === tree[i]) tree.push(child);
  }
  return tree;
}

/** Resident memory in bytes of each process in the tree, by pid. */
export function residentBytes(pid) {
  const sizes = new Map();
  for (const each of processTree(pid)) {
    try {
      const line = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${each}/status`, 'utf8'));
      if (line) sizes.set(each, Number(line[1]) * 1024);
    } catch {
      // Ended meanwhile.
    }
  }
  return sizes;
}

/** Waits until no process of the tree has changed its size by more than 1 MiB for a second: executors warm up on their own time. */
export async function settledResidentBytes(pid) {
  for (let before = residentBytes(pid); ; ) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const now = residentBytes(pid);
    const settled =
      now.size === before.size && [...now].every(([each, bytes]) => Math.abs(bytes - before.get(each)) < 1 << 20);
    if (settled) return now;
    before = now;
  }
}

/** Processor seconds that a process, its descendants and those of them that have ended (and were waited for) have used. */
export function cpuSeconds(pid) {
  let ticks = 0;
  for (const each of processTree(pid)) {
    try {
      const fields = readFileSync(`/proc/${each}/stat`, 'utf8').split(') ')[1].split(' ');
      for (const field of fields.slice(11, 15)) ticks += Number(field);
    } catch {
      // Ended meanwhile.
    }
  }
  return ticks / 100;
}
