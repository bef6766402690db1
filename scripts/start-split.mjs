#!/usr/bin/env node
/**
 * `npm run start:split`: the two processes of docker-compose.yml without Docker. An object server on a free port of
 * loopback, and a proxy in front of it; both take their settings from this environment. Ends both when one dies.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onStopSignals } from '@zerocloud/object-server/stop-signals';

const packages = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', 'packages');
const nodeKey = process.env.ZEROCLOUD_NODE_KEY || randomBytes(24).toString('base64url');

if (process.env.ZEROCLOUD_NODE_URL) {
  process.stderr.write('start:split starts an object server of its own; unset ZEROCLOUD_NODE_URL.\n');
  process.exit(1);
}
if (process.argv.length > 2) {
  process.stdout.write('npm run start:split: a proxy and an object server. Settings: npm start -- --help\n');
  process.exit(process.argv[2] === '--help' ? 0 : 1);
}

/** Processes of their own group: Ctrl-C reaches this script alone, which then ends them in order. */
function start(name, env, stdout) {
  const main = path.join(packages, name, 'dist', 'main.js');
  const child = spawn(process.execPath, [main], {
    env: { ...process.env, ZEROCLOUD_NODE_KEY: nodeKey, ...env },
    stdio: ['ignore', stdout, 'inherit'],
    detached: true,
  });
  const ended = new Promise((resolve) => {
    child.once('exit', (code) => resolve(code ?? 1));
    child.once('error', () => resolve(1));
  });
  return { child, ended };
}

const objectServer = start('object-server', { ZEROCLOUD_HOST: '127.0.0.1', ZEROCLOUD_PORT: '0' }, 'pipe');
let proxy;
let isStopping = false;

/** First the proxy, which finishes its requests, then the object server they need. */
function stop(signal) {
  isStopping = true;
  (proxy ?? objectServer).child.kill(signal);
}
onStopSignals(stop, (signal) => {
  proxy?.child.kill(signal);
  objectServer.child.kill(signal);
});
process.on('exit', () => {
  proxy?.child.kill('SIGKILL');
  objectServer.child.kill('SIGKILL');
});

for await (const line of createInterface({ input: objectServer.child.stdout })) {
  process.stderr.write(`object server ${line}\n`);
  const url = /^listening on (http:\S+)$/.exec(line)?.[1];
  if (url && !isStopping) {
    proxy = start('proxy', { ZEROCLOUD_NODE_URL: url }, 'inherit');
    break;
  }
}
objectServer.child.stdout.resume();

const code = await Promise.race([objectServer.ended, ...(proxy ? [proxy.ended] : [])]);
// Whoever is left ends now; a proxy whose object server died has nothing to finish.
const wasStopping = isStopping;
objectServer.child.kill('SIGTERM');
proxy?.child.kill(wasStopping ? 0 : 'SIGKILL');
const codes = await Promise.all([objectServer.ended, proxy?.ended]);
process.exit(wasStopping ? Math.max(...codes.filter((one) => one !== undefined)) : code || 1);
