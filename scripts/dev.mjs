#!/usr/bin/env node
/** `npm run dev`: builds, runs one process, rebuilds and restarts on change, and says how to talk to it. */
import { spawn, spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const main = path.join(root, 'packages/proxy/dist/main.js');
const require = createRequire(import.meta.url);
const compiler = require.resolve('typescript/bin/tsc');

const built = spawnSync(process.execPath, [compiler, '--build', 'packages/proxy'], { cwd: root, stdio: 'inherit' });
if (built.status !== 0) {
  process.exit(1);
}
const { readServerConfig } = require('@zerocloud/proxy/config');
let user;
try {
  [user] = readServerConfig(process.env).proxy.users;
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}

const watcher = spawn(process.execPath, [compiler, '--build', '--watch', '--preserveWatchOutput', 'packages/proxy'], {
  cwd: root,
  stdio: ['ignore', 'inherit', 'inherit'],
});
const server = spawn(process.execPath, ['--watch', '--watch-preserve-output', main], {
  cwd: root,
  stdio: ['ignore', 'pipe', 'inherit'],
});
const stop = (signal) => {
  watcher.kill(signal);
  server.kill(signal);
};
process.on('SIGTERM', stop).on('SIGINT', stop);
server.once('exit', (code) => {
  watcher.kill();
  process.exitCode = code ?? 0;
});

for await (const line of createInterface({ input: server.stdout })) {
  process.stdout.write(`${line}\n`);
  const url = /^listening on (http:\S+)$/.exec(line)?.[1];
  if (url) {
    await introduce(url).catch((error) => process.stderr.write(`${error.message}\n`));
  }
}

async function introduce(url) {
  const headers = { 'x-auth-user': `${user.account}:${user.user}`, 'x-auth-key': user.key };
  const answer = await fetch(`${url}/auth/v1.0`, { headers });
  const token = answer.headers.get('x-auth-token');
  const storageUrl = answer.headers.get('x-storage-url');
  process.stdout.write(`
  user         ${headers['x-auth-user']}
  storage URL  ${storageUrl}
  token        ${token}

  curl -i -H 'X-Auth-Token: ${token}' '${storageUrl}?format=json'

`);
}
