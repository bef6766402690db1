import { closeSync, ftruncateSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import os from 'node:os';
import { Worker } from 'node:worker_threads';
import { lineFd } from '../executor/protocol';
import type { ProbeRequest } from './probe';

/**
 * Runs as an executor would, tries what its form of confinement promises to stop, and tells what it could do all the same
 * or could not do although it must. Everything in order is an empty list.
 */

const request = JSON.parse(process.argv[2]!) as ProbeRequest;
const { means, input, output, canary, serverPid, user, fileBytes } = request;
const failures: string[] = [];

function check(failure: string, holds: () => boolean): void {
  let held = false;
  try {
    held = holds();
  } catch (error) {
    failures.push(`${failure} (${String(error)})`);
    return;
  }
  if (!held) failures.push(failure);
}

/** The code of the error that something fails with; undefined if it does not fail. */
function codeOf(attempt: () => unknown): string | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    return String((error as { code?: unknown }).code);
  }
}

// Too large a file is a signal besides an error.
process.on('SIGXFSZ', () => undefined);

check('cannot read its inputs', () => readFileSync(input, 'utf8') === request.content);
check('cannot write its outputs', () => {
  writeFileSync(output, 'x', { flag: 'r+' });
  return readFileSync(output, 'utf8') === 'x';
});
check(
  'can change its inputs',
  () => !(means.namespaces || means.user) || codeOf(() => openSync(input, 'r+')) !== undefined,
);
if (means.namespaces) {
  check('sees files outside of its slot', () => codeOf(() => readFileSync(canary)) === 'ENOENT');
  check('sees processes of the host', () => codeOf(() => process.kill(serverPid, 0)) === 'ESRCH');
  check('sees the network', () => findNetworks().length === 0);
}
if (means.filter) {
  check('can create files', () => codeOf(() => openSync(`${output}-more`, 'w')) !== undefined);
  check('is not held by the system-call filter', () => codeOf(() => os.setPriority(0, 19)) === 'ERR_SYSTEM_ERROR');
}
if (means.user) {
  check('has not the user of its slot', () => process.getuid!() === user!.uid && process.getegid!() === user!.gid);
  check('may signal the server', () => ['ESRCH', 'EPERM'].includes(String(codeOf(() => process.kill(serverPid, 0)))));
}
if (means.limits) {
  check('has no limit of file size', () => {
    const fd = openSync(output, 'r+');
    const code = codeOf(() => ftruncateSync(fd, fileBytes + 1));
    closeSync(fd);
    return code === 'EFBIG';
  });
}
if (means.permissions) {
  const denied = 'ERR_ACCESS_DENIED';
  check('is not held by the permission model', () => codeOf(() => readFileSync('/etc/passwd')) === denied);
}

/** Interfaces to the outside; asking for them is refused where there is a filter. */
function findNetworks(): unknown[] {
  try {
    return Object.values(os.networkInterfaces()).flatMap(
      (addresses) => addresses?.filter((one) => !one.internal) ?? [],
    );
  } catch {
    return [];
  }
}

/** A thread with linear memory, as every session has it. */
const worker = new Worker(
  `const { parentPort } = require('node:worker_threads');
   const memory = new WebAssembly.Memory({ initial: 1, maximum: 1000 });
   parentPort.postMessage(memory.grow(99) === 1);`,
  { eval: true, env: {}, resourceLimits: { maxOldGenerationSizeMb: 64 } },
);
worker.once('error', (error) => finish(`cannot run threads (${error.message})`));
worker.once('message', (works) => finish(works ? undefined : 'cannot grow memory'));

function finish(failure?: string): void {
  if (failure !== undefined) failures.push(failure);
  writeSync(lineFd, JSON.stringify(failures));
  process.kill(process.pid, 'SIGKILL');
}
